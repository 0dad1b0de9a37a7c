import { describe, expect, test } from 'vitest';
import { type LongText, malformed, readWindow } from '../../src/body/json-text.ts';
import { refusalOf } from '../support/bodies.ts';

/** Reads the string whose opening quote is the first byte, and returns it with the place behind it. */
function readWhole(bytes: Buffer): { text: string; at: number; windows: number } {
  const text: LongText = { pieces: [], at: 1, done: false };
  let windows = 0;
  while (!text.done) {
    readWindow(bytes, text);
    windows += 1;
  }
  return { text: text.pieces.join(''), at: text.at, windows };
}

describe('a long string', () => {
  test('is read in windows, and ends behind its closing quote', () => {
    const content = 'é'.repeat(100_000);
    expect(readWhole(Buffer.from(`"${content}",1`))).toEqual({ text: content, at: 200_002, windows: 4 });
    expect(readWhole(Buffer.from('"a\\"b"]'))).toEqual({ text: 'a"b', at: 6, windows: 1 });
  });

  test('does not take the escapes of the next string for its own', () => {
    expect(readWhole(Buffer.from('"ab","\\x"'))).toEqual({ text: 'ab', at: 4, windows: 1 });
  });

  test.each(['"ab', '"ab\\', '"a\nb"', '"\\q"', '"\\u12g4"', '"\\ud800"', '"\\udc00"', '"\\n\u0001"'])(
    'is refused as %j',
    async (text) => {
      expect(await refusalOf(() => readWhole(Buffer.from(text)))).toBe('body-malformed 400');
    },
  );
});

test('a refusal tells the place', () => {
  expect(malformed('a lone comma', 7).message).toBe('a lone comma, at 7');
});
