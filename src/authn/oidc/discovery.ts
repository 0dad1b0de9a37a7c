/**
 * A provider's metadata over time: read when first needed, one reading at a time, kept while the provider is away, and
 * asked for ever more slowly while it does not answer.
 */
import { ProviderAway } from './fetch.ts';

export interface DiscoveryTimes {
  /** After this time it is read again, while what is known goes on being used. */
  readonly refreshMillis: number;
  /** What was read last is used for so long while no reading succeeds. */
  readonly staleMillis: number;
  /** After a failure nobody asks for so long; twice as long after each further one. */
  readonly pauseMillis: number;
  readonly longestPauseMillis: number;
}

export interface DiscoveryOptions<T> {
  readonly read: () => Promise<T>;
  readonly times: DiscoveryTimes;
  readonly now: () => number;
  /** Is told of each failure, with its detail. Must not throw. */
  readonly failed: (detail: string) => void;
}

export interface Discovery<T> {
  /** Resolves with what is known, or rejects with ProviderAway. */
  current(): Promise<T>;
  /** Returns what is known without asking anybody. */
  known(): T | undefined;
  /** Returns in how many milliseconds asking again makes sense; 0: at once. */
  pausedFor(): number;
}

const MAX_DOUBLINGS = 16;

/** Returns what reads something of a provider; nothing is read before it is needed. */
export const discovery = <T>({ read, times, now, failed }: DiscoveryOptions<T>): Discovery<T> => {
  let held: { readonly value: T; readonly readAtMillis: number } | undefined;
  let reading: Promise<T> | undefined;
  let failures = 0;
  let failedAtMillis = Number.NEGATIVE_INFINITY;
  let detail = '';

  const pause = (): number => {
    if (failures === 0) return 0;
    const doubled = times.pauseMillis * 2 ** Math.min(failures - 1, MAX_DOUBLINGS);
    const length = Math.min(doubled, times.longestPauseMillis);
    const left = failedAtMillis + length - now();
    // A clock that was set back must not make the pause longer than it was meant to be.
    return left > length ? 0 : Math.max(0, left);
  };
  const age = (): number => (held === undefined ? Number.POSITIVE_INFINITY : Math.max(0, now() - held.readAtMillis));
  const usable = (): T | undefined => (age() < times.staleMillis ? held?.value : undefined);

  const readAndKeep = async (): Promise<T> => {
    try {
      const value = await read();
      held = { value, readAtMillis: now() };
      failures = 0;
      return value;
    } catch (error) {
      failures += 1;
      failedAtMillis = now();
      detail = error instanceof ProviderAway ? error.message : String(error);
      failed(detail);
      throw error;
    } finally {
      reading = undefined;
    }
  };
  const readOnce = (): Promise<T> => {
    reading ??= readAndKeep();
    return reading;
  };

  return {
    async current() {
      const value = usable();
      const resting = pause() > 0;
      if (value === undefined) {
        if (resting) throw new ProviderAway(`is not asked again yet: ${detail}`);
        return readOnce();
      }
      // Whoever logs in meanwhile need not wait for it.
      if (age() >= times.refreshMillis && !resting) readOnce().catch(() => undefined);
      return value;
    },
    known: usable,
    pausedFor: pause,
  };
};
