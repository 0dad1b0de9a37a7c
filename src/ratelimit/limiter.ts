/** The port behind "how often": all limits of one request are judged together, and a refusal costs none of them. */
import type { RateLimit } from '../model/limits.ts';

export interface LimitCheck {
  readonly limit: RateLimit;
  /** Whom it counts: an owner or an address. */
  readonly key: string;
}

export interface LimitVerdict {
  readonly allowed: boolean;
  /** The limit that refused, or else the one with the least left. */
  readonly limit: RateLimit;
  /** Whole points left of it. */
  readonly remaining: number;
  /** Milliseconds until all its points are back. */
  readonly resetMillis: number;
  /** Milliseconds until one more would be allowed; 0 when `allowed`. */
  readonly retryAfterMillis: number;
}

export interface Limiter {
  /** Takes one point from each limit, or none from any. `checks` is never empty. */
  take(checks: readonly LimitCheck[]): LimitVerdict | Promise<LimitVerdict>;
}
