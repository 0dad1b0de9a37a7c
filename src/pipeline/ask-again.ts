/** A store that fails is asked again for a while: what waits for it keeps its place. */
import { setTimeout as pause } from 'node:timers/promises';

export interface Patience {
  /** In milliseconds, of any clock. */
  readonly now: () => number;
  /** By that clock. */
  readonly untilMillis: number;
  /** Before it is asked again, the first time. */
  readonly retryMillis: number;
}

/** Resolves with the answer, or with undefined when there was none in time. */
export const askAgain = async <T>(
  { now, untilMillis, retryMillis }: Patience,
  ask: () => T | Promise<T>,
): Promise<T | undefined> => {
  for (let millis = retryMillis; ; millis = Math.min(millis * 2, retryMillis * 10)) {
    try {
      return await ask();
    } catch {
      // Whatever it was, it is asked again or told as what it comes to: nobody knows.
      if (now() + millis > untilMillis) return undefined;
      await pause(millis, undefined, { ref: false });
    }
  }
};
