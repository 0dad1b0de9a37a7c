/** What every limiter does, run on each of them: the one in Redis on a real Redis, by Redis's own clock. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RateLimit } from '../../src/model/limits.ts';
import type { Limiter } from '../../src/ratelimit/limiter.ts';
import { memoryLimiter } from '../../src/store/memory/limiter.ts';
import { connectRedis, type RedisConnection } from '../../src/store/redis/connect.ts';
import { redisLimiter } from '../../src/store/redis/limiter.ts';
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

const never: Limiter = {
  take: () => {
    throw new Error('fell back to the local limiter');
  },
};
const fail = ({ detail }: { detail: string }): void => {
  throw new Error(detail);
};

const implementations: ReadonlyArray<{ name: string; open: () => Limiter }> = [
  { name: 'memory', open: () => memoryLimiter({ maxEntries: 1000 }) },
  { name: 'Redis', open: () => redisLimiter({ connection, fallback: never, notice: fail }) },
];

const limit = (name: string, points: number, perMillis: number): RateLimit => ({
  name,
  points,
  perMillis,
  by: 'user',
  onFailedAuthentication: false,
});

describe.each(implementations)('the limiter in $name', ({ open }) => {
  let limiter: Limiter;
  beforeEach(async () => {
    await redis.ask('FLUSHALL');
    limiter = open();
  });

  test('allows as many as there are points, counts down, and then refuses', async () => {
    const three = limit('three', 3, 3_600_000);
    const verdicts = [];
    for (let time = 0; time < 4; time += 1) verdicts.push(await limiter.take([{ limit: three, key: 'ann' }]));
    expect(verdicts.map(({ allowed }) => allowed)).toEqual([true, true, true, false]);
    expect(verdicts.map(({ remaining }) => remaining)).toEqual([2, 1, 0, 0]);
    expect(verdicts[0]).toMatchObject({ limit: three, resetMillis: 1_200_000, retryAfterMillis: 0 });
    const last = verdicts[3];
    expect(last?.retryAfterMillis).toBeGreaterThan(1_190_000);
    expect(last?.retryAfterMillis).toBeLessThanOrEqual(1_200_000);
    expect(last?.resetMillis).toBeGreaterThan(3_590_000);
  });

  test('counts each key and each limit by itself', async () => {
    const [one, other] = [limit('one', 1, 3_600_000), limit('other', 1, 3_600_000)];
    expect((await limiter.take([{ limit: one, key: 'ann' }])).allowed).toBe(true);
    expect((await limiter.take([{ limit: one, key: 'bob' }])).allowed).toBe(true);
    expect((await limiter.take([{ limit: other, key: 'ann' }])).allowed).toBe(true);
    expect((await limiter.take([{ limit: one, key: 'ann' }])).allowed).toBe(false);
  });

  test('takes from none when one of several refuses', async () => {
    const [wide, narrow] = [limit('wide', 5, 3_600_000), limit('narrow', 1, 3_600_000)];
    const both = [wide, narrow].map((one) => ({ limit: one, key: 'ann' }));
    expect(await limiter.take(both)).toMatchObject({ allowed: true, limit: narrow, remaining: 0 });
    for (let time = 0; time < 10; time += 1) {
      expect(await limiter.take(both)).toMatchObject({ allowed: false, limit: narrow });
    }
    expect(await limiter.take([{ limit: wide, key: 'ann' }])).toMatchObject({ allowed: true, remaining: 3 });
  });

  test('takes one point from a limit that is named twice', async () => {
    const check = { limit: limit('twice', 2, 3_600_000), key: 'ann' };
    expect(await limiter.take([check, check])).toMatchObject({ allowed: true, remaining: 1 });
  });

  test('gives points back one by one', async () => {
    const quick = limit('quick', 2, 200);
    const check = [{ limit: quick, key: 'ann' }];
    await limiter.take(check);
    await limiter.take(check);
    await eventually(async () => (await limiter.take(check)).allowed, 2000);
    expect((await limiter.take(check)).allowed).toBe(false);
  });

  test('lets through no more than there are points when many ask at once', async () => {
    const check = [{ limit: limit('ten', 10, 3_600_000), key: 'ann' }];
    const verdicts = await Promise.all(Array.from({ length: 100 }, () => limiter.take(check)));
    expect(verdicts.filter(({ allowed }) => allowed)).toHaveLength(10);
  });

  test('tells each of many who ask at once its own, whatever limits they are judged by', async () => {
    const [two, one] = [limit('two', 2, 3_600_000), limit('one', 1, 3_600_000)];
    const asked = Array.from({ length: 300 }, (_, index) => {
      const key = `user-${index % 100}`;
      return index % 3 === 0
        ? [
            { limit: two, key },
            { limit: one, key },
          ]
        : [{ limit: two, key }];
    });
    const verdicts = await Promise.all(asked.map((checks) => limiter.take(checks)));
    for (const key of Array.from({ length: 100 }, (_, index) => `user-${index}`)) {
      const allowed = verdicts.filter((verdict, index) => verdict.allowed && asked[index]?.[0]?.key === key);
      expect(allowed).toHaveLength(2);
      expect((await limiter.take([{ limit: two, key }])).allowed).toBe(false);
    }
  });

  test('takes any text as a key', async () => {
    for (const key of ['main|ünïcode 漢字', '', 'with space\r\nand line', '::1', 'a:b|c*{d}']) {
      const check = [{ limit: limit('text', 1, 3_600_000), key }];
      expect((await limiter.take(check)).allowed).toBe(true);
      expect((await limiter.take(check)).allowed).toBe(false);
    }
  });
});

test('two replicas that share a Redis share the points, and the keys expire by themselves', async () => {
  await redis.ask('FLUSHALL');
  const second = connectRedis({ url: redis.url });
  await second.settled();
  const replicas = [connection, second].map((one) => redisLimiter({ connection: one, fallback: never, notice: fail }));
  const check = [{ limit: limit('shared', 10, 3_600_000), key: 'ann' }];
  const verdicts = await Promise.all(replicas.flatMap((one) => Array.from({ length: 20 }, () => one.take(check))));
  expect(verdicts.filter(({ allowed }) => allowed)).toHaveLength(10);
  expect(await redis.ask('PTTL jaaz-gateway:limit:shared:ann')).toMatch(/^:3(600000|59\d{4})\r/);
  expect(await redis.ask('GET jaaz-gateway:limit:shared:ann')).toMatch(/\r\n\d{16}\r/);
  second.close();
});

describe('the limiter in Redis', () => {
  test('asks once for all who are judged by the same limits in one turn', async () => {
    let calls = 0;
    const counted: RedisConnection = {
      ...connection,
      run(script, keys, args) {
        calls += 1;
        return connection.run(script, keys, args);
      },
    };
    const limiter = redisLimiter({ connection: counted, fallback: never, notice: fail });
    const limits = [limit('one', 9, 60_000), limit('other', 9, 60_000)];
    const all = async (count: number) => {
      const checks = Array.from({ length: count }, (_, index) => limits.slice(0, index % 2 === 0 ? 1 : 2));
      const verdicts = await Promise.all(
        checks.map((asked, index) => limiter.take(asked.map((one) => ({ limit: one, key: `user-${index}` })))),
      );
      expect(verdicts.every(({ allowed }) => allowed)).toBe(true);
      return calls;
    };
    expect(await all(200)).toBe(2);
    // 128 of them at a time.
    expect(await all(300)).toBe(2 + 4);
  });

  test('counts everybody in Redis although one key there holds something else', async () => {
    await redis.ask('FLUSHALL');
    await redis.ask('LPUSH jaaz-gateway:limit:odd:eve x');
    const limiter = redisLimiter({ connection, fallback: never, notice: fail });
    const odd = limit('odd', 2, 3_600_000);
    const askAll = () => Promise.all(['ann', 'eve', 'dan'].map((key) => limiter.take([{ limit: odd, key }])));
    const counted = [await askAll(), await askAll(), await askAll()];
    expect(counted.map((verdicts) => verdicts.map(({ allowed }) => allowed))).toEqual([
      [true, true, true],
      [true, true, true],
      [false, false, false],
    ]);
  });

  test('does not hold up Redis where no limit is asked about', async () => {
    const limiter = redisLimiter({ connection, fallback: never, notice: () => undefined });
    await expect(limiter.take([])).rejects.toThrow();
    expect(await redis.ask('PING')).toMatch(/^\+PONG/);
    expect(connection.usable()).toBe(true);
  });
});
