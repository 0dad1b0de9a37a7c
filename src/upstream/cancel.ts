/**
 * Asks the upstream to end a run. Its answer proves little: a run may be a moment younger than its entry in the upstream's
 * table, and it is a 200 whether or not there was one (contract, section 3, cancel). So it is asked again until the caller
 * has heard the run's end, or has been patient enough.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Orders } from './origin.ts';

export interface CancelNotice {
  readonly kind: 'run-cancelled' | 'run-not-cancelled';
  readonly target: string;
  /** The last answer, or why there was none. */
  readonly detail: string;
}

export interface CancelOptions {
  readonly orders: Orders;
  readonly notice: (notice: CancelNotice) => void;
  readonly maxTries?: number;
  /** Until the end is looked for after the first time; twice as long each time. */
  readonly pauseMillis?: number;
  /** Aborted when the gateway closes: then nothing is asked any more. */
  readonly signal?: AbortSignal | undefined;
}

/** Enough to see which answer it is. */
const ENOUGH_BYTES = 256;

/** Returns a function that asks as long as it is wanted; it resolves when it asks no more, and never rejects. */
export const cancel = ({ orders, notice, maxTries = 5, pauseMillis = 250, signal }: CancelOptions) => {
  const ask = async (target: string): Promise<string> => {
    try {
      const { status, body } = await orders.post(target, ENOUGH_BYTES);
      return `${status} ${body.toString().slice(0, ENOUGH_BYTES)}`;
    } catch (error) {
      return String(error);
    }
  };

  return async (target: string, wanted: () => boolean): Promise<void> => {
    let detail = '';
    for (let tried = 0; tried < maxTries && signal?.aborted !== true; tried += 1) {
      detail = await ask(target);
      // It rejects when it is aborted, and then there is no next time.
      await pause(pauseMillis * 2 ** tried, undefined, { ref: false, signal }).catch(() => undefined);
      if (!wanted()) return notice({ kind: 'run-cancelled', target, detail });
    }
    notice({ kind: 'run-not-cancelled', target, detail });
  };
};
