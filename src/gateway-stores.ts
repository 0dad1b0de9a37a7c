/** The part of the composition that opens the stores: embedded ones, and Redis in front of them where it is configured. */
import type { NearOwnershipCache, OwnershipLedger, SharedOwnershipCache } from './authz/ownership.ts';
import type { Config } from './config/config.ts';
import type { Limiter } from './ratelimit/limiter.ts';
import type { Slots } from './ratelimit/slots.ts';
import { memoryLimiter } from './store/memory/limiter.ts';
import { nearOwnershipCache } from './store/memory/near-ownership-cache.ts';
import { memorySlots } from './store/memory/slots.ts';
import { connectRedis, type RedisConnection } from './store/redis/connect.ts';
import type { FallbackNotice } from './store/redis/fallback.ts';
import { redisLimiter } from './store/redis/limiter.ts';
import { redisOwnershipCache } from './store/redis/ownership-cache.ts';
import { redisSlots } from './store/redis/slots.ts';
import { openSqliteLedger } from './store/sqlite/ownership-ledger.ts';
import type { Log } from './telemetry/log.ts';

export interface Stores {
  readonly ledger: OwnershipLedger;
  readonly near: NearOwnershipCache;
  readonly common: SharedOwnershipCache | undefined;
  readonly limiter: Limiter;
  readonly slots: Slots;
  readonly redisUsable: (() => boolean) | undefined;
  close(): Promise<void>;
}

/** How long an owner may be remembered: the bound within which a change that nobody announced takes effect. */
const OWNER_AGE_MILLIS = 30_000;
const NEAR_OWNERS = 100_000;
const COUNTED_KEYS = 200_000;

/** Resolves with everything open, or rejects with what could not be. Redis may be away; it is never waited for long. */
export const openStores = async ({ config, log }: { config: Config; log: Log }): Promise<Stores> => {
  const ledger = openSqliteLedger({ path: config.ledger.sqlite });
  const near = nearOwnershipCache({ maxEntries: NEAR_OWNERS, maxAgeMillis: OWNER_AGE_MILLIS });
  const limiter = memoryLimiter({ maxEntries: COUNTED_KEYS });
  const slots = memorySlots();
  if (config.redis === undefined) {
    const close = (): Promise<void> => ledger.close();
    return { ledger, near, common: undefined, limiter, slots, redisUsable: undefined, close };
  }
  const connection = await connected(config.redis.url, log);
  const notice = ({ counting, detail }: FallbackNotice): void =>
    log.warn({ counting, detail }, counting === 'local' ? 'limits are counted locally' : 'limits are counted in Redis');
  return {
    ledger,
    near,
    common: redisOwnershipCache({ connection, maxAgeMillis: OWNER_AGE_MILLIS }),
    limiter: redisLimiter({ connection, fallback: limiter, notice }),
    slots: redisSlots({ connection, fallback: slots, notice }),
    redisUsable: () => connection.usable(),
    async close() {
      connection.close();
      await ledger.close();
    },
  };
};

const connected = async (url: string, log: Log): Promise<RedisConnection> => {
  const connection = connectRedis({
    url,
    onChange: (usable, detail) => (usable ? log.info({}, 'redis is usable') : log.warn({ detail }, 'redis is away')),
  });
  await connection.settled();
  return connection;
};
