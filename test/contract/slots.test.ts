/** What all slots do, run on each implementation: the one in Redis on a real Redis. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Slots } from '../../src/ratelimit/slots.ts';
import { memorySlots } from '../../src/store/memory/slots.ts';
import { connectRedis, type RedisConnection } from '../../src/store/redis/connect.ts';
import { redisSlots } from '../../src/store/redis/slots.ts';
import { eventually } from '../support/eventually.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

let redis: TestRedis;
let connection: RedisConnection;
beforeAll(async () => {
  redis = await startRedis();
  connection = connectRedis({ url: redis.url });
  expect(await connection.settled()).toBe(true);
});
afterAll(async () => {
  connection.close();
  await redis.stop();
});

const fail = ({ detail }: { detail: string }): void => {
  throw new Error(detail);
};

const implementations: ReadonlyArray<{ name: string; open: () => Slots }> = [
  { name: 'memory', open: () => memorySlots() },
  { name: 'Redis', open: () => redisSlots({ connection, fallback: memorySlots(), notice: fail }) },
];

describe.each(implementations)('the slots in $name', ({ open }) => {
  let slots: Slots;
  beforeEach(async () => {
    await redis.ask('FLUSHALL');
    slots = open();
  });

  const acquire = (member: string, max = 2, timeoutMillis = 60_000, key = 'ann') =>
    slots.acquire({ key, member, max, timeoutMillis });

  test('lets in as many as there are slots, for each key', async () => {
    expect([await acquire('r1'), await acquire('r2'), await acquire('r3')]).toEqual([true, true, false]);
    expect(await acquire('r3', 2, 60_000, 'bob')).toBe(true);
  });

  test('lets nobody in where there are no slots', async () => {
    expect(await acquire('r1', 0)).toBe(false);
  });

  test('lets a member that has a slot keep it, when all are taken too', async () => {
    await acquire('r1');
    await acquire('r2');
    expect(await acquire('r1')).toBe(true);
    expect(await acquire('r3')).toBe(false);
  });

  test('a slot that is left is free, and leaving twice frees one', async () => {
    await acquire('r1');
    await acquire('r2');
    await slots.release('ann', 'r1');
    await slots.release('ann', 'r1');
    await slots.release('ann', 'never in');
    await slots.release('nobody', 'r1');
    expect([await acquire('r3'), await acquire('r4')]).toEqual([true, false]);
  });

  test('a slot that is never left frees itself', async () => {
    await acquire('r1', 1, 50);
    expect(await acquire('r2', 1)).toBe(false);
    await eventually(async () => await acquire('r2', 1), 2000);
    expect(await acquire('r1', 1)).toBe(false);
  });

  test('a member that asks again has its whole time again, and one with less time does not shorten the others’', async () => {
    await acquire('r1', 2, 50);
    await acquire('r1', 2, 60_000);
    await acquire('r2', 2, 50);
    await eventually(async () => await acquire('r3', 2), 2000);
    expect(await acquire('r4', 2)).toBe(false);
  });

  test('lets in no more than there are slots when many ask at once', async () => {
    const all = await Promise.all(Array.from({ length: 50 }, (_, index) => acquire(`r${index}`, 5)));
    expect(all.filter(Boolean)).toHaveLength(5);
  });
});

test('the slots in memory forget keys whose members have all run out', () => {
  let time = 0;
  const slots = memorySlots({ now: () => time });
  for (let index = 0; index < 100; index += 1) {
    slots.acquire({ key: `k${index}`, member: 'm', max: 1, timeoutMillis: 10 });
    time += 1;
  }
  expect(slots.size).toBeLessThan(25);
});

test('replicas that share a Redis share the slots', async () => {
  await redis.ask('FLUSHALL');
  const replicas = [0, 1].map(() => redisSlots({ connection, fallback: memorySlots(), notice: fail }));
  const requests = replicas.flatMap((slots, replica) =>
    Array.from({ length: 10 }, (_, index) =>
      slots.acquire({ key: 'ann', member: `${replica}-${index}`, max: 3, timeoutMillis: 60_000 }),
    ),
  );
  expect((await Promise.all(requests)).filter(Boolean)).toHaveLength(3);
});
