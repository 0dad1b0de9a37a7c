import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { UpstreamEvent } from '../../src/model/event.ts';
import { parseFieldPath } from '../../src/model/field-path.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { redact } from '../../src/realtime/redact.ts';

const places = (...texts: readonly string[]) => texts.map(parseFieldPath);
const event = (payload: JsonObject, ...parts: readonly string[]): UpstreamEvent => ({
  name: 'update',
  payload,
  ...(parts.length === 0 ? {} : { attachments: parts.map((text) => Buffer.from(text)) }),
});
const part = (num: unknown) => ({ _placeholder: true, num }) as JsonObject;
const shown = (one: UpstreamEvent) => ({
  payload: one.payload,
  parts: one.attachments?.map((bytes) => bytes.toString()),
});

describe('what an event hides', () => {
  test('is replaced wherever it stands, in place', () => {
    const one = event({ key: 'secret', steps: [{ key: { a: 1 } }, { other: 2 }], text: 'key' });
    expect(redact(one, places('key', 'steps[*].key'))).toBe(one);
    expect(one.payload).toEqual({ key: '[redacted]', steps: [{ key: '[redacted]' }, { other: 2 }], text: 'key' });
  });

  test('is nothing where nothing is said, or nothing stands there', () => {
    const one = event({ key: 'x' }, 'bytes');
    expect(redact(one, undefined)).toBe(one);
    expect(redact(one, [])).toBe(one);
    expect(shown(redact(one, places('other')))).toEqual({ payload: { key: 'x' }, parts: ['bytes'] });
  });
});

describe('a binary part', () => {
  test('stays behind with its placeholder, and the others are counted anew', () => {
    const one = event({ a: part(0), b: { deep: [part(1)] }, c: part(2) }, 'A', 'B', 'C');
    expect(shown(redact(one, places('b')))).toEqual({
      payload: { a: part(0), b: '[redacted]', c: part(1) },
      parts: ['A', 'C'],
    });
  });

  test('stays behind also where the placeholder itself is the value', () => {
    const one = event({ image: part(0), thumb: part(1) }, 'A', 'B');
    expect(shown(redact(one, places('image')))).toEqual({
      payload: { image: '[redacted]', thumb: part(0) },
      parts: ['B'],
    });
  });

  test('that is hidden is not had by pointing to it from elsewhere', () => {
    const one = event({ image: part(0), text: { forged: part(0) } }, 'A');
    expect(shown(redact(one, places('image')))).toEqual({
      payload: { image: '[redacted]', text: { forged: '[redacted]' } },
      parts: [],
    });
  });

  test('that the hidden value only seems to have is none', () => {
    const one = event({ text: [part('0'), part(0.5), part(7)], image: part(0) }, 'A');
    expect(shown(redact(one, places('text')))).toEqual({
      payload: { text: '[redacted]', image: part(0) },
      parts: ['A'],
    });
  });
});

test('what only seems to stand for a part is left as it is', () => {
  const one = event(
    { image: part(0), other: part(1), a: part('0'), b: part(1.5), c: { _placeholder: 1, num: 0 } },
    'A',
    'B',
  );
  expect(shown(redact(one, places('image')))).toEqual({
    payload: { image: '[redacted]', other: part(0), a: part('0'), b: part(1.5), c: { _placeholder: 1, num: 0 } },
    parts: ['B'],
  });
});

test('whatever is hidden, each placeholder that is left stands for the bytes that it stood for', () => {
  const key = fc.constantFrom('a', 'b', 'c');
  const tree = fc.letrec<{ node: unknown }>((tie) => ({
    node: fc.oneof(
      { depthSize: 'small' },
      fc.integer({ min: 0, max: 3 }).map(part),
      fc.constant('text'),
      fc.array(tie('node'), { maxLength: 3 }),
      fc.dictionary(key, tie('node'), { maxKeys: 3 }),
    ),
  })).node;
  const payloads = fc.dictionary(key, tree, { maxKeys: 3 });
  const bytes = ['0', '1', '2', '3'].map((text) => Buffer.from(text));
  /** The payload with the bytes in the place of their placeholders, as a client puts it together. */
  const whole = (value: unknown, parts: readonly Buffer[]): unknown => {
    if (Array.isArray(value)) return value.map((one) => whole(one, parts));
    if (typeof value !== 'object' || value === null) return value;
    if ((value as JsonObject)._placeholder === true) return parts[(value as { num: number }).num]?.toString();
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, whole(one, parts)]));
  };
  const numbersIn = (value: unknown): number[] =>
    [...JSON.stringify(value ?? null).matchAll(/"num":(\d)/g)].map(([, num]) => Number(num));
  fc.assert(
    fc.property(payloads, key, (payload, place) => {
      const hidden = new Set(numbersIn(payload[place]));
      const one = { name: 'update', payload: structuredClone(payload) as JsonObject, attachments: bytes };
      const left = redact(one, places(place));
      const expected = Object.hasOwn(payload, place) ? { ...payload, [place]: '[redacted]' } : payload;
      const forged = JSON.parse(JSON.stringify(expected), (_, value) =>
        value?._placeholder === true && hidden.has(value.num) ? '[redacted]' : value,
      );
      expect(whole(left.payload, left.attachments ?? [])).toEqual(whole(forged, bytes));
      expect(left.attachments).toEqual(bytes.filter((_, index) => !hidden.has(index)));
    }),
  );
});
