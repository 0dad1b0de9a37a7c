/**
 * Whatever is asked in whatever order, the answers are those of the simplest gateway there is: the order of the rules, the
 * caches and what they remember, the store behind the ledger and the size of its batches are no part of a decision.
 */

import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { ownershipLookup } from '../../src/authz/lookup.ts';
import type { OwnershipLedger } from '../../src/authz/ownership.ts';
import { memoryLimiter } from '../../src/store/memory/limiter.ts';
import { nearOwnershipCache } from '../../src/store/memory/near-ownership-cache.ts';
import { memoryLedger } from '../../src/store/memory/ownership-ledger.ts';
import { memorySlots } from '../../src/store/memory/slots.ts';
import { connectRedis, type RedisConnection } from '../../src/store/redis/connect.ts';
import { redisLimiter } from '../../src/store/redis/limiter.ts';
import { redisOwnershipCache } from '../../src/store/redis/ownership-cache.ts';
import { redisSlots } from '../../src/store/redis/slots.ts';
import { openSqliteLedger } from '../../src/store/sqlite/ownership-ledger.ts';
import { nowhere } from '../support/bare-upstream.ts';
import { type PipelineOptions, pipeline } from '../support/pipeline.ts';
import { CANVASES, EVERYTHING, type Lived, lives, users } from '../support/random-lives.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { policyFrom } from '../support/stages.ts';

/** What the server lists, and in pieces of how many bytes. */
const list = { rows: [...CANVASES, 'nobodys', 'c0'].map((id) => ({ id, name: `the ${id}` })), piece: 1_000_000 };

/** Answers by the request alone, so that only the gateway can make a difference. */
const startUpstream = async (): Promise<{ url: string; server: Server }> => {
  const answers: Readonly<Record<string, unknown>> = {
    '/api/list_models': [{ provider: 'p', model: 'm', url: 'https://p' }],
    '/api/list_tools': [{ id: 't', provider: 'p' }],
  };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    // One id with which it fails, and one that it refuses before it does anything.
    const status = body.includes('unclear') ? 500 : body.includes('"name":"refused"') ? 422 : 200;
    const lists = request.url === '/api/canvas/list';
    const answer = lists ? list.rows : (answers[request.url ?? ''] ?? { asked: request.url, body });
    const bytes = Buffer.from(JSON.stringify(answer));
    response.writeHead(status, { 'content-type': 'application/json' });
    for (let at = 0; at < bytes.length; at += list.piece) {
      response.write(bytes.subarray(at, at + list.piece));
      if (list.piece < bytes.length) await new Promise(setImmediate);
    }
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
};

let redis: TestRedis;
let upstream: { url: string; server: Server };
let away: string;
beforeAll(async () => {
  redis = await startRedis();
  upstream = await startUpstream();
  away = (await nowhere()).replace('http', 'redis');
});
afterAll(async () => {
  upstream.server.close();
  await redis.stop();
});

type Stores = Pick<PipelineOptions, 'ledger' | 'stores'>;

/** A form of the same stores; `before` is called before each request. */
interface Form {
  readonly name: string;
  open(): Stores | Promise<Stores>;
  before?(): Promise<unknown>;
}

const opened: Array<OwnershipLedger | RedisConnection> = [];
const sqlite = (): OwnershipLedger => {
  const ledger = openSqliteLedger({ path: ':memory:' });
  opened.push(ledger);
  return ledger;
};

let prefixes = 0;
const connected = async (url: string): Promise<RedisConnection> => {
  const connection = connectRedis({ url, keyPrefix: `p${prefixes++}:` });
  opened.push(connection);
  await connection.settled();
  return connection;
};

const counted = (connection: RedisConnection) => {
  const notice = (): void => undefined;
  return {
    limiter: redisLimiter({ connection, fallback: memoryLimiter({ maxEntries: 1000 }), notice }),
    slots: redisSlots({ connection, fallback: memorySlots(), notice }),
  };
};

