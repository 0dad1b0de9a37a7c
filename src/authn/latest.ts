/**
 * What is judged from memory while a store keeps it: read whole, one reading at a time, and read again when another
 * process has changed something. While it cannot be read, what was known goes on holding.
 */
import { setTimeout as pause } from 'node:timers/promises';

export interface LatestOptions<T> {
  readonly read: () => Promise<T>;
  /** Takes what was read as all that there is. */
  readonly take: (all: T) => void;
  /** Hears of each change once. */
  readonly notice: (readable: boolean, detail: string) => void;
}

export interface Latest {
  /** Resolves when all is known, or rejects with the store's error. */
  first(): Promise<void>;
  /** Has it read again, now or behind the reading that is under way. */
  again(): void;
  /** What a reading that is under way will bring is older than what is known. */
  spoil(): void;
  /** False while it cannot be read. */
  healthy(): boolean;
  close(): void;
}

/** A reading that failed is tried again after this time: the store tells of a change once. */
const RETRY_MILLIS = 250;

/** Between two readings, so that a thousand changes in a row elsewhere are not a thousand readings here. */
const GAP_MILLIS = 50;

/** Returns what reads; nothing is read before it is told to. */
export const latest = <T>({ read, take, notice }: LatestOptions<T>): Latest => {
  let healthy = true;
  let reading = false;
  let outdated = false;
  let closed = false;

  const readOnce = async (): Promise<void> => {
    outdated = false;
    const all = await read();
    // A reading that something of our own overtook would undo it.
    if (!outdated) take(all);
  };

  const change = (readable: boolean, detail: string): void => {
    if (readable === healthy) return;
    healthy = readable;
    notice(readable, detail);
  };

  const readUntilLatest = async (): Promise<void> => {
    reading = true;
    do {
      try {
        await readOnce();
        change(true, 'they are read again');
        await pause(GAP_MILLIS, undefined, { ref: false });
      } catch (error) {
        change(false, String(error));
        await pause(RETRY_MILLIS, undefined, { ref: false });
        outdated = true;
      }
    } while (outdated && !closed);
    reading = false;
  };

  return {
    async first(): Promise<void> {
      reading = true;
      do await readOnce();
      while (outdated);
      reading = false;
    },
    again(): void {
      outdated = true;
      if (!reading && !closed) void readUntilLatest();
    },
    spoil(): void {
      outdated = true;
    },
    healthy: () => healthy,
    close(): void {
      closed = true;
    },
  };
};
