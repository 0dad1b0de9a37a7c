/** What a counter does while Redis is away: this replica counts alone, and says so once. */

export interface FallbackNotice {
  /** `local`: this replica counts alone from now on. `redis`: all replicas count together again. */
  readonly counting: 'local' | 'redis';
  readonly detail: string;
}

/** Returns a function that asks Redis and, when that fails, this process; `notice` hears of each change once. */
export function withFallback(
  notice: (notice: FallbackNotice) => void,
): <T>(remote: () => Promise<T>, local: () => T | Promise<T>) => Promise<T> {
  let away = false;
  return async (remote, local) => {
    try {
      const answer = await remote();
      if (away) {
        away = false;
        notice({ counting: 'redis', detail: 'Redis answers again' });
      }
      return answer;
    } catch (cause) {
      if (!away) {
        away = true;
        notice({ counting: 'local', detail: cause instanceof Error ? cause.message : String(cause) });
      }
      return await local();
    }
  };
}
