import { describe, expect, test } from 'vitest';
import { condition } from '../../src/policy/schema-condition.ts';

describe('a condition', () => {
  test.each([
    [{ role: 'a' }],
    [{ header: 'a', is: 'b' }],
    [{ query: 'a', 'one-of': ['b'] }],
    [{ body: 'a', is: 1 }],
    [{ body: 'a', present: false }],
    [{ all: [{ any: [{ not: { role: 'a' } }] }] }],
  ])('is %j', (written) => {
    expect(condition.safeParse(written).success).toBe(true);
  });

  test.each([
    [{}],
    [{ role: 'a', header: 'b', is: 'c' }],
    [{ header: 'a', is: 1 }],
    [{ header: 'A', is: 'b' }],
    [{ body: 'a', is: {} }],
    [{ any: [] }],
    [{ not: [{ role: 'a' }] }],
    [{ expression: 'user.id == 1' }],
  ])('is not %j', (written) => {
    expect(condition.safeParse(written).success).toBe(false);
  });
});
