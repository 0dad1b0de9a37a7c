/** What may be used one time only, until nobody could use it any more. */

export interface Once {
  has(key: string): boolean;
  /** Notes a use. Of too many, those that were noted first are forgotten. */
  add(key: string, untilMillis: number): void;
  /** It came to nothing, and may be tried again. */
  takeBack(key: string): void;
  readonly size: number;
}

/** Returns an empty memory of at most `maxEntries`. */
export const once = (maxEntries: number, now: () => number): Once => {
  const used = new Map<string, number>();

  const forget = (): void => {
    for (const [key, untilMillis] of used) {
      // The first ones are the oldest, and all of them live about as long.
      if (untilMillis > now() && used.size < maxEntries) return;
      used.delete(key);
    }
  };

  return {
    has: (key) => (used.get(key) ?? Number.NEGATIVE_INFINITY) > now(),
    add(key, untilMillis) {
      used.delete(key);
      forget();
      used.set(key, untilMillis);
    },
    takeBack: (key) => void used.delete(key),
    get size() {
      return used.size;
    },
  };
};
