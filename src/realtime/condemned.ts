/**
 * The runs of which nothing more is shown, by the resource that owns their events. Bounded in number and in time, for the
 * end of a run may never be heard.
 */
import { type ResourceRef, resourceKey } from '../model/resource.ts';

/**
 * `suspected`: something that it said was not heard, and nobody was told yet. `condemned`: until its end. `ended`: its
 * end was heard, but what it began may still come.
 */
export type Standing = 'suspected' | 'condemned' | 'ended';

export interface Condemned {
  /** Returns undefined for a run of which all may be shown. */
  standing(run: ResourceRef): Standing | undefined;
  suspect(run: ResourceRef): void;
  condemn(run: ResourceRef): void;
  /** The end of the run was heard. */
  ended(run: ResourceRef): void;
  /** From now on all may be shown. */
  release(run: ResourceRef): void;
  readonly size: number;
}

export interface CondemnedOptions {
  /** Those beyond are forgotten, the oldest first. */
  readonly maxRuns?: number;
  /** For how long the end of a run is awaited. */
  readonly maxAgeMillis?: number;
  /**
   * For so long after the end what the server makes is still withheld. Two runs of one resource overwrite each other in
   * the upstream's table: the end may be the other's, and this one cannot be cancelled (contract, section 3, cancel). The
   * call that it was condemned for waits up to 300 s for a word and works for up to 300 s.
   */
  readonly lingerMillis?: number;
  readonly now?: () => number;
}

interface Entry {
  readonly standing: Standing;
  readonly untilMillis: number;
}

/** Returns an empty list, or throws a TypeError for a bound that is none. */
export const condemned = (options: CondemnedOptions = {}): Condemned => {
  const { maxRuns = 10_000, maxAgeMillis = 3_600_000, lingerMillis = 600_000, now = Date.now } = options;
  if (!(maxRuns >= 1) || !(maxAgeMillis >= 1)) throw new TypeError('maxRuns and maxAgeMillis must be at least 1');
  if (!(lingerMillis >= 0)) throw new TypeError('lingerMillis must not be negative');
  const entries = new Map<string, Entry>();

  const current = (key: string): Entry | undefined => {
    const entry = entries.get(key);
    if (entry === undefined || entry.untilMillis > now()) return entry;
    entries.delete(key);
    return undefined;
  };

  const put = (key: string, standing: Standing, forMillis: number): void => {
    entries.delete(key);
    entries.set(key, { standing, untilMillis: now() + forMillis });
    for (const [oldest, { untilMillis }] of entries) {
      if (entries.size <= maxRuns && untilMillis > now()) break;
      entries.delete(oldest);
    }
  };

  return {
    // Asked of every event, and nearly always there is none.
    standing: (run) => (entries.size === 0 ? undefined : current(resourceKey(run))?.standing),
    suspect(run) {
      const key = resourceKey(run);
      if (current(key)?.standing !== 'condemned') put(key, 'suspected', maxAgeMillis);
    },
    condemn: (run) => put(resourceKey(run), 'condemned', maxAgeMillis),
    ended(run) {
      const key = resourceKey(run);
      const standing = current(key)?.standing;
      if (standing !== undefined && standing !== 'ended') put(key, 'ended', lingerMillis);
    },
    release: (run) => void entries.delete(resourceKey(run)),
    get size() {
      return entries.size;
    },
  };
};
