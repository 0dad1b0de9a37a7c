import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { apiKeyDigest, apiKeyId, looksLikeApiKey, newApiKey } from '../../src/authn/api-key-text.ts';

describe('a new key', () => {
  test('is of the form that the documentation gives to scanners, and names its id', () => {
    const { id, text } = newApiKey();
    expect(text).toMatch(/^jgk_[0-9a-f]{12}_[A-Za-z0-9_-]{51}$/);
    expect(text.slice(4, 16)).toBe(id);
    expect(apiKeyId(text)).toBe(id);
  });

  test('is another one each time', () => {
    const keys = Array.from({ length: 200 }, newApiKey);
    expect(new Set(keys.map(({ id }) => id)).size).toBe(200);
    expect(new Set(keys.map(({ text }) => text.slice(17, 60))).size).toBe(200);
  });

  test('has a secret of 256 bits', () => {
    const bytes = Array.from({ length: 50 }, () => Buffer.from(newApiKey().text.slice(17, 60), 'base64url'));
    expect(new Set(bytes.map(({ length }) => length))).toEqual(new Set([32]));
    // Each bit is set in some key and not in another: none of them is always the same.
    const ones = Buffer.alloc(32);
    const zeros = Buffer.alloc(32);
    for (const secret of bytes) {
      for (const [index, byte] of secret.entries()) {
        ones[index] = (ones[index] ?? 0) | byte;
        zeros[index] = (zeros[index] ?? 0) | ~byte;
      }
    }
    expect([ones, zeros]).toEqual([Buffer.alloc(32, 255), Buffer.alloc(32, 255)]);
  });
});

describe('a text that only looks like a key', () => {
  const { text } = newApiKey();

  test('is told by its checksum: any one character that is changed, left out, doubled or exchanged with its neighbour', () => {
    for (let index = 4; index < text.length; index += 1) {
      const [before, one, two, after] = [
        text.slice(0, index),
        text[index] ?? '',
        text[index + 1] ?? '',
        text.slice(index + 2),
      ];
      const other = one === '0' ? '1' : '0';
      const wrong = [
        before + other + two + after,
        before + two + after,
        before + one + one + two + after,
        before + two + one + after,
      ];
      for (const attempt of wrong) if (attempt !== text) expect(apiKeyId(attempt), attempt).toBeUndefined();
    }
  });

  test.each(['', 'jgk_', 'jgk__', text.toUpperCase(), ` ${text}`, `${text}\n`, `${text}${text}`, text.slice(4)])(
    'is none: %j',
    (attempt) => {
      expect(apiKeyId(attempt)).toBeUndefined();
    },
  );

  test('is meant to be one by its beginning, however that is written', () => {
    for (const token of [text, 'jgk_', 'JGK_x', 'jGk_']) expect(looksLikeApiKey(token)).toBe(true);
    for (const token of ['', 'jgk', 'xjgk_', 'jgk-1', 'a.b.c']) expect(looksLikeApiKey(token)).toBe(false);
  });
});

test('the digest is that of the whole key, so that one row’s is of no use in another', () => {
  const { text } = newApiKey();
  expect(apiKeyDigest(text)).toEqual(createHash('sha256').update(text).digest());
});
