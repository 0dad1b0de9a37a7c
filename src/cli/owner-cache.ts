/** The owners that all replicas remember in Redis: what has changed hands is forgotten there, and each replica told so. */
import type { Owner } from '../model/principal.ts';
import type { ResourceRef } from '../model/resource.ts';
import { connectRedis } from '../store/redis/connect.ts';
import { redisOwnershipCache } from '../store/redis/ownership-cache.ts';

export interface OwnerCache {
  /** Resolves with whether Redis has forgotten all of them. */
  forget(refs: readonly ResourceRef[], formerly: ReadonlySet<Owner>): Promise<boolean>;
  close(): void;
}

/** So many at a time, that Redis answers within its time. */
const CHUNK = 5_000;

/** Resolves with the cache, or with undefined when Redis cannot be reached. */
export const openOwnerCache = async (url: string): Promise<OwnerCache | undefined> => {
  const connection = connectRedis({ url, commandTimeoutMillis: 2_000 });
  if (!(await connection.settled())) {
    connection.close();
    return undefined;
  }
  const writing = redisOwnershipCache({ connection, maxAgeMillis: 1 });
  // Another one, because the first does not ask Redis about what it could not have forgotten.
  const reading = redisOwnershipCache({ connection, maxAgeMillis: 1 });
  return {
    async forget(refs, formerly) {
      for (let from = 0; from < refs.length; from += CHUNK) {
        const some = refs.slice(from, from + CHUNK);
        await writing.invalidate(some);
        const owners = await reading.get(some);
        if (!connection.usable() || owners.some((owner) => owner !== undefined && formerly.has(owner))) return false;
      }
      return true;
    },
    close: () => connection.close(),
  };
};
