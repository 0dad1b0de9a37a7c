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

test('holds no more than its bound, and drops what has passed before what counts', () => {
  let time = 0;
  const limiter = memoryLimiter({ maxEntries: 3, now: () => time });
  const [long, short] = [limit('long', 60_000), limit('short', 10)];
  const take = (one: RateLimit, key: string): boolean => limiter.take([{ limit: one, key }]).allowed;
  take(long, 'a');
  take(short, 'b');
  take(long, 'c');
  time = 20;
  take(long, 'd');
  expect(limiter.size).toBe(3);
  expect([take(long, 'a'), take(long, 'c'), take(long, 'd')]).toEqual([false, false, false]);
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
