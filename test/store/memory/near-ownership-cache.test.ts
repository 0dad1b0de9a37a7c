import { expect, test } from 'vitest';
import { nearOwnershipCache } from '../../../src/store/memory/near-ownership-cache.ts';

test('holds no more than its bound, and drops what was not read', () => {
  const cache = nearOwnershipCache({ maxEntries: 3, maxAgeMillis: 1000, now: () => 0 });
  for (const key of ['a', 'b', 'c']) cache.set(key, 'ann', cache.mark());
  cache.get('a');
  cache.set('d', 'ann', cache.mark());
  expect(cache.size).toBe(3);
  expect(['a', 'b', 'c', 'd'].map((key) => cache.get(key))).toEqual(['ann', undefined, 'ann', 'ann']);
  for (let index = 0; index < 100; index += 1) {
    cache.get('a');
    cache.set(`k${index}`, 'ann', cache.mark());
    expect(cache.size).toBe(3);
  }
  expect(cache.get('a')).toBe('ann');
});

test('forgets when the time is over, and does not prolong it by reading', () => {
  let time = 0;
  const cache = nearOwnershipCache({ maxEntries: 3, maxAgeMillis: 1000, now: () => time });
  cache.set('a', 'ann', cache.mark());
  time = 999;
  expect(cache.get('a')).toBe('ann');
  time = 1000;
  expect(cache.get('a')).toBeUndefined();
  expect(cache.size).toBe(0);
});

test.each(['delete', 'clear'] as const)('a %s defeats every fill that was under way', (how) => {
  const cache = nearOwnershipCache({ maxEntries: 3, maxAgeMillis: 1000 });
  const before = cache.mark();
  cache.set('a', 'ann', before);
  if (how === 'delete') cache.delete('a');
  else cache.clear();
  cache.set('a', 'ann', before);
  expect(cache.get('a')).toBeUndefined();
  cache.set('a', 'bob', cache.mark());
  expect(cache.get('a')).toBe('bob');
});

test('refuses bounds that bound nothing', () => {
  for (const bounds of [
    { maxEntries: 0, maxAgeMillis: 1 },
    { maxEntries: 1.5, maxAgeMillis: 1 },
    { maxEntries: 1, maxAgeMillis: 0 },
    { maxEntries: 1, maxAgeMillis: Number.NaN },
  ]) {
    expect(() => nearOwnershipCache(bounds)).toThrow(TypeError);
  }
});
