/**
 * The hottest owners, in this process: what makes an ownership check cost less than a microsecond. Bounded in count and
 * in age, so that a message that was missed cannot keep a former owner for longer than the stated time.
 */
import type { NearOwnershipCache } from '../../authz/ownership.ts';
import type { Owner } from '../../model/principal.ts';
import type { ResourceRef } from '../../model/resource.ts';

export interface NearCacheOptions {
  /** How many owners are remembered of each kind. */
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
  // By kind, then by id: to put one key together of both would cost more than to look twice.
  const kinds = new Map<string, Map<string, Entry>>();
  let epoch = 0;

  const entriesOf = ({ kind }: ResourceRef): Map<string, Entry> => {
    let entries = kinds.get(kind);
    if (entries === undefined) {
      entries = new Map();
      kinds.set(kind, entries);
    }
    return entries;
  };

  return {
    get(ref) {
      const entries = kinds.get(ref.kind);
      const entry = entries?.get(ref.id);
      if (entry === undefined) return undefined;
      if (entry.expiresAt <= now()) {
        entries?.delete(ref.id);
        return undefined;
      }
      entry.read = true;
      return entry.owner;
    },
    mark: () => epoch,
    set(ref, owner, mark) {
      // Any invalidation defeats every fill under way: a fill that is lost is read again, one that is stale is a leak.
      if (mark !== epoch) return;
      const entries = entriesOf(ref);
      entries.delete(ref.id);
      if (entries.size >= maxEntries) evictOne(entries);
      entries.set(ref.id, { owner, expiresAt: now() + maxAgeMillis, read: false });
    },
    delete(ref) {
      epoch += 1;
      kinds.get(ref.kind)?.delete(ref.id);
    },
    clear() {
      epoch += 1;
      kinds.clear();
    },
    get size() {
      return kinds.values().reduce((sum, entries) => sum + entries.size, 0);
    },
  };
}

/** Second chance: a flag costs a reader less than a move to the end of the map does. */
const evictOne = (entries: Map<string, Entry>): void => {
  for (const [id, entry] of entries) {
    entries.delete(id);
    if (!entry.read) return;
    entry.read = false;
    entries.set(id, entry);
  }
};