const near = (maxEntries: number, maxAgeMillis: number) => nearOwnershipCache({ maxEntries, maxAgeMillis });
const common = (connection: RedisConnection) => redisOwnershipCache({ connection, maxAgeMillis: 60_000 });

const FORMS: readonly Form[] = [
  { name: 'nothing is remembered', open: () => ({ stores: { near: near(1000, 1e-6) } }) },
  { name: 'one owner is remembered', open: () => ({ stores: { near: near(1, 60_000) } }) },
  { name: 'SQLite', open: () => ({ ledger: sqlite() }) },
  { name: 'SQLite, nothing remembered', open: () => ({ ledger: sqlite(), stores: { near: near(1000, 1e-6) } }) },
  {
    name: 'Redis in front',
    async open() {
      const connection = await connected(redis.url);
      return { ledger: sqlite(), stores: { near: near(1, 1e-6), common: common(connection), ...counted(connection) } };
    },
  },
  {
    name: 'Redis that forgets its owners',
    async open() {
      return { stores: { near: near(2, 60_000), common: common(await connected(redis.url)) } };
    },
    before: () => redis.ask('FLUSHALL'),
  },
  {
    name: 'Redis that is away',
    async open() {
      const connection = await connected(away);
      return { stores: { common: common(connection), ...counted(connection) } };
    },
  },
];

/** A counterexample that is not the smallest is better than none in time. */
const LIMITS = { interruptAfterTimeLimit: 20_000 };

/** Limits that are reached within a few requests, and whose points do not come back meanwhile. */
const LIMITED: Readonly<Record<string, unknown>> = {
  requests: { points: 12, per: '7d', by: 'user' },
  tighter: { points: 10, per: '7d', by: 'user' },
  visitors: { points: 1000, per: '7d', by: 'address' },
  failures: { points: 1000, per: '7d', by: 'address', counts: 'failed-authentication' },
  generate: { points: 4, per: '7d', by: 'user' },
  running: { concurrent: 2, by: 'user', timeout: '20m' },
};

interface Written {
  readonly routes: readonly unknown[];
  readonly resources: Readonly<Record<string, unknown>>;
  readonly everywhere: readonly string[];
}
const shipped = parse(readFileSync('policies/jaaz.yaml', 'utf8')) as Written;
const jaaz = { ...shipped, limits: LIMITED, everywhere: [...shipped.everywhere, 'tighter'] };

const usual = policyFrom(JSON.stringify(jaaz));

const shuffled = <T>(items: readonly T[]): fc.Arbitrary<T[]> =>
  fc.shuffledSubarray([...items], { minLength: items.length, maxLength: items.length });

const mapping = (table: Readonly<Record<string, unknown>>): fc.Arbitrary<Record<string, unknown>> =>
  shuffled(Object.entries(table)).map((entries) => Object.fromEntries(entries));

/** The same rules in another order. JSON is YAML. */
const reordered = fc
  .record({
    routes: shuffled(jaaz.routes),
    everywhere: shuffled(jaaz.everywhere),
    resources: mapping(jaaz.resources),
    limits: mapping(jaaz.limits),
  })
  .map((sections) => JSON.stringify({ ...jaaz, ...sections }));

/** Returns what a gateway says to each request in turn. */
const answersOf = async (
  { requests, facts: known }: Lived,
  options: Partial<PipelineOptions>,
  before?: Form['before'],
) => {
  const gateway = pipeline({ url: upstream.url, policy: usual, ...options });
  for (const [id, owner] of known) {
    await gateway.ledger.learn({ ref: { kind: 'file', id }, parent: undefined, origin: 'event' }, `test|${owner}`);
  }
  const answers: string[] = [];
  for (const request of requests) {
    await before?.();
    const { status, text: said, record } = await gateway.ask(request);
    answers.push(`${request.user} ${request.method} ${request.target}: ${status} ${record.reason ?? ''} ${said}`);
  }
  await gateway.close();
  return answers;
};

const ended = async (): Promise<void> => {
  for (const one of opened.splice(0)) await one.close();
};

