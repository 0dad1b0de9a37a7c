/**
 * The hottest owners, in this process: what makes an ownership check cost less than a microsecond. Bounded in count and
 * in age, so that a message that was missed cannot keep a former owner for longer than the stated time.
 */
import type { NearOwnershipCache } from '../../authz/ownership.ts';
import type { Owner } from '../../model/principal.ts';

export interface NearCacheOptions {
  readonly maxEntries: number;
  readonly maxAgeMillis: number;
  /** Milliseconds of a clock that is never set back. */
  readonly now?: () => number;
}

interface Entry {
  readonly owner: Owner;
  readonly expiresAt: number;
  /** Read since it was last considered for eviction. */
  read: boolean;
}

/** Returns an empty cache, or throws a TypeError when a bound is not a positive number. */
export function nearOwnershipCache(options: NearCacheOptions): NearOwnershipCache {
  const { maxEntries, maxAgeMillis } = options;
  if (!Number.isInteger(maxEntries) || maxEntries < 1) throw new TypeError('maxEntries must be a positive integer');
  if (!(maxAgeMillis > 0)) throw new TypeError('maxAgeMillis must be positive');
  const now = options.now ?? (() => performance.now());
  const entries = new Map<string, Entry>();
  let epoch = 0;

  /** Second chance: a flag costs a reader less than a move to the end of the map does. */
  function evictOne(): void {
    for (const [key, entry] of entries) {
      entries.delete(key);
      if (!entry.read) return;
      entry.read = false;
      entries.set(key, entry);
    }
  }

  return {
    get(key) {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      if (entry.expiresAt <= now()) {
        entries.delete(key);
        return undefined;
      }
      entry.read = true;
      return entry.owner;
    },
    mark: () => epoch,
    set(key, owner, mark) {
      // Any invalidation defeats every fill under way: a fill that is lost is read again, one that is stale is a leak.
      if (mark !== epoch) return;
      entries.delete(key);
      if (entries.size >= maxEntries) evictOne();
      entries.set(key, { owner, expiresAt: now() + maxAgeMillis, read: false });
    },
    delete(key) {
      epoch += 1;
      entries.delete(key);
    },
    clear() {
      epoch += 1;
      entries.clear();
    },
    get size() {
      return entries.size;
    },
  };
}
