/** What the contract's suite cannot ask: a Redis that reads and does not write, and messages of unknown making. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { SharedOwnershipCache } from '../../../src/authz/ownership.ts';
import type { ResourceRef } from '../../../src/model/resource.ts';
import { connectRedis, type RedisConnection } from '../../../src/store/redis/connect.ts';
import { redisOwnershipCache } from '../../../src/store/redis/ownership-cache.ts';
import { eventually } from '../../support/eventually.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';

const canvas = (id: string): ResourceRef => ({ kind: 'canvas', id });

let redis: TestRedis;
let connection: RedisConnection;
let cache: SharedOwnershipCache;
let heard: Array<readonly ResourceRef[] | 'everything'>;
beforeEach(async () => {
  redis = await startRedis();
  connection = connectRedis({ url: redis.url, keyPrefix: 'p:' });
  cache = redisOwnershipCache({ connection, maxAgeMillis: 60_000 });
  heard = [];
  cache.onInvalidate((refs) => heard.push(refs));
  await connection.settled();
  await eventually(() => heard.length === 1);
});
afterEach(async () => {
  connection.close();
  await redis.stop();
});

test('does not believe a Redis that refused to forget, until it has forgotten', async () => {
  cache.fill(canvas('c'), 'main|former');
  expect(await cache.get([canvas('c')])).toEqual(['main|former']);
  const keys = (await connection.call('KEYS', 'p:owner:*')) as string[];
  const inRedis = async () => await connection.call('GET', String(keys[0]));
  await redis.ask('CONFIG SET maxmemory 1');
  await cache.invalidate([canvas('c')]);
  expect(await inRedis()).toBe('+main|former');
  expect(await cache.get([canvas('c')])).toEqual([undefined]);

  await redis.ask('CONFIG SET maxmemory 0');
  await connection.call('DEL', String(keys[0]));
  cache.fill(canvas('c'), 'main|former');
  expect(await inRedis()).toBeNull();

  await cache.invalidate([canvas('other')]);
  expect(await inRedis()).toBe('-');
  cache.fill(canvas('c'), 'main|former');
  expect(await cache.get([canvas('c')])).toEqual([undefined]);
});

test('forgets everything upon a message that it cannot read', async () => {
  for (const [index, message] of ['nonsense', '[]', '{}', '{"refs":1}', '{"refs":[null]}', 'null'].entries()) {
    await redis.ask(`PUBLISH p:owner-changed '${message}'`);
    await eventually(() => heard.length === index + 2);
  }
  expect(new Set(heard)).toEqual(new Set(['everything']));
});

test('does not hear itself', async () => {
  await cache.invalidate([canvas('mine')]);
  await redis.ask(`PUBLISH p:owner-changed '{"from":"another","refs":[{"kind":"canvas","id":"theirs"}]}'`);
  await eventually(() => heard.length === 2);
  expect(heard[1]).toEqual([canvas('theirs')]);
});

test.each([0, -1, 1.5, Number.NaN])('refuses %d ms as an age', (maxAgeMillis) => {
  expect(() => redisOwnershipCache({ connection, maxAgeMillis })).toThrow(TypeError);
});