test('a decision does not depend on the order of the rules', async () => {
  const seen = new Set<string>();
  const property = fc.asyncProperty(lives, reordered, async (lived, policy) => {
    const expected = await answersOf(lived, {});
    for (const answer of expected) seen.add(answer.replace(/^.*?: (\d+ [a-z-]*).*$/s, '$1'));
    expect(await answersOf(lived, { policy: policyFrom(policy) })).toEqual(expected);
  });
  await fc.assert(property, { numRuns: 40, ...LIMITS, examples: [[EVERYTHING, JSON.stringify(jaaz)]] });
  expect([...seen]).toEqual(
    expect.arrayContaining([
      '200 ',
      '200 resource-hidden',
      '404 route-unknown',
      '401 token-missing',
      '429 rate-limited',
    ]),
  );
});

test('a decision does not depend on the stores, or on what they remember', async () => {
  const property = fc.asyncProperty(lives, async (lived) => {
    const expected = await answersOf(lived, {});
    for (const form of FORMS) {
      expect(await answersOf(lived, await form.open(), form.before), form.name).toEqual(expected);
    }
    await ended();
  });
  await fc.assert(property.afterEach(ended), { numRuns: 30, ...LIMITS });
});

const refs = [...CANVASES, 'x', 'y'].map((id) => ({ kind: 'canvas', id }));

test('an owner does not depend on how many are asked for at once', async () => {
  const owned = fc.array(fc.tuple(fc.constantFrom(...refs), users), { maxLength: 6 });
  const batches = fc.array(fc.array(fc.constantFrom(...refs), { maxLength: 8 }), { minLength: 1, maxLength: 6 });
  const property = fc.asyncProperty(owned, batches, async (known, asks) => {
    const truth = new Map<string, string>();
    for (const { name, open } of FORMS) {
      const { ledger = {}, stores } = await open();
      const whole = { ...memoryLedger(), ...ledger };
      for (const [ref, owner] of known) {
        const learned = await whole.learn({ ref, parent: undefined, origin: 'event' }, owner);
        if (learned === 'learned') truth.set(ref.id, owner);
      }
      const lookup = ownershipLookup({
        ledger: whole,
        near: stores?.near ?? near(1000, 60_000),
        common: stores?.common,
      });
      for (const batch of asks) {
        expect(await lookup.ownersOf(batch), name).toEqual(batch.map(({ id }) => truth.get(id)));
      }
    }
    await ended();
  });
  await fc.assert(property.afterEach(ended), { numRuns: 30, ...LIMITS });
});

test('a row does not depend on how many are judged at once, or on where the answer is cut', async () => {
  const row = fc.record({
    id: fc.constantFrom('a', 'b', 'c', 'd'),
    name: fc.string({ unit: fc.constantFrom('a', '"', '\\', 'é', '😀', ']', ','), maxLength: 40 }),
  });
  const rows = fc.array(row, { maxLength: 80, size: 'max' });
  const sizes = fc.record({ rows, piece: fc.integer({ min: 100, max: 4000 }), owned: fc.subarray(['a', 'b', 'c']) });
  const before = { ...list };
  const property = fc.asyncProperty(sizes, async ({ owned, ...listed }) => {
    Object.assign(list, listed);
    const gateway = pipeline({ url: upstream.url, policy: usual, stores: { near: near(1, 60_000) } });
    for (const id of owned) {
      await gateway.ledger.learn({ ref: { kind: 'canvas', id }, parent: undefined, origin: 'event' }, 'test|ann');
    }
    const { status, text: said } = await gateway.ask({ method: 'GET', target: '/api/canvas/list', user: 'ann' });
    await gateway.close();
    expect({ status, rows: JSON.parse(said) }).toEqual({
      status: 200,
      rows: listed.rows.filter(({ id }) => owned.includes(id)),
    });
  });
  await fc.assert(
    property.afterEach(() => void Object.assign(list, before)),
    { numRuns: 25 },
  );
});
