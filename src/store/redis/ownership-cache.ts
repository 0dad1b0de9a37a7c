/**
 * Owners that all replicas remember together. One key holds either an owner or, for some seconds after a change, a mark
 * that nobody may write over: so what a replica read from the ledger before the change cannot be remembered after it.
 */
import { randomUUID } from 'node:crypto';
import type { SharedOwnershipCache } from '../../authz/ownership.ts';
import { type ResourceRef, resourceKey } from '../../model/resource.ts';
import { type RedisConnection, redisScript } from './connect.ts';
import type { RedisCall } from './gate.ts';

export interface RedisOwnershipCacheOptions {
  readonly connection: RedisConnection;
  /** How long an owner is remembered at most. */
  readonly maxAgeMillis: number;
}

/** Longer than any reading of the ledger takes. */
const MARK_MILLIS = 10_000;
const MARK = '-';
const OWNER = '+';

/** So many at a time, that a long list does not hold up Redis. */
const CHUNK = 256;

/** What could not be forgotten in Redis is forgotten when it is back; beyond this number, by its age alone. */
const MAX_OWED = 10_000;

/** Marks first: who hears the message must not find the old owner any more. */
const FORGET = redisScript(`
for _, key in ipairs(KEYS) do redis.call('SET', key, ARGV[1], 'PX', ARGV[2]) end
return redis.call('PUBLISH', ARGV[3], ARGV[4])
`);

/** Returns the cache, and begins to listen to the other replicas. */
export function redisOwnershipCache(options: RedisOwnershipCacheOptions): SharedOwnershipCache {
  const { connection, maxAgeMillis } = options;
  if (!Number.isInteger(maxAgeMillis) || maxAgeMillis < 1)
    throw new TypeError('maxAgeMillis must be a positive integer');
  const keyOf = (ref: ResourceRef): string => `${connection.keyPrefix}owner:${resourceKey(ref)}`;
  const news = { channel: `${connection.keyPrefix}owner-changed`, self: randomUUID() };
  const { forget, owes } = forgetter(connection, keyOf, news);
  const tell = announcer();

  connection.subscribe(news.channel, {
    onMessage: (message) => {
      const refs = parse(message, news.self);
      if (refs !== 'mine') tell.all(refs);
    },
    onLost: () => tell.all('everything'),
    onHeard: () => tell.all('everything'),
  });

  return {
    async get(refs) {
      if (refs.length === 0) return [];
      try {
        const values = await connection.call('MGET', ...refs.map(keyOf));
        return refs.map((ref, index) => (owes(ref) ? undefined : ownerOf(values, index)));
      } catch {
        return refs.map(() => undefined);
      }
    },
    fill(ref, owner) {
      if (owes(ref)) return;
      connection.call('SET', keyOf(ref), OWNER + owner, 'PX', maxAgeMillis, 'NX').catch(() => undefined);
    },
    async invalidate(refs) {
      await Promise.all(chunks(refs).map(forget));
    },
    onInvalidate: tell.add,
  };
}

type Listener = Parameters<SharedOwnershipCache['onInvalidate']>[0];

function announcer(): { add(listener: Listener): void; all: Listener } {
  const listeners: Listener[] = [];
  return {
    add: (listener) => void listeners.push(listener),
    all: (refs) => {
      for (const listener of listeners) listener(refs);
    },
  };
}

interface Forgetter {
  /** Resolves when Redis and the other replicas have forgotten, or when that is owed. */
  forget(refs: readonly ResourceRef[]): Promise<void>;
  /** True while Redis may still say what was true before a change. */
  owes(ref: ResourceRef): boolean;
}

interface News {
  readonly channel: string;
  /** The replica that speaks. */
  readonly self: string;
}

/** What cannot be forgotten while Redis is away is owed, and paid before anybody reads from a Redis that is back. */
function forgetter(connection: RedisConnection, keyOf: (ref: ResourceRef) => string, news: News): Forgetter {
  const owed = new Map<string, ResourceRef>();

  const forgetArguments = (refs: readonly ResourceRef[]) =>
    [refs.map(keyOf), [MARK, MARK_MILLIS, news.channel, JSON.stringify({ from: news.self, refs })]] as const;

  async function payOff(call: RedisCall): Promise<void> {
    for (const refs of chunks([...owed.values()])) {
      const [keys, args] = forgetArguments(refs);
      await call('EVAL', FORGET.source, keys.length, ...keys, ...args);
      for (const ref of refs) owed.delete(resourceKey(ref));
    }
  }
  connection.onUsable(payOff);

  return {
    async forget(refs) {
      try {
        await connection.run(FORGET, ...forgetArguments(refs));
        await payOff(connection.call);
      } catch {
        for (const { kind, id } of refs) owe(owed, { kind, id });
      }
    },
    owes: (ref) => owed.has(resourceKey(ref)),
  };
}

function owe(owed: Map<string, ResourceRef>, ref: ResourceRef): void {
  owed.set(resourceKey(ref), ref);
  if (owed.size <= MAX_OWED) return;
  for (const oldest of owed.keys()) {
    owed.delete(oldest);
    break;
  }
}

function ownerOf(values: unknown, index: number): string | undefined {
  const value: unknown = Array.isArray(values) ? values[index] : undefined;
  return typeof value === 'string' && value.startsWith(OWNER) ? value.slice(OWNER.length) : undefined;
}

function chunks(refs: readonly ResourceRef[]): ResourceRef[][] {
  const cut: ResourceRef[][] = [];
  for (let from = 0; from < refs.length; from += CHUNK) cut.push(refs.slice(from, from + CHUNK));
  return cut;
}

/** What cannot be read may concern anything. */
function parse(message: string, self: string): readonly ResourceRef[] | 'everything' | 'mine' {
  try {
    const { from, refs } = JSON.parse(message) as { readonly from: unknown; readonly refs: readonly ResourceRef[] };
    if (from === self) return 'mine';
    return refs.map(({ kind, id }) => ({ kind: String(kind), id: String(id) }));
  } catch {
    return 'everything';
  }
}
