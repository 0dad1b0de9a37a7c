import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_TEXT_BYTES, stringEnd, textBetween } from '../../src/filter/json-string.ts';

/** The same, byte by byte. */
const slowEnd = (bytes: Buffer, from: number): number => {
  let at = from;
  while (at < bytes.length && bytes[at] !== 0x22) at += bytes[at] === 0x5c ? 2 : 1;
  return at;
};

describe('the end of a string', () => {
  test('is its first quote that no backslash escapes, near and far', () => {
    const piece = fc.oneof(
      fc.constantFrom('"', '\\', '\\"', '\\\\'),
      fc.integer({ min: 0, max: 120 }).map((length) => 'x'.repeat(length)),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), fc.nat({ max: 3 }), (pieces, from) => {
        const bytes = Buffer.from(pieces.join(''));
        expect(stringEnd(bytes, from)).toBe(slowEnd(bytes, from));
      }),
      { numRuns: 2_000 },
    );
  });

  test('is beyond the chunk when it is not there, one further when the next byte is escaped', () => {
    for (const length of [0, 1, 47, 48, 49, 500]) {
      const text = 'x'.repeat(length);
      expect(stringEnd(Buffer.from(text), 0)).toBe(length);
      expect(stringEnd(Buffer.from(`${text}\\`), 0)).toBe(length + 2);
      expect(stringEnd(Buffer.from(`${text}\\\\`), 0)).toBe(length + 2);
      expect(stringEnd(Buffer.from(`${text}\\\\\\`), 0)).toBe(length + 4);
    }
  });
});

const unit = fc.constantFrom('a', '~', '"', '\\', '/', '\n', '\0', '\u007f', 'é', '日', '\u{1f600}');

const between = (bytes: Buffer): string | undefined => textBetween(bytes, 1, bytes.length - 1);

describe('the text of a string', () => {
  test('is what a parser reads', () => {
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 60 }), (units) => {
        const text = units.join('');
        expect(between(Buffer.from(JSON.stringify(text)))).toBe(text);
      }),
      { numRuns: 500 },
    );
    expect(between(Buffer.from('"\\u0061\\ud83d\\ude00\\n"'))).toBe('a\u{1f600}\n');
  });

  test.each([
    ['a bad escape', '"\\x61"'],
    ['a control character', '"a\nb"'],
    ['half an escape', '"\\u00"'],
  ])('is none where there is %s', (_what, text) => {
    expect(between(Buffer.from(text))).toBeUndefined();
  });

  test('is none where it is not UTF-8, or too long', () => {
    expect(between(Buffer.from([0x22, 0xc3, 0x28, 0x22]))).toBeUndefined();
    expect(between(Buffer.from(`"${'a'.repeat(MAX_TEXT_BYTES)}"`))).toHaveLength(MAX_TEXT_BYTES);
    expect(between(Buffer.from(`"${'a'.repeat(MAX_TEXT_BYTES + 1)}"`))).toBeUndefined();
  });
});
