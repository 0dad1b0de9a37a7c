/**
 * Redis stopped, silenced, emptied and never there: what a request is told, and how soon. With a real Redis that really
 * stops.
 */
import { performance } from 'node:perf_hooks';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RateLimit } from '../../../src/model/limits.ts';
import type { ResourceRef } from '../../../src/model/resource.ts';
import { memoryLimiter } from '../../../src/store/memory/limiter.ts';
import { memorySlots } from '../../../src/store/memory/slots.ts';
import { connectRedis, type RedisConnection } from '../../../src/store/redis/connect.ts';
import type { FallbackNotice } from '../../../src/store/redis/fallback.ts';
import { redisLimiter } from '../../../src/store/redis/limiter.ts';
import { redisOwnershipCache } from '../../../src/store/redis/ownership-cache.ts';
import { redisSlots } from '../../../src/store/redis/slots.ts';
import { layCable } from '../../support/cable.ts';
import { eventually } from '../../support/eventually.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';

const ten: RateLimit = { name: 'ten', points: 10, perMillis: 3_600_000, by: 'user', onFailedAuthentication: false };
const check = [{ limit: ten, key: 'ann' }];
const canvas = (id: string): ResourceRef => ({ kind: 'canvas', id });

let redis: TestRedis;
const connections: RedisConnection[] = [];
beforeEach(async () => {
  redis = await startRedis();
});
afterEach(async () => {
  for (const connection of connections.splice(0)) connection.close();
  redis.resume();
  await redis.stop();
});

function replica(url = redis.url) {
  const changes: string[] = [];
  const connection = connectRedis({ url, onChange: (usable) => changes.push(usable ? 'up' : 'down') });
  connections.push(connection);
  const notices: FallbackNotice[] = [];
  const notice = (one: FallbackNotice): void => void notices.push(one);
  const heard: Array<readonly ResourceRef[] | 'everything'> = [];
  const cache = redisOwnershipCache({ connection, maxAgeMillis: 60_000 });
  cache.onInvalidate((refs) => heard.push(refs));
  return {
    connection,
    cache,
    heard,
    changes,
    notices,
    limiter: redisLimiter({ connection, fallback: memoryLimiter({ maxEntries: 100 }), notice }),
    slots: redisSlots({ connection, fallback: memorySlots(), notice: () => undefined }),
  };
}

async function readyReplica(url = redis.url) {
  const one = replica(url);
  expect(await one.connection.settled()).toBe(true);
  await eventually(() => one.heard.length === 1);
  return one;
}

async function timed<T>(work: () => T | Promise<T>): Promise<{ value: T; millis: number }> {
  const start = performance.now();
  const value = await work();
  return { value, millis: performance.now() - start };
}

/** A loaded machine may be this much late with what it promised. */
const SLACK = 150;

describe.each([
  { how: 'killed', away: (): Promise<void> => redis.kill(), back: (): Promise<void> => redis.restart() },
  { how: 'silent', away: async (): Promise<void> => redis.pause(), back: async (): Promise<void> => redis.resume() },
])('when Redis is $how', ({ how, away, back }) => {
  test('limits fall to this replica’s own counters within 300 ms, then at once, and return', async () => {
    const { limiter, notices, connection, changes } = await readyReplica();
    expect(await limiter.take(check)).toMatchObject({ allowed: true, remaining: 9 });
    await away();
    const first = await timed(() => Promise.all([limiter.take(check), limiter.take(check)]));
    expect(first.millis).toBeLessThan(300 + SLACK);
    expect(first.value.map(({ remaining }) => remaining).sort()).toEqual([8, 9]);
    const then = await timed(async () => {
      for (let time = 0; time < 20; time += 1) await limiter.take(check);
    });
    expect(then.millis).toBeLessThan(20 * 5 + SLACK);
    expect(await limiter.take(check)).toMatchObject({ allowed: false, limit: ten });
    expect(notices).toMatchObject([{ counting: 'local' }]);
    await back();
    await eventually(() => connection.usable());
    await limiter.take(check);
    expect(notices.map(({ counting }) => counting)).toEqual(['local', 'redis']);
    expect(changes).toEqual(['up', 'down', 'up']);
  });

  test('the cache knows nothing, and takes no longer to say so', async () => {
    const { cache } = await readyReplica();
    cache.fill(canvas('c'), 'main|ann');
    expect(await cache.get([canvas('c')])).toEqual(['main|ann']);
    await away();
    const first = await timed(() => cache.get([canvas('c'), canvas('d')]));
    expect(first).toMatchObject({ value: [undefined, undefined] });
    expect(first.millis).toBeLessThan(300 + SLACK);
    const next = await timed(() => cache.get([canvas('c')]));
    expect(next.millis).toBeLessThan(5 + SLACK);
    cache.fill(canvas('c'), 'main|ann');
    expect((await timed(() => cache.invalidate([canvas('c')]))).millis).toBeLessThan(300 + SLACK);
  });

  test('what was changed meanwhile is forgotten before Redis is asked again', async () => {
    const [one, other] = [await readyReplica(), await readyReplica()];
    one.cache.fill(canvas('c'), 'main|former');
    expect(await one.cache.get([canvas('c')])).toEqual(['main|former']);
    await away();
    await one.cache.invalidate([canvas('c')]);
    one.cache.fill(canvas('c'), 'main|former');
    await back();
    await eventually(() => one.connection.usable());
    expect(await one.cache.get([canvas('c')])).toEqual([undefined]);
    one.cache.fill(canvas('c'), 'main|former');
    expect(await one.cache.get([canvas('c')])).toEqual([undefined]);
    await eventually(() => other.connection.usable());
    expect(await other.cache.get([canvas('c')])).toEqual([undefined]);
  });

  test('a listener hears that it may have missed something, on the loss and again on the return', async () => {
    const { heard } = await readyReplica();
    await away();
    await eventually(() => heard.length === 2);
    await back();
    await eventually(() => heard.length === 3);
    expect(heard).toEqual(['everything', 'everything', 'everything']);
  });

  test('slots fall to this replica’s own, which remember whom it let in', async () => {
    const { slots } = await readyReplica();
    const acquire = (member: string) => slots.acquire({ key: 'ann', member, max: 2, timeoutMillis: 60_000 });
    expect(await acquire('r1')).toBe(true);
    await away();
    const first = await timed(() => acquire('r2'));
    expect(first.value).toBe(true);
    expect(first.millis).toBeLessThan(300 + SLACK);
    expect(await acquire('r3')).toBe(false);
    await slots.release('ann', 'r1');
    expect(await acquire('r3')).toBe(true);
  });

  test(`decides at once for a replica that starts while it is ${how}`, async () => {
    await away();
    const { connection, limiter, cache, changes } = replica();
    const first = await timed(() => limiter.take(check));
    expect(first.value).toMatchObject({ allowed: true });
    expect(first.millis).toBeLessThan(SLACK);
    expect(await cache.get([canvas('c')])).toEqual([undefined]);
    expect(await connection.settled()).toBe(false);
    await back();
    await eventually(() => connection.usable());
    expect(changes).toEqual(['up']);
    expect(await limiter.take(check)).toMatchObject({ remaining: 9 });
  });
});

