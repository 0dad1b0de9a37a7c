/**
 * Tokens that were verified before. Only successes are kept, each no longer than its token, its key and its issuer's
 * key set are good for; how many is bounded.
 */
import type { Principal } from '../model/principal.ts';
import type { Verdict } from './jwt.ts';

export interface Verdicts {
  /** Returns the principal of a token whose verdict still holds. Synchronous. */
  recall(digest: string): Principal | undefined;
  remember(digest: string, verdict: Verdict): void;
  readonly size: number;
}

/** So many entries in recent use are passed over before one of them has to go. */
const MAX_REPRIEVES = 8;

interface Entry {
  readonly verdict: Verdict;
  recalled: boolean;
}

/** Returns an empty memory of at most `maxEntries`; what was not recalled since the last time makes room first. */
export const verdicts = (maxEntries: number, now: () => number): Verdicts => {
  const entries = new Map<string, Entry>();

  const makeRoom = (): void => {
    let reprieves = 0;
    for (const [digest, entry] of entries) {
      entries.delete(digest);
      if (!entry.recalled || reprieves === MAX_REPRIEVES) return;
      entry.recalled = false;
      entries.set(digest, entry);
      reprieves += 1;
    }
  };

  return {
    recall(digest) {
      const entry = entries.get(digest);
      if (entry === undefined) return undefined;
      const { principal, key, keys, endsAtMillis } = entry.verdict;
      if (now() >= endsAtMillis || key.retired || !keys.current()) {
        entries.delete(digest);
        return undefined;
      }
      entry.recalled = true;
      return principal;
    },
    remember(digest, verdict) {
      if (maxEntries === 0) return;
      if (entries.size >= maxEntries && !entries.has(digest)) makeRoom();
      entries.set(digest, { verdict, recalled: false });
    },
    get size() {
      return entries.size;
    },
  };
};
