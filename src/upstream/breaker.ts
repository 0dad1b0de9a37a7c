/** Spares an upstream that cannot be reached: after a few failures in a row, one try a moment, the others refused at once. */
import { Rejection } from '../model/rejection.ts';

interface BreakerOptions {
  /** Failures in a row that open it. */
  readonly failures: number;
  /** Between two tries while it is open. */
  readonly restMillis: number;
  readonly now: () => number;
}

export interface Breaker {
  /** Throws `upstream-resting` unless a try may be made now. */
  admit(): void;
  reached(): void;
  unreachable(): void;
  closed(): boolean;
}

export const breaker = ({ failures, restMillis, now }: BreakerOptions): Breaker => {
  let inRow = 0;
  let nextTryAt = 0;
  return {
    admit() {
      if (inRow < failures) return;
      if (now() < nextTryAt) {
        throw new Rejection('upstream-resting', `${inRow} connections failed in a row`, {
          headers: ['retry-after', String(Math.ceil(restMillis / 1000))],
        });
      }
      nextTryAt = now() + restMillis;
    },
    reached() {
      inRow = 0;
    },
    unreachable() {
      inRow += 1;
      nextTryAt = now() + restMillis;
    },
    closed: () => inRow === 0,
  };
};
