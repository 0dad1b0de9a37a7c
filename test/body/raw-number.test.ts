import { expect, test } from 'vitest';
import { isRawNumber, rawNumber } from '../../src/body/raw-number.ts';

test('is written as it is spelt', () => {
  expect(JSON.stringify({ n: rawNumber('1.0') })).toBe('{"n":1.0}');
});

test('is told from everything that a body can hold', () => {
  expect(isRawNumber(rawNumber('1.0'))).toBe(true);
  for (const value of [{ rawJSON: '1.0' }, 1, '1.0', null, true, [], {}]) expect(isRawNumber(value)).toBe(false);
});
