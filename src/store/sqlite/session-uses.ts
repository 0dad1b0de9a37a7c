/**
 * The last uses of sessions, gathered for a moment before they are written: a flush to the disk for each would be the
 * larger part of what a request costs.
 */

/** What is gathered in this time is written together. A crash forgets no more of it. */
const GATHER_MILLIS = 200;

export interface LatestUses {
  /** Resolves when it is written. */
  note(digest: string, usedAtMillis: number): Promise<void>;
  /** Returns the use that waits to be written, -Infinity where there is none. */
  of(digest: string): number;
  /** Begins to write what waits, now. */
  write(): void;
}

/** Returns an empty gathering; `keep` writes one use down. */
export function latestUses(keep: (digest: string, usedAtMillis: number) => Promise<void>): LatestUses {
  let waiting = new Map<string, number>();
  let written = Promise.withResolvers<void>();
  let timer: NodeJS.Timeout | undefined;

  function write(): void {
    clearTimeout(timer);
    timer = undefined;
    const [uses, { resolve, reject }] = [waiting, written];
    waiting = new Map();
    written = Promise.withResolvers();
    Promise.all([...uses].map(([digest, usedAtMillis]) => keep(digest, usedAtMillis))).then(() => resolve(), reject);
  }

  return {
    note(digest, usedAtMillis) {
      waiting.set(digest, Math.max(usedAtMillis, waiting.get(digest) ?? usedAtMillis));
      timer ??= setTimeout(write, GATHER_MILLIS).unref();
      return written.promise;
    },
    of: (digest) => waiting.get(digest) ?? Number.NEGATIVE_INFINITY,
    write() {
      if (timer !== undefined) write();
    },
  };
}
