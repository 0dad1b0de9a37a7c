/** The part of the composition that opens the stores: embedded ones, and Redis in front of them where it is configured. */
import type { ApiKeyStore } from './authn/api-keys.ts';
import type { SigningKeyStore } from './authn/assertion/store.ts';
import type { RevocationStore } from './authn/revocation.ts';
import type { SessionStore } from './authn/session/store.ts';
import type { NearOwnershipCache, OwnershipLedger, SharedOwnershipCache } from './authz/ownership.ts';
import type { Config } from './config/config.ts';
import type { Limiter } from './ratelimit/limiter.ts';
import type { Slots } from './ratelimit/slots.ts';
import { memoryLimiter } from './store/memory/limiter.ts';
import { nearOwnershipCache } from './store/memory/near-ownership-cache.ts';
import { memorySlots } from './store/memory/slots.ts';
import { sqliteApiKeys } from './store/sqlite/api-keys.ts';
import { sqliteChanges } from './store/sqlite/changes.ts';
import { openSqliteFile } from './store/sqlite/file.ts';
import { sqliteLedger } from './store/sqlite/ownership-ledger.ts';
import { sqliteRevocations } from './store/sqlite/revocations.ts';
import { sqliteSessions } from './store/sqlite/sessions.ts';
import { sqliteSigningKeys } from './store/sqlite/signing-keys.ts';
import type { Log } from './telemetry/log.ts';

export interface Stores {
  readonly ledger: OwnershipLedger;
  readonly near: NearOwnershipCache;
  readonly common: SharedOwnershipCache | undefined;
  readonly revocations: RevocationStore;
  readonly apiKeys: ApiKeyStore;
  readonly signingKeys: SigningKeyStore;
  /** Opens those of the one who asks, where the configuration wants them to be. */
  readonly sessions: () => SessionStore;
  readonly limiter: Limiter;
  readonly slots: Slots;
  readonly redisUsable: (() => boolean) | undefined;
  close(): Promise<void>;
}

/** How long an owner may be remembered: the bound of a change that nobody announced, in a file that cannot be looked at. */
const OWNER_AGE_MILLIS = 300_000;
const NEAR_OWNERS = 100_000;
const COUNTED_KEYS = 200_000;

/** Resolves with everything open, or rejects with what could not be. Redis may be away; it is never waited for long. */
export const openStores = async ({ config, log }: { config: Config; log: Log }): Promise<Stores> => {
  const file = openSqliteFile({ path: config.ledger.sqlite });
  const ledger = sqliteLedger(file);
  const changes = sqliteChanges(file);
  const revocations = sqliteRevocations(file, changes);
  const near = nearOwnershipCache({ maxEntries: NEAR_OWNERS, maxAgeMillis: OWNER_AGE_MILLIS });
  changes.watch('owners', (news) => (news === 'changed' ? near.clear() : undefined));
  const counting = { limiter: memoryLimiter({ maxEntries: COUNTED_KEYS }), slots: memorySlots() };
  const embedded = {
    ...{ ledger, near, revocations },
    apiKeys: sqliteApiKeys(file, changes),
    signingKeys: sqliteSigningKeys(file, changes),
    sessions: () => sqliteSessions(file),
  };
  if (config.redis === undefined) {
    const close = (): Promise<void> => ledger.close();
    return { ...embedded, common: undefined, ...counting, redisUsable: undefined, close };
  }
  // Its client is a sixth of the memory of an idle gateway.
  const { withRedis } = await import('./gateway-redis.ts');
  const redis = await withRedis({
    url: config.redis.url,
    fallback: counting,
    revocations,
    ownerAgeMillis: OWNER_AGE_MILLIS,
    log,
  });
  return {
    ...embedded,
    ...redis,
    sessions: config.sessions.store === 'redis' ? redis.sessions : embedded.sessions,
    async close() {
      redis.disconnect();
      await ledger.close();
    },
  };
};
