import { expect, test } from 'vitest';
import type { RateLimit } from '../../../src/model/limits.ts';
import { memoryLimiter } from '../../../src/store/memory/limiter.ts';

const limit = (name: string, perMillis: number): RateLimit => ({
  name,
  points: 1,
  perMillis,
  by: 'address',
  onFailedAuthentication: false,
});

test('holds no more keys of a limit than its bound, and drops what has passed before what counts', () => {
  let time = 0;
  const limiter = memoryLimiter({ maxEntries: 3, now: () => time });
  const take = (key: string): boolean => limiter.take([{ limit: { ...limit('one', 60_000), points: 2 }, key }]).allowed;
  take('b');
  time = 20_000;
  for (const key of ['a', 'a', 'c', 'c']) take(key);
  // What b has taken has passed by now, and only that.
  time = 31_000;
  take('d');
  take('d');
  expect(limiter.size).toBe(3);
  expect([take('a'), take('c'), take('d')]).toEqual([false, false, false]);
});

test('gives each limit room of its own: whoever fills one pushes nothing out of another', () => {
  const limiter = memoryLimiter({ maxEntries: 2, now: () => 0 });
  const take = (name: string, key: string): boolean => limiter.take([{ limit: limit(name, 60_000), key }]).allowed;
  take('failures', 'a');
  for (const key of ['b', 'c', 'd']) take('requests', key);
  expect(limiter.size).toBe(3);
  expect([take('failures', 'a'), take('requests', 'd')]).toEqual([false, false]);
});

test('forgets the keys of a limit that no policy has any more, when another comes and they have passed', () => {
  let time = 0;
  const limiter = memoryLimiter({ maxEntries: 9, now: () => time });
  const take = (one: RateLimit, key: string): boolean => limiter.take([{ limit: one, key }]).allowed;
  for (const key of ['a', 'b']) take(limit('old', 10), key);
  take(limit('longer', 60_000), 'a');
  time = 20;
  take(limit('new', 10), 'a');
  expect(limiter.size).toBe(2);
  expect(take(limit('longer', 60_000), 'a')).toBe(false);
});

test('drops the one that was counted longest ago when all count', () => {
  const limiter = memoryLimiter({ maxEntries: 3, now: () => 0 });
  const take = (key: string): boolean => limiter.take([{ limit: limit('long', 60_000), key }]).allowed;
  for (const key of ['a', 'b', 'c', 'd']) take(key);
  expect(limiter.size).toBe(3);
  expect([take('b'), take('c'), take('d')]).toEqual([false, false, false]);
  expect(take('a')).toBe(true);
});

test('answers at once, without a promise', () => {
  const verdict = memoryLimiter({ maxEntries: 1 }).take([{ limit: limit('long', 60_000), key: 'a' }]);
  expect(verdict.allowed).toBe(true);
});

test('refuses a bound that bounds nothing', () => {
  expect(() => memoryLimiter({ maxEntries: 0 })).toThrow(TypeError);
});
