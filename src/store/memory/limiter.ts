/** How often, counted in this process: one number for a key in a bounded map. Synchronous, and without timers. */
import { judge, paceOf, worstOf } from '../../ratelimit/gcra.ts';
import type { LimitCheck, Limiter, LimitVerdict } from '../../ratelimit/limiter.ts';

export interface MemoryLimiterOptions {
  readonly maxEntries: number;
  /** Milliseconds of a clock that is never set back. */
  readonly now?: () => number;
}

export interface MemoryLimiter extends Limiter {
  take(checks: readonly LimitCheck[]): LimitVerdict;
  readonly size: number;
}

/** How many of those that were counted longest ago are looked at for room. */
const LOOKED_AT = 32;

/** Returns a limiter that judges at once; throws a TypeError when the bound is not a positive integer. */
export function memoryLimiter(options: MemoryLimiterOptions): MemoryLimiter {
  const { maxEntries } = options;
  if (!Number.isInteger(maxEntries) || maxEntries < 1) throw new TypeError('maxEntries must be a positive integer');
  const now = options.now ?? (() => performance.now());
  // Ordered by the last time a point was taken.
  const tats = new Map<string, number>();

  function take(checks: readonly LimitCheck[]): LimitVerdict {
    const nowMicros = Math.floor(now() * 1000);
    const judged = checks.map(({ limit, key }) => {
      const name = `${limit.name}:${key}`;
      return { limit, name, verdict: judge(tats.get(name) ?? 0, nowMicros, paceOf(limit)) };
    });
    const worst = worstOf(judged);
    if (worst.allowed) {
      for (const { name, verdict } of judged) record(name, verdict.tat, nowMicros);
    }
    return worst;
  }

  function record(name: string, tat: number, nowMicros: number): void {
    if (!tats.delete(name) && tats.size >= maxEntries) makeRoom(nowMicros);
    tats.set(name, tat);
  }

  function makeRoom(nowMicros: number): void {
    let oldest: string | undefined;
    let looked = 0;
    for (const [name, tat] of tats) {
      oldest ??= name;
      // A TAT that has passed says what no entry says.
      if (tat <= nowMicros) tats.delete(name);
      looked += 1;
      if (looked === LOOKED_AT) break;
    }
    if (tats.size >= maxEntries && oldest !== undefined) tats.delete(oldest);
  }

  return {
    take,
    get size() {
      return tats.size;
    },
  };
}
