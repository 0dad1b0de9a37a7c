import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { binaryPayloads, type Decoder, takeAttachments } from '../../src/upstream/attachments.ts';

const PLACEHOLDER = (num: number) => ({ _placeholder: true, num });

describe('attachments', () => {
  test('are taken out wherever they are, and placeholders with their numbers are in their places', () => {
    const [a, b, c] = [Buffer.from('a'), Buffer.from('b'), Buffer.from('c')];
    const payload = { a, list: [1, b, [null, { c, text: 'x' }]], rest: null };
    const attachments = takeAttachments(payload);
    expect(attachments).toHaveLength(3);
    const of = (part: Buffer) => PLACEHOLDER(attachments.indexOf(part));
    expect(payload).toEqual({ a: of(a), list: [1, of(b), [null, { c: of(c), text: 'x' }]], rest: null });
  });

  test('are found under every name, and in any depth', () => {
    const part = Buffer.from('x');
    const payload = JSON.parse('{"__proto__":{"y":1},"constructor":1}');
    Object.defineProperty(payload, '__proto__', { value: part, enumerable: true, writable: true, configurable: true });
    expect(takeAttachments(payload)).toEqual([part]);
    expect(JSON.stringify(payload)).toBe('{"__proto__":{"_placeholder":true,"num":0},"constructor":1}');
    expect(Object.getPrototypeOf(payload)).toBe(Object.prototype);
    let deep: object = { part };
    for (let depth = 0; depth < 100_000; depth += 1) deep = { deep };
    expect(takeAttachments(deep)).toEqual([part]);
  });

  test('put back in the places of their placeholders are the payload that was', () => {
    const leaf = fc.oneof(
      fc.string(),
      fc.integer(),
      fc.constant(null),
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    );
    const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
      tree: fc.oneof({ maxDepth: 4 }, leaf, fc.array(tie('tree')), fc.dictionary(fc.string(), tie('tree'))),
    }));
    const putBack = (value: unknown, parts: readonly Buffer[]): unknown => {
      if (Array.isArray(value)) return value.map((one) => putBack(one, parts));
      if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value;
      if ('_placeholder' in value && 'num' in value) return parts[Number(value.num)];
      return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, putBack(one, parts)]));
    };
    fc.assert(
      fc.property(fc.dictionary(fc.string(), tree), (payload) => {
        const before = putBack(payload, []);
        const parts = takeAttachments(payload);
        expect(JSON.stringify(payload)).not.toContain('"type":"Buffer"');
        expect(putBack(payload, parts)).toEqual(before);
      }),
    );
  });
});

/** A decoder that puts nothing together: a packet is complete when `done` comes. */
const decoder = () => {
  const listeners: Array<(packet: { readonly data?: unknown }) => void> = [];
  const added: unknown[] = [];
  const fake: Decoder = {
    opts: { maxAttachments: 10 },
    add: (data) => void added.push(data),
    on: (_, listener) => listeners.push(listener),
  };
  return {
    fake,
    added,
    done(...data: unknown[]): void {
      for (const listener of listeners) listener({ data });
    },
  };
};

describe('a payload', () => {
  test('is known to have parts when its packet ended with one, once', () => {
    const { fake, done, added } = decoder();
    const isBinary = binaryPayloads(fake, { maxRead: 7, maxBytes: 10 });
    const [plain, binary] = [{}, {}];
    fake.add('text');
    done('e', plain);
    fake.add('text');
    fake.add(Buffer.from('x'));
    done('e', binary);
    fake.add('text');
    done('e', plain);
    done('e', 'x');
    expect([isBinary(plain), isBinary(binary), isBinary(binary)]).toEqual([false, true, false]);
    expect([fake.opts.maxAttachments, added.length]).toEqual([7, 4]);
  });

  test('that has no parts is not even looked up', () => {
    const { fake, done } = decoder();
    const isBinary = binaryPayloads(fake, { maxRead: 7, maxBytes: 10 });
    const payload = new Proxy({}, { ownKeys: () => expect.fail('searched') });
    fake.add('text');
    done('e', payload);
    expect(isBinary(payload)).toBe(false);
  });

  test('of packets that are no events, or of nothing, does no harm', () => {
    const { fake, done } = decoder();
    const isBinary = binaryPayloads(fake, { maxRead: 7, maxBytes: 10 });
    fake.add(Buffer.from('x'));
    done();
    done('e', null);
    done('e', Buffer.from('x'));
    expect(isBinary({})).toBe(false);
  });

  test('has so many bytes of parts: what is more is not read', () => {
    const { fake, added } = decoder();
    binaryPayloads(fake, { maxRead: 7, maxBytes: 10 });
    for (const data of ['text', Buffer.alloc(6), 'text', Buffer.alloc(6)]) fake.add(data);
    expect(() => fake.add(Buffer.alloc(6))).toThrow(RangeError);
    expect(added).toHaveLength(4);
  });
});
