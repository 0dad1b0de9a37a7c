/** Moments that are waited for: one timer for all of them, in slots of a fraction of a second. */
export interface Deadlines {
  /** Calls `due` once, up to one slot before `untilMillis`. Returns a function that takes it back; idempotent. */
  at(untilMillis: number, due: () => void): () => void;
  /** Calls what is due. The timer does this by itself. */
  tick(): void;
  /** The number that is waited for. */
  readonly size: number;
  close(): void;
}

export interface DeadlinesOptions {
  readonly now?: (() => number) | undefined;
  readonly slotMillis?: number | undefined;
}

/** Each moment has an entry of its own: one function may be due more than once. */
interface Entry {
  readonly due: () => void;
}

/** Returns a timer that rests while nothing is waited for. */
export const deadlines = ({ now = Date.now, slotMillis = 250 }: DeadlinesOptions = {}): Deadlines => {
  if (!(slotMillis >= 1)) throw new TypeError('slotMillis must be at least 1');
  const slots = new Map<number, Set<Entry>>();
  let size = 0;
  let timer: NodeJS.Timeout | undefined;

  const rest = (): void => {
    clearInterval(timer);
    timer = undefined;
  };

  const empty = (slot: number): void => {
    const entries = slots.get(slot);
    if (entries === undefined) return;
    slots.delete(slot);
    for (const entry of entries) {
      // One of them may take another back.
      entries.delete(entry);
      size -= 1;
      entry.due();
    }
  };

  const tick = (): void => {
    const current = Math.floor(now() / slotMillis);
    for (const slot of [...slots.keys()]) if (slot <= current) empty(slot);
    if (size === 0) rest();
  };

  return {
    at(untilMillis, due) {
      const slot = Math.floor(untilMillis / slotMillis);
      const entry: Entry = { due };
      const entries = slots.get(slot) ?? new Set<Entry>();
      slots.set(slot, entries.add(entry));
      size += 1;
      timer ??= setInterval(tick, slotMillis).unref();
      return () => {
        if (!entries.delete(entry)) return;
        size -= 1;
        if (entries.size === 0 && slots.get(slot) === entries) slots.delete(slot);
        if (size === 0) rest();
      };
    },
    tick,
    get size() {
      return size;
    },
    close() {
      rest();
      slots.clear();
      size = 0;
    },
  };
};
