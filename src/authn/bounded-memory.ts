/** What may be remembered for a while: so many entries at most, each no longer than it is said to hold. */
export interface BoundedMemory<T> {
  /** Returns what is remembered and still holds. */
  recall(key: string): T | undefined;
  /** It holds from one moment (Unix time in milliseconds) until before the other. */
  remember(key: string, value: T, span: Span): void;
  forget(key: string): void;
  readonly size: number;
}

export interface Span {
  readonly fromMillis: number;
  readonly untilMillis: number;
}

/** Returns an empty memory; what was not used for longest makes room first. */
export const boundedMemory = <T>(maxEntries: number, now: () => number): BoundedMemory<T> => {
  const entries = new Map<string, { readonly value: T; readonly span: Span }>();
  return {
    recall(key) {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      entries.delete(key);
      const { fromMillis, untilMillis } = entry.span;
      const nowMillis = now();
      // A clock that was set back must not have it hold longer than it was meant to.
      if (nowMillis < fromMillis || nowMillis >= untilMillis) return undefined;
      entries.set(key, entry);
      return entry.value;
    },
    remember(key, value, span) {
      entries.delete(key);
      const [oldest] = entries.keys();
      if (entries.size >= maxEntries && oldest !== undefined) entries.delete(oldest);
      entries.set(key, { value, span });
    },
    forget: (key) => void entries.delete(key),
    get size() {
      return entries.size;
    },
  };
};
