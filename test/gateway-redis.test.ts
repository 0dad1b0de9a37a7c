import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withRedis } from '../src/gateway-redis.ts';
import { memoryLimiter } from '../src/store/memory/limiter.ts';
import { memoryRevocations } from '../src/store/memory/revocations.ts';
import { memorySlots } from '../src/store/memory/slots.ts';
import { createLog } from '../src/telemetry/log.ts';
import { eventually } from './support/eventually.ts';
import { startRedis, type TestRedis } from './support/redis.ts';

let redis: TestRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

const canvas = { kind: 'canvas', id: 'c' };
const limit = { name: 'l', points: 2, perMillis: 60_000, by: 'user', onFailedAuthentication: false } as const;
const open = (url: string) =>
  withRedis({
    url,
    fallback: { limiter: memoryLimiter({ maxEntries: 10 }), slots: memorySlots() },
    revocations: memoryRevocations(),
    ownerAgeMillis: 30_000,
    log: createLog({ level: 'error', file: '/dev/null' }),
  });

describe('two replicas', () => {
  test('count together, and know the same owners', async () => {
    const [one, other] = [await open(redis.url), await open(redis.url)];
    expect([one.redisUsable(), other.redisUsable()]).toEqual([true, true]);
    const take = async (stores: typeof one) => (await stores.limiter.take([{ limit, key: 'a' }])).allowed;
    expect([await take(one), await take(other), await take(one)]).toEqual([true, true, false]);
    const acquire = (stores: typeof one, member: string) =>
      stores.slots.acquire({ key: 'k', member, max: 1, timeoutMillis: 60_000 });
    expect([await acquire(one, 'm1'), await acquire(other, 'm2')]).toEqual([true, false]);
    one.common.fill(canvas, 'alice');
    await eventually(async () => (await other.common.get([canvas]))[0] === 'alice');
    const heard: unknown[] = [];
    other.common.onInvalidate((refs) => heard.push(refs));
    await one.common.invalidate([canvas]);
    await eventually(() => heard.length === 1);
    expect(await other.common.get([canvas])).toEqual([undefined]);
    one.disconnect();
    other.disconnect();
  });
});

test('a Redis that is away is waited for no longer than one attempt, and counting is local', async () => {
  const stores = await open('redis://127.0.0.1:1');
  expect(stores.redisUsable()).toBe(false);
  const take = async () => (await stores.limiter.take([{ limit, key: 'a' }])).allowed;
  expect([await take(), await take(), await take()]).toEqual([true, true, false]);
  expect(await stores.common.get([canvas])).toEqual([undefined]);
  stores.disconnect();
});
