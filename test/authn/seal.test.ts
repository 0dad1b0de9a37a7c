import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sealer } from '../../src/authn/seal.ts';

const [first, second, third] = [randomBytes(32), randomBytes(48), randomBytes(32)];
const { seal, open } = sealer([first]);

test('what is sealed is opened by the same secret for the same purpose', () => {
  fc.assert(
    fc.property(fc.string(), fc.string({ unit: 'grapheme' }), (purpose, text) => {
      const sealed = seal(purpose, text);
      expect(sealed).toMatch(/^[A-Za-z0-9_-]+$/);
      expect(open(purpose, sealed)).toBe(text);
    }),
  );
});

test('one text is never sealed the same way twice, and does not show', () => {
  const sealed = Array.from({ length: 1000 }, () => seal('p', 'PRIVATE'));
  expect(new Set(sealed).size).toBe(1000);
  // Another key and nonce each time: what is equal in the text is not equal in what is sealed.
  const bodies = sealed.map((one) => Buffer.from(one, 'base64url').subarray(17, 21).toString('hex'));
  expect(new Set(bodies).size).toBeGreaterThan(990);
  expect(sealed.some((one) => Buffer.from(one, 'base64url').includes('PRIVATE'))).toBe(false);
});

describe('opens to nothing', () => {
  const sealed = seal('p', 'text');

  test('for another purpose, however like it', () => {
    for (const purpose of ['', 'P', 'p ', 'p\0', 'pp', 'jaaz-gateway p']) expect(open(purpose, sealed)).toBeUndefined();
  });

  test('with another secret', () => {
    expect(sealer([second]).open('p', sealed)).toBeUndefined();
    expect(sealer([second, third]).open('p', sealed)).toBeUndefined();
  });

  test('with any one bit turned', () => {
    const bytes = Buffer.from(sealed, 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const turned = Buffer.from(bytes);
      turned[bit >> 3] = (turned[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(open('p', turned.toString('base64url'))).toBeUndefined();
    }
  });

  test('cut, prolonged, spelt in another way, or never sealed', () => {
    for (let length = 0; length < sealed.length; length += 1)
      expect(open('p', sealed.slice(0, length))).toBeUndefined();
    const like = Buffer.from(sealed, 'base64url').toString('base64');
    for (const other of [
      `${sealed}A`,
      `${sealed}AAAA`,
      `${sealed}=`,
      ` ${sealed}`,
      `${sealed}\n`,
      '{}',
      'é',
      `${like}!`,
    ])
      expect(open('p', other)).toBeUndefined();
  });

  test('of two sealed texts put together from halves', () => {
    const [one, other] = [Buffer.from(sealed, 'base64url'), Buffer.from(seal('p', 'TEXT'), 'base64url')];
    for (const at of [9, 17, one.length - 16])
      expect(open('p', Buffer.concat([one.subarray(0, at), other.subarray(at)]).toString('base64url'))).toBeUndefined();
  });
});

describe('secrets rotate', () => {
  test('the first seals, all of them open', () => {
    const before = sealer([first]).seal('p', 'old');
    const both = sealer([second, first]);
    const now = both.seal('p', 'new');
    expect([both.open('p', before), both.open('p', now)]).toEqual(['old', 'new']);
    const after = sealer([third, second]);
    expect([after.open('p', before), after.open('p', now)]).toEqual([undefined, 'new']);
    expect(sealer([first]).open('p', now)).toBeUndefined();
  });

  test('none, or one that is too short, is a fault at the start', () => {
    expect(() => sealer([])).toThrow(TypeError);
    expect(() => sealer([first, randomBytes(31)])).toThrow(/32 bytes/);
  });
});
