/** What every cache of owners does, run on each of them; and what only the shared one does. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { SharedOwnershipCache } from '../../src/authz/ownership.ts';
import type { ResourceRef } from '../../src/model/resource.ts';
import { nearOwnershipCache } from '../../src/store/memory/near-ownership-cache.ts';
import { connectRedis, type RedisConnection } from '../../src/store/redis/connect.ts';
import { redisOwnershipCache } from '../../src/store/redis/ownership-cache.ts';
import { eventually } from '../support/eventually.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

/** Both ports as one: `read` is the moment before the ledger is asked, and gives what fills with its answer. */
interface Cache {
  get(ref: ResourceRef): Promise<string | undefined>;
  read(): (ref: ResourceRef, owner: string) => Promise<void>;
  invalidate(ref: ResourceRef): Promise<void>;
}

let redis: TestRedis;
const connections: RedisConnection[] = [];
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(async () => {
  for (const connection of connections) connection.close();
  await redis.stop();
});

async function connect(): Promise<RedisConnection> {
  const connection = connectRedis({ url: redis.url });
  connections.push(connection);
  expect(await connection.settled()).toBe(true);
  return connection;
}

async function shared(maxAgeMillis: number): Promise<Cache> {
  const cache = redisOwnershipCache({ connection: await connect(), maxAgeMillis });
  const get = async (ref: ResourceRef) => (await cache.get([ref]))[0];
  return {
    get,
    read: () => async (ref, owner) => {
      cache.fill(ref, owner);
      // Sent over the same connection, so answered after the fill was done.
      await get(ref);
    },
    invalidate: (ref) => cache.invalidate([ref]),
  };
}

async function near(maxAgeMillis: number): Promise<Cache> {
  const cache = nearOwnershipCache({ maxEntries: 100, maxAgeMillis });
  return {
    get: async (ref) => cache.get(ref),
    read: () => {
      const mark = cache.mark();
      return async (ref, owner) => cache.set(ref, owner, mark);
    },
    invalidate: async (ref) => cache.delete(ref),
  };
}

const implementations = [
  { name: 'this process', open: near },
  { name: 'Redis', open: shared },
];

const canvas = (id: string): ResourceRef => ({ kind: 'canvas', id });

describe.each(implementations)('the ownership cache in $name', ({ open }) => {
  beforeEach(() => redis.ask('FLUSHALL'));

  test('knows what it was told, and nothing else', async () => {
    const cache = await open(60_000);
    await cache.read()(canvas('c'), 'main|änn');
    expect(await cache.get(canvas('c'))).toBe('main|änn');
    expect(await cache.get({ kind: 'session', id: 'c' })).toBeUndefined();
  });

  test('forgets what is invalidated', async () => {
    const cache = await open(60_000);
    await cache.read()(canvas('c'), 'main|ann');
    await cache.invalidate(canvas('c'));
    expect(await cache.get(canvas('c'))).toBeUndefined();
  });

  test('drops a fill that was under way when the owner changed', async () => {
    const cache = await open(60_000);
    const fill = cache.read();
    await cache.invalidate(canvas('c'));
    await fill(canvas('c'), 'main|former');
    expect(await cache.get(canvas('c'))).toBeUndefined();
  });

  test('forgets by itself when the time is over', async () => {
    const cache = await open(50);
    await cache.read()(canvas('c'), 'main|ann');
    await eventually(async () => (await cache.get(canvas('c'))) === undefined, 2000);
  });
});

describe('the ownership cache that replicas share', () => {
  const heard = (cache: SharedOwnershipCache): Array<readonly ResourceRef[] | 'everything'> => {
    const messages: Array<readonly ResourceRef[] | 'everything'> = [];
    cache.onInvalidate((refs) => messages.push(refs));
    return messages;
  };

  async function replica() {
    const cache = redisOwnershipCache({ connection: await connect(), maxAgeMillis: 60_000 });
    const messages = heard(cache);
    await eventually(() => messages.length === 1);
    return { cache, messages };
  }

  beforeEach(() => redis.ask('FLUSHALL'));

  test('tells the other replicas what changed, and not the one that changed it', async () => {
    const [one, other] = [await replica(), await replica()];
    await one.cache.invalidate([canvas('a'), canvas('b')]);
    await eventually(() => other.messages.length === 2);
    expect(other.messages).toEqual(['everything', [canvas('a'), canvas('b')]]);
    expect(one.messages).toEqual(['everything']);
  });

  test('has forgotten before the others are told', async () => {
    const [one, other] = [await replica(), await replica()];
    one.cache.fill(canvas('c'), 'main|ann');
    await eventually(async () => (await other.cache.get([canvas('c')]))[0] === 'main|ann');
    const found = new Promise((resolve) => {
      other.cache.onInvalidate(() => resolve(other.cache.get([canvas('c')])));
    });
    await one.cache.invalidate([canvas('c')]);
    expect(await found).toEqual([undefined]);
  });

  test('tells of ten thousand', async () => {
    const [one, other] = [await replica(), await replica()];
    const refs = Array.from({ length: 10_000 }, (_, index) => canvas(`c${index}`));
    await one.cache.invalidate(refs);
    await eventually(() => other.messages.slice(1).flat().length === refs.length);
    expect(await one.cache.get(refs)).toHaveLength(refs.length);
  });

  test('takes a message that it cannot read for a change of everything', async () => {
    const { messages } = await replica();
    await redis.ask('PUBLISH jaaz-gateway:owner-changed nonsense');
    await redis.ask('PUBLISH jaaz-gateway:owner-changed \'{"from":"x","refs":7}\'');
    await eventually(() => messages.length === 3);
    expect(messages).toEqual(['everything', 'everything', 'everything']);
  });

  test('answers in the order of the question, and nothing for nothing', async () => {
    const { cache } = await replica();
    cache.fill(canvas('a'), 'main|ann');
    cache.fill(canvas('b'), 'main|bob');
    expect(await cache.get([canvas('b'), canvas('x'), canvas('a')])).toEqual(['main|bob', undefined, 'main|ann']);
    expect(await cache.get([])).toEqual([]);
  });
});
