/** How often, counted in this process: one number for a key in a bounded map. Synchronous, and without timers. */
import type { RateLimit } from '../../model/limits.ts';
import { type Judged, judge, paceOf, worstOf } from '../../ratelimit/gcra.ts';
import type { LimitCheck, Limiter, LimitVerdict } from '../../ratelimit/limiter.ts';

export interface MemoryLimiterOptions {
  /** How many keys are remembered of each limit. */
  readonly maxEntries: number;
  /** Milliseconds of a clock that is never set back. */
  readonly now?: () => number;
}

export interface MemoryLimiter extends Limiter {
  take(checks: readonly LimitCheck[]): LimitVerdict;
  readonly size: number;
}

interface Counted extends Judged {
  readonly key: string;
  readonly tats: Map<string, number>;
}

/** How many of those that were counted longest ago are looked at for room. */
const LOOKED_AT = 32;

/** Returns a limiter that judges at once; throws a TypeError when the bound is not a positive integer. */
export function memoryLimiter(options: MemoryLimiterOptions): MemoryLimiter {
  const { maxEntries } = options;
  if (!Number.isInteger(maxEntries) || maxEntries < 1) throw new TypeError('maxEntries must be a positive integer');
  const now = options.now ?? (() => performance.now());
  /**
   * By the limit's name, then by the key, in the order in which points were taken last. No name is put together of both:
   * an owner's text is one that every request of theirs shares, and so found by comparing pointers.
   */
  const limits = new Map<string, Map<string, number>>();

  /** Another policy may have become live: what nobody counts by any more is forgotten once it has passed. */
  const forgetPassed = (nowMicros: number): void => {
    for (const [name, tats] of limits) if (hasPassed(tats, nowMicros)) limits.delete(name);
  };

  const tatsOf = ({ name }: RateLimit): Map<string, number> => {
    let tats = limits.get(name);
    if (tats === undefined) {
      tats = new Map();
      limits.set(name, tats);
    }
    return tats;
  };

  const judgeOne = ({ limit, key }: LimitCheck, nowMicros: number): Counted => {
    const tats = tatsOf(limit);
    return { limit, key, tats, verdict: judge(tats.get(key) ?? 0, nowMicros, paceOf(limit)) };
  };

  const record = ({ tats, key, verdict }: Counted, nowMicros: number): void => {
    if (!tats.delete(key) && tats.size >= maxEntries) makeRoom(tats, nowMicros);
    tats.set(key, verdict.tat);
  };

  return {
    take(checks) {
      const nowMicros = Math.floor(now() * 1000);
      if (checks.some(({ limit }) => !limits.has(limit.name))) forgetPassed(nowMicros);
      const judged = checks.map((check) => judgeOne(check, nowMicros));
      const worst = worstOf(judged);
      if (worst.allowed) for (const one of judged) record(one, nowMicros);
      return worst;
    },
    get size() {
      return limits.values().reduce((sum, tats) => sum + tats.size, 0);
    },
  };
}

/** A TAT that has passed says what no entry says. */
const hasPassed = (tats: ReadonlyMap<string, number>, nowMicros: number): boolean =>
  tats.values().every((tat) => tat <= nowMicros);

const makeRoom = (tats: Map<string, number>, nowMicros: number): void => {
  let oldest: string | undefined;
  let looked = 0;
  const before = tats.size;
  for (const [key, tat] of tats) {
    oldest ??= key;
    if (tat <= nowMicros) tats.delete(key);
    looked += 1;
    if (looked === LOOKED_AT) break;
  }
  if (tats.size === before && oldest !== undefined) tats.delete(oldest);
};
