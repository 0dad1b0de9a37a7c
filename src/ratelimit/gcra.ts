/**
 * The arithmetic of a rate limit: the generic cell rate algorithm (ITU-T I.371, annex A). One number for a key, the
 * theoretical arrival time (TAT) of the next point, allows a burst of `points` and then one point each `perMillis /
 * points`, with no window at whose edge a second burst gets through. rate-limiter-flexible was not taken because its
 * fixed windows let that double burst pass, its union of limits takes points for a call that it refuses, and its
 * memory store keeps a timer for every key.
 */
import type { RateLimit } from '../model/limits.ts';
import type { LimitVerdict } from './limiter.ts';

/** All times are whole microseconds: Unix time in them stays below 2^53 until the year 2255. */
export interface Pace {
  readonly emissionMicros: number;
  readonly burstMicros: number;
}

/** Returns the pace of a limit. The time between points is rounded up, so that it never allows more than was said. */
export function paceOf(limit: RateLimit): Pace {
  const emissionMicros = Math.ceil((limit.perMillis * 1000) / limit.points);
  return { emissionMicros, burstMicros: emissionMicros * limit.points };
}

export interface Verdict {
  readonly allowed: boolean;
  /** The TAT to record when the point is taken; when it is refused, the one that was. */
  readonly tat: number;
  readonly remaining: number;
  readonly resetMillis: number;
  readonly retryAfterMillis: number;
}

/** Returns whether one more point is allowed now, given the recorded TAT (0: none), and what is left after it. */
export function judge(recordedTat: number, nowMicros: number, pace: Pace): Verdict {
  const { emissionMicros, burstMicros } = pace;
  // Never further ahead than a whole burst: a clock set back or a limit made smaller does not lock anybody out.
  const start = Math.min(Math.max(recordedTat, nowMicros), nowMicros + burstMicros);
  const spent = start - nowMicros;
  const wait = spent + emissionMicros - burstMicros;
  if (wait > 0) {
    return {
      allowed: false,
      tat: start,
      remaining: 0,
      resetMillis: Math.ceil(spent / 1000),
      retryAfterMillis: Math.ceil(wait / 1000),
    };
  }
  const tat = start + emissionMicros;
  return {
    allowed: true,
    tat,
    remaining: Math.floor((burstMicros - spent - emissionMicros) / emissionMicros),
    resetMillis: Math.ceil((spent + emissionMicros) / 1000),
    retryAfterMillis: 0,
  };
}

export interface Judged {
  readonly limit: RateLimit;
  readonly verdict: Verdict;
}

/** Returns what to say of limits that were judged together; there is at least one. Only if it allows are TATs recorded. */
export function worstOf(judged: readonly Judged[]): LimitVerdict {
  const { limit, verdict } = judged.reduce((worst, one) => (isWorse(one.verdict, worst.verdict) ? one : worst));
  const { allowed, remaining, resetMillis, retryAfterMillis } = verdict;
  return { allowed, limit, remaining, resetMillis, retryAfterMillis };
}

/** Refused before allowed; of the refused, the one that takes longest; of the allowed, the one with the least left. */
function isWorse(one: Verdict, other: Verdict): boolean {
  if (one.allowed !== other.allowed) return !one.allowed;
  return one.allowed ? one.remaining < other.remaining : one.retryAfterMillis > other.retryAfterMillis;
}