test('FLUSHALL and SCRIPT FLUSH lose what was counted and remembered, and nothing else', async () => {
  const { cache, limiter, slots, notices } = await readyReplica();
  cache.fill(canvas('c'), 'main|ann');
  for (let time = 0; time < 5; time += 1) await limiter.take(check);
  await redis.ask('FLUSHALL');
  await redis.ask('SCRIPT FLUSH');
  expect(await cache.get([canvas('c')])).toEqual([undefined]);
  expect(await limiter.take(check)).toMatchObject({ allowed: true, remaining: 9 });
  expect(await slots.acquire({ key: 'ann', member: 'r', max: 1, timeoutMillis: 1000 })).toBe(true);
  expect(notices).toEqual([]);
});

test('a Redis that refuses writes leaves limits to this replica, and the connection alone', async () => {
  const { limiter, notices, connection, changes } = await readyReplica();
  await redis.ask('CONFIG SET maxmemory 1');
  expect(await limiter.take(check)).toMatchObject({ allowed: true, remaining: 9 });
  expect(notices).toMatchObject([{ counting: 'local', detail: expect.stringContaining('OOM') }]);
  expect(connection.usable()).toBe(true);
  expect(changes).toEqual(['up']);
});

test('thousand calls that time out together are one outage, and none is sent again', async () => {
  const { connection, changes } = await readyReplica();
  redis.pause();
  const calls = Array.from({ length: 1000 }, () => connection.call('INCR', 'count'));
  const { millis, value } = await timed(() => Promise.allSettled(calls));
  expect(millis).toBeLessThan(300 + SLACK);
  expect(value.every(({ status }) => status === 'rejected')).toBe(true);
  await expect(connection.call('INCR', 'count')).rejects.toThrow(/not usable/);
  redis.resume();
  await eventually(() => connection.usable());
  expect(Number(await connection.call('GET', 'count'))).toBeLessThanOrEqual(1000);
  expect(changes).toEqual(['up', 'down', 'up']);
});

test('what one replica could not tell while its cable was pulled, it tells when it is plugged in', async () => {
  const cable = await layCable(redis.port);
  const cut = await readyReplica(`redis://127.0.0.1:${cable.port}`);
  const other = await readyReplica();
  other.cache.fill(canvas('c'), 'main|former');
  expect(await cut.cache.get([canvas('c')])).toEqual(['main|former']);
  cable.pull();
  await cut.cache.invalidate([canvas('c')]);
  await eventually(() => cut.heard.length === 2);
  expect(await other.cache.get([canvas('c')])).toEqual(['main|former']);
  cable.plug();
  await eventually(() => other.heard.length === 2);
  expect(other.heard[1]).toEqual([canvas('c')]);
  expect(await other.cache.get([canvas('c')])).toEqual([undefined]);
  await cable.close();
});
