/** How many sockets a key has open: an owner, an address. Forgets a key with its last socket. */
export interface Tally {
  /** Counts one more, or returns false when the key has as many as it may. */
  take(key: string): boolean;
  give(key: string): void;
  readonly keys: number;
}

export const tally = (max: number): Tally => {
  if (!Number.isInteger(max) || max < 1) throw new TypeError('A bound on sockets must be a whole number above 0');
  const counts = new Map<string, number>();
  return {
    take(key) {
      const count = counts.get(key) ?? 0;
      if (count >= max) return false;
      counts.set(key, count + 1);
      return true;
    },
    give(key) {
      const count = counts.get(key) ?? 0;
      if (count > 1) counts.set(key, count - 1);
      else counts.delete(key);
    },
    get keys() {
      return counts.size;
    },
  };
};
