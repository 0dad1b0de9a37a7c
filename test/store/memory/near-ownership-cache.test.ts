import { expect, test } from 'vitest';
import type { ResourceRef } from '../../../src/model/resource.ts';
import { nearOwnershipCache } from '../../../src/store/memory/near-ownership-cache.ts';

const ref = (id: string): ResourceRef => ({ kind: 'canvas', id });

test('holds no more than its bound, and drops what was not read', () => {
  const cache = nearOwnershipCache({ maxEntries: 3, maxAgeMillis: 1000, now: () => 0 });
  for (const key of ['a', 'b', 'c']) cache.set(ref(key), 'ann', cache.mark());
  cache.get(ref('a'));
  cache.set(ref('d'), 'ann', cache.mark());
  expect(cache.size).toBe(3);
  expect(['a', 'b', 'c', 'd'].map((key) => cache.get(ref(key)))).toEqual(['ann', undefined, 'ann', 'ann']);
  for (let index = 0; index < 100; index += 1) {
    cache.get(ref('a'));
    cache.set(ref(`k${index}`), 'ann', cache.mark());
    expect(cache.size).toBe(3);
  }
  expect(cache.get(ref('a'))).toBe('ann');
});

test('of two kinds one id is two things, and each kind has its own bound', () => {
  const cache = nearOwnershipCache({ maxEntries: 1, maxAgeMillis: 1000 });
  const file = { kind: 'file', id: 'a' };
  cache.set(ref('a'), 'ann', cache.mark());
  expect(cache.get(file)).toBeUndefined();
  cache.set(file, 'bob', cache.mark());
  expect([cache.get(ref('a')), cache.get(file), cache.size]).toEqual(['ann', 'bob', 2]);
  cache.delete(file);
  expect([cache.get(ref('a')), cache.get(file)]).toEqual(['ann', undefined]);
});

test('forgets when the time is over, and does not prolong it by reading', () => {
  let time = 0;
  const cache = nearOwnershipCache({ maxEntries: 3, maxAgeMillis: 1000, now: () => time });
  cache.set(ref('a'), 'ann', cache.mark());
  time = 999;
  expect(cache.get(ref('a'))).toBe('ann');
  time = 1000;
  expect(cache.get(ref('a'))).toBeUndefined();
  expect(cache.size).toBe(0);
});

test.each(['delete', 'clear'] as const)('a %s defeats every fill that was under way', (how) => {
  const cache = nearOwnershipCache({ maxEntries: 3, maxAgeMillis: 1000 });
  const before = cache.mark();
  cache.set(ref('a'), 'ann', before);
  if (how === 'delete') cache.delete(ref('a'));
  else cache.clear();
  cache.set(ref('a'), 'ann', before);
  expect(cache.get(ref('a'))).toBeUndefined();
  cache.set(ref('a'), 'bob', cache.mark());
  expect(cache.get(ref('a'))).toBe('bob');
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
