import { expect, test } from 'vitest';
import { boundedRows, byCount, OTHERS, ordered } from '../../src/audit/rows.ts';

const rowsOf = (...keys: readonly string[]) => {
  const rows = boundedRows(2, () => ({ key: OTHERS, count: 0 }));
  for (const key of keys) rows.of(key, () => ({ key, count: 0 })).count += 1;
  return rows;
};

test('a key has one row, however often it is named', () => {
  expect(ordered(rowsOf('a', 'b', 'b'), byCount)).toEqual([
    { key: 'b', count: 2 },
    { key: 'a', count: 1 },
  ]);
  expect(rowsOf('a').others()).toBeUndefined();
});

test('what comes when there is no room is counted together, last in the list', () => {
  const rows = rowsOf('a', 'b', 'c', 'd', 'c', 'a');
  expect(ordered(rows, byCount)).toEqual([
    { key: 'a', count: 2 },
    { key: 'b', count: 1 },
    { key: OTHERS, count: 3 },
  ]);
  expect(rows.list()).toHaveLength(2);
});
