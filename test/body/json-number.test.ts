import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { numberAt, numberEnd } from '../../src/body/json-number.ts';
import { refusalOf } from '../support/bodies.ts';

const written = (text: string): string => {
  const bytes = Buffer.from(`[${text}]`);
  const end = numberEnd(bytes, 1);
  expect(end).toBe(bytes.length - 1);
  return JSON.stringify(numberAt(bytes, 1, end));
};

describe('a number', () => {
  test.each([
    '0',
    '-0',
    '7',
    '-1.50',
    '1E+2',
    '1e-7',
    '123456789012345',
    '9007199254740993',
    '1e21',
    '100000000000000000000',
  ])('%s is written as it was read', (text) => {
    expect(written(text)).toBe(text);
  });

  test('of any value is written as it was read, and is a plain number where JavaScript writes it so', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const text = JSON.stringify(value);
        expect(written(text)).toBe(text);
        const bytes = Buffer.from(text);
        expect(numberAt(bytes, 0, numberEnd(bytes, 0))).toBe(Object.is(value, -0) ? 0 : value);
      }),
    );
  });

  test.each(['-', '-x', '.5', '1.', '1.e2', '1e', '1e+', '+1', 'x'])('%s is malformed', async (text) => {
    expect(await refusalOf(() => numberEnd(Buffer.from(text), 0))).toBe('body-malformed 400');
  });

  test('ends where its grammar ends', () => {
    expect(numberEnd(Buffer.from('012'), 0)).toBe(1);
    expect(numberEnd(Buffer.from('1.5.2'), 0)).toBe(3);
  });

  test.each(['1e309', '-1e309'])('%s is out of range', async (text) => {
    expect(await refusalOf(() => written(text))).toBe('body-number 400');
  });
});
