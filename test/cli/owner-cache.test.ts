import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openOwnerCache } from '../../src/cli/owner-cache.ts';
import { connectRedis, type RedisConnection } from '../../src/store/redis/connect.ts';
import { redisOwnershipCache } from '../../src/store/redis/ownership-cache.ts';
import { eventually } from '../support/eventually.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

const refs = ['c1', 'c2'].map((id) => ({ kind: 'canvas', id }));

let redis: TestRedis;
let gateway: RedisConnection;
beforeAll(async () => {
  redis = await startRedis();
  gateway = connectRedis({ url: redis.url });
  await gateway.settled();
});
beforeEach(() => redis.ask('FLUSHALL'));
afterAll(async () => {
  gateway.close();
  await redis.stop();
});

const open = async () => {
  const cache = await openOwnerCache(redis.url);
  if (cache === undefined) throw new Error('Redis is away');
  return cache;
};

test('has Redis forget what a gateway keeps there, and every gateway told', async () => {
  const theirs = redisOwnershipCache({ connection: gateway, maxAgeMillis: 60_000 });
  const heard: unknown[] = [];
  theirs.onInvalidate((news) => heard.push(news));
  await eventually(() => heard.includes('everything'));
  for (const ref of refs) theirs.fill(ref, 'a|x');
  expect(await theirs.get(refs)).toEqual(['a|x', 'a|x']);
  const cache = await open();
  expect(await cache.forget(refs, new Set(['a|x']))).toBe(true);
  expect(await theirs.get(refs)).toEqual([undefined, undefined]);
  await eventually(() => heard.length === 2);
  expect(heard[1]).toEqual(refs);
  // What was read from the ledger before the change comes too late.
  theirs.fill(refs[0] ?? { kind: '', id: '' }, 'a|x');
  expect(await theirs.get(refs)).toEqual([undefined, undefined]);
  cache.close();
});

test('says so when Redis does not forget', async () => {
  const theirs = redisOwnershipCache({ connection: gateway, maxAgeMillis: 60_000 });
  for (const ref of refs) theirs.fill(ref, 'a|x');
  expect(await theirs.get(refs)).toEqual(['a|x', 'a|x']);
  const cache = await open();
  await redis.ask('CONFIG SET maxmemory 1');
  expect(await cache.forget(refs, new Set(['a|x']))).toBe(false);
  expect(await cache.forget(refs, new Set(['another']))).toBe(true);
  await redis.ask('CONFIG SET maxmemory 0');
  expect(await cache.forget(refs, new Set(['a|x']))).toBe(true);
  cache.close();
});

test('says so when Redis goes away meanwhile, and that it cannot be reached at all', async () => {
  const cache = await open();
  await redis.kill();
  expect(await cache.forget(refs, new Set(['a|x']))).toBe(false);
  cache.close();
  expect(await openOwnerCache(redis.url)).toBeUndefined();
});
