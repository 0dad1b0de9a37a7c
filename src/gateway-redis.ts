/** The part of the composition that puts Redis in front of the embedded stores. Loaded only where it is configured. */
import type { RevocationStore } from './authn/revocation.ts';
import type { SessionStore } from './authn/session/store.ts';
import type { SharedOwnershipCache } from './authz/ownership.ts';
import type { Limiter } from './ratelimit/limiter.ts';
import type { Slots } from './ratelimit/slots.ts';
import { announcedRevocations } from './store/redis/announced-revocations.ts';
import { connectRedis } from './store/redis/connect.ts';
import type { FallbackNotice } from './store/redis/fallback.ts';
import { redisLimiter } from './store/redis/limiter.ts';
import { redisOwnershipCache } from './store/redis/ownership-cache.ts';
import { redisSessions } from './store/redis/sessions.ts';
import { redisSlots } from './store/redis/slots.ts';
import type { Log } from './telemetry/log.ts';

interface RedisOptions {
  readonly url: string;
  /** What counts while Redis is away. */
  readonly fallback: { readonly limiter: Limiter; readonly slots: Slots };
  /** What the other replicas are told of. */
  readonly revocations: RevocationStore;
  readonly ownerAgeMillis: number;
  readonly log: Log;
}

export interface RedisStores {
  readonly common: SharedOwnershipCache;
  readonly limiter: Limiter;
  readonly slots: Slots;
  readonly revocations: RevocationStore;
  readonly sessions: () => SessionStore;
  readonly redisUsable: () => boolean;
  disconnect(): void;
}

/** Resolves when the first attempt to connect has come to an end; a Redis that is away is waited for no longer. */
export const withRedis = async ({
  url,
  fallback,
  revocations,
  ownerAgeMillis,
  log,
}: RedisOptions): Promise<RedisStores> => {
  const connection = connectRedis({
    url,
    onChange: (usable, detail) => (usable ? log.info({}, 'redis is usable') : log.warn({ detail }, 'redis is away')),
  });
  await connection.settled();
  const notice = ({ counting, detail }: FallbackNotice): void =>
    log.warn({ counting, detail }, counting === 'local' ? 'limits are counted locally' : 'limits are counted in Redis');
  return {
    common: redisOwnershipCache({ connection, maxAgeMillis: ownerAgeMillis }),
    limiter: redisLimiter({ connection, fallback: fallback.limiter, notice }),
    slots: redisSlots({ connection, fallback: fallback.slots, notice }),
    revocations: announcedRevocations({ connection, store: revocations }),
    sessions: () => redisSessions({ connection }),
    redisUsable: () => connection.usable(),
    disconnect: () => connection.close(),
  };
};
