import { describe, expect, test } from 'vitest';
import { type Circumstances, conditions } from '../../src/model/condition.ts';

const nothing: Circumstances = { canonical: undefined, body: undefined, principal: undefined };
const yes = () => true;
const no = () => false;

describe('a condition that cannot be answered does not hold', () => {
  test.each([
    ['role', conditions.role('a')],
    ['header', conditions.header('a', new Set(['']))],
    ['query', conditions.query('a', new Set(['']))],
    ['body', conditions.body(['a'], new Set([null]))],
    ['present', conditions.present(['a'], true)],
  ])('%s', (_name, condition) => {
    expect(condition(nothing)).toBe(false);
  });
});

test('all, any and not join others', () => {
  const { all, not } = conditions;
  const some = conditions.any;
  expect(
    [all([yes, yes]), all([yes, no]), some([no, yes]), some([no]), not(yes), not(no)].map((one) => one(nothing)),
  ).toEqual([...[true, false, true, false, false, true]]);
});

test('a property that is inherited is none', () => {
  const body = { a: 1 };
  expect(conditions.present(['toString'], true)({ ...nothing, body })).toBe(false);
});
