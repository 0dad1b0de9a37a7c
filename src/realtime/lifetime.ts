/** A socket never outlives its authority: one timer for all of them, in slots of a fraction of a second. */
export interface Lifetime {
  /** Calls `ended` once, up to one slot before `untilMillis`. Returns a function that takes it back; idempotent. */
  watch(untilMillis: number, ended: () => void): () => void;
  /** Ends what is due. The timer does this by itself. */
  tick(): void;
  /** The number that is watched. */
  readonly size: number;
  close(): void;
}

export interface LifetimeOptions {
  readonly now?: () => number;
  readonly slotMillis?: number;
  /** Told, of each that was ended, by how many milliseconds that was too late; early is 0. */
  readonly late?: (millis: number) => void;
}

interface Watched {
  readonly untilMillis: number;
  readonly ended: () => void;
}

export const lifetime = ({ now = Date.now, slotMillis = 250, late }: LifetimeOptions = {}): Lifetime => {
  if (!(slotMillis >= 1)) throw new TypeError('slotMillis must be at least 1');
  const slots = new Map<number, Set<Watched>>();
  let size = 0;
  let timer: NodeJS.Timeout | undefined;

  const rest = (): void => {
    clearInterval(timer);
    timer = undefined;
  };

  const end = (slot: number): void => {
    const due = slots.get(slot);
    if (due === undefined) return;
    slots.delete(slot);
    size -= due.size;
    for (const { untilMillis, ended } of due) {
      ended();
      // Asked of the clock each time: where thousands end at once, the last of them waits for the others.
      late?.(Math.max(0, now() - untilMillis));
    }
  };

  const tick = (): void => {
    const current = Math.floor(now() / slotMillis);
    for (const slot of [...slots.keys()]) if (slot <= current) end(slot);
    if (size === 0) rest();
  };

  return {
    watch(untilMillis, ended) {
      const slot = Math.floor(untilMillis / slotMillis);
      const entry: Watched = { untilMillis, ended };
      const entries = slots.get(slot) ?? new Set<Watched>();
      slots.set(slot, entries.add(entry));
      size += 1;
      timer ??= setInterval(tick, slotMillis).unref();
      return () => {
        if (!slots.get(slot)?.delete(entry)) return;
        size -= 1;
        if (slots.get(slot)?.size === 0) slots.delete(slot);
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
