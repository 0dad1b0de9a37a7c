import { expect, test } from 'vitest';
import { seen } from '../../src/cli/seen.ts';

test('what can be read stays as it is', () => {
  expect(seen('corp|Ännchen 🙂 "x"')).toBe('corp|Ännchen 🙂 "x"');
});

test('what steers a terminal, or hides or turns text around, is spelt out', () => {
  expect(seen('a\u001b[2J\u0000\u202eb\u200b\u2028\u{e0041}')).toBe(
    'a\\u001b[2J\\u0000\\u202eb\\u200b\\u2028\\udb40\\udc41',
  );
});
