import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readForm } from '../../src/body/form.ts';
import { Rejection } from '../../src/model/rejection.ts';
import { arriving, post, refusalOf } from '../support/bodies.ts';

const TYPE = 'application/x-www-form-urlencoded';
const read = async (text: string, type = TYPE) =>
  Object.fromEntries(await readForm(post('Content-Type', type, 'Content-Length', String(text.length)), arriving(text)));
const refused = (text: string, ...headers: string[]) =>
  refusalOf(() =>
    readForm(post('Content-Type', TYPE, 'Content-Length', String(text.length), ...headers), arriving(text)),
  );

describe('a form', () => {
  test('is read as it was filled in', async () => {
    expect(await read('a=b&logout_token=ey.J_-&empty=&bare&text=two+words%20and+%26+%C3%A9%E2%9C%93')).toEqual({
      a: 'b',
      logout_token: 'ey.J_-',
      empty: '',
      bare: '',
      text: 'two words and & é✓',
    });
  });

  test('of nothing has no fields, with a type or without', async () => {
    expect((await readForm(post('Content-Length', '0'), undefined)).size).toBe(0);
    expect((await readForm(post('Content-Length', '0', 'Content-Type', 'text/plain'), undefined)).size).toBe(0);
    expect((await readForm(post('Content-Type', TYPE, 'Transfer-Encoding', 'chunked'), arriving())).size).toBe(0);
  });

  test.each([TYPE, `${TYPE};charset=UTF-8`, `${TYPE} ; charset="utf-8"`, TYPE.toUpperCase()])(
    'may be %s',
    async (type) => {
      expect(await read('a=b', type)).toEqual({ a: 'b' });
    },
  );

  test('is read as any browser would have read it', async () => {
    const field = fc.stringMatching(/^[A-Za-z0-9_.-]{1,64}$/);
    const value = fc.string({ unit: 'grapheme' }).filter((text) => !/[\u0000-\u001f\u007f-\u009f]/.test(text));
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.tuple(field, value), { selector: ([name]) => name }), async (fields) => {
        const text = new URLSearchParams(fields).toString();
        expect(await read(text)).toEqual(Object.fromEntries(fields));
      }),
    );
  });

  test('keeps a name that objects have of their own', async () => {
    const text = '__proto__=a&constructor=b';
    const form = await readForm(post('Content-Type', TYPE, 'Content-Length', String(text.length)), arriving(text));
    expect([...form]).toEqual([
      ['__proto__', 'a'],
      ['constructor', 'b'],
    ]);
  });
});

describe('what is refused', () => {
  test.each([
    'text/plain',
    'application/json',
    'multipart/form-data; boundary=x',
    `${TYPE}; charset=utf-16`,
    `${TYPE}x`,
    '',
  ])('the type %j', async (type) => {
    const request = post('Content-Type', type, 'Content-Length', '3');
    expect(await refusalOf(() => readForm(request, arriving('a=b')))).toBe('body-type 415');
  });

  test('a body without a type', async () => {
    expect(await refusalOf(() => readForm(post('Content-Length', '3'), arriving('a=b')))).toBe('body-type 415');
  });

  test('an encoded body', async () => {
    expect(await refused('a=b', 'Content-Encoding', 'gzip')).toBe('body-encoding 415');
    expect(await refused('a=b', 'Content-Encoding', 'identity')).toBe('accepted');
  });

  test.each([
    ['a field twice', 'a=1&a=1', 'body-duplicate-key 400'],
    ['a field without a name', '=1', 'body-malformed 400'],
    ['an empty field', 'a=1&&b=2', 'body-malformed 400'],
    ['an encoded name', '%61=1', 'body-malformed 400'],
    ['a name with a space', 'a+b=1', 'body-malformed 400'],
    ['half an escape', 'a=%4', 'body-malformed 400'],
    ['what is no escape', 'a=%zz', 'body-malformed 400'],
    ['bytes that are not UTF-8', 'a=%ff', 'body-malformed 400'],
    ['an overlong slash', 'a=%c0%af', 'body-malformed 400'],
    ['half a surrogate pair', 'a=%ed%a0%80', 'body-malformed 400'],
    ['a NUL', 'a=%00', 'body-malformed 400'],
    ['a line break', 'a=%0d%0a', 'body-malformed 400'],
    ['a raw line break', 'a=1\r\n', 'body-malformed 400'],
    ['a raw space', 'a=1 2', 'body-malformed 400'],
    ['a second equals sign', 'a=1=2', 'body-malformed 400'],
    ['markup', 'a=<b>', 'body-malformed 400'],
    ['51 fields', Array.from({ length: 51 }, (_, at) => `f${at}=`).join('&'), 'body-malformed 400'],
  ])('%s', async (_what, text, refusal) => {
    expect(await refused(text)).toBe(refusal);
  });

  test('raw bytes above ASCII, which would be read by another alphabet', async () => {
    const bytes = Buffer.from('a=é');
    const request = post('Content-Type', TYPE, 'Content-Length', String(bytes.length));
    expect(await refusalOf(() => readForm(request, arriving(bytes)))).toBe('body-malformed 400');
  });
});

describe('the size', () => {
  const largest = `a=${'x'.repeat(65_534)}`;

  test('is 64 KiB at most, announced or not', async () => {
    expect(await refused(largest)).toBe('accepted');
    expect(await refused(`${largest}x`)).toBe('body-too-large 413');
    const chunked = post('Content-Type', TYPE, 'Transfer-Encoding', 'chunked');
    expect(await refusalOf(() => readForm(chunked, arriving(largest)))).toBe('accepted');
    expect(await refusalOf(() => readForm(chunked, arriving(largest, 'x')))).toBe('body-too-large 413');
  });

  test('of what is announced as too large is not waited for', async () => {
    const never: AsyncIterable<Buffer> = {
      [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => undefined) }),
    };
    const request = post('Content-Type', TYPE, 'Content-Length', '65537');
    expect(await refusalOf(() => readForm(request, never))).toBe('body-too-large 413');
  });

  test('must be what was announced', async () => {
    const request = post('Content-Type', TYPE, 'Content-Length', '5');
    expect(await refusalOf(() => readForm(request, arriving('a=b')))).toBe('body-incomplete 400');
    expect(await refusalOf(() => readForm(request, undefined))).toBe('body-incomplete 400');
  });

  test('a connection that breaks off is told from a form that ends, and a refusal stays what it is', async () => {
    async function* breaking(cause: Error): AsyncGenerator<Buffer> {
      yield Buffer.from('a=');
      throw cause;
    }
    const request = post('Content-Type', TYPE, 'Transfer-Encoding', 'chunked');
    expect(await refusalOf(() => readForm(request, breaking(new Error('reset'))))).toBe('body-incomplete 400');
    const ending = breaking(new Rejection('shutting-down', 'x'));
    expect(await refusalOf(() => readForm(request, ending))).toBe('shutting-down 503');
  });
});
