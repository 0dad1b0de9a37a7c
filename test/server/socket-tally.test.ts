import { expect, test } from 'vitest';
import { tally } from '../../src/server/socket-tally.ts';

test('counts up to its bound for each key, and forgets a key with its last', () => {
  const counts = tally(2);
  expect([counts.take('a'), counts.take('a'), counts.take('a'), counts.take('b')]).toEqual([true, true, false, true]);
  counts.give('a');
  expect(counts.take('a')).toBe(true);
  for (const key of ['a', 'a', 'b']) counts.give(key);
  expect(counts.keys).toBe(0);
});

test.each([0, -1, 1.5, Number.NaN])('refuses the bound %d', (max) => {
  expect(() => tally(max)).toThrow(TypeError);
});
