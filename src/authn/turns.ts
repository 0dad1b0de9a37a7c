/** Work of which only so much may be under way at once, and only so much may wait. */
export interface Turns {
  /** Does the work in its turn and settles as it does; rejects with what `refuse` returns where too much waits already. */
  take<T>(work: () => Promise<T>): Promise<T>;
}

export interface TurnsOptions {
  readonly atOnce: number;
  readonly waiting: number;
  readonly refuse: () => Error;
}

/** Returns turns that nobody has taken yet; they are given in the order in which they were asked for. */
export const turns = ({ atOnce, waiting, refuse }: TurnsOptions): Turns => {
  const queue: Array<() => void> = [];
  let busy = 0;

  const begin = async (): Promise<void> => {
    if (busy < atOnce) {
      busy += 1;
      return;
    }
    if (queue.length >= waiting) throw refuse();
    await new Promise<void>((resolve) => queue.push(resolve));
  };

  /** A turn is handed on, so that who comes later cannot take it away from who waits. */
  const end = (): void => {
    const next = queue.shift();
    if (next === undefined) busy -= 1;
    else next();
  };

  return {
    async take(work) {
      await begin();
      try {
        return await work();
      } finally {
        end();
      }
    },
  };
};

/** Does the work in its turn among those of its key, and settles as it does; rejects as `Turns` do. */
export type Portions = <T>(key: string, work: () => Promise<T>) => Promise<T>;

/** Returns turns for each key, so that none takes the places of all. */
export const portions = (options: TurnsOptions): Portions => {
  const lines = new Map<string, { readonly turns: Turns; taken: number }>();
  return async (key, work) => {
    const line = lines.get(key) ?? { turns: turns(options), taken: 0 };
    lines.set(key, line);
    line.taken += 1;
    try {
      return await line.turns.take(work);
    } finally {
      line.taken -= 1;
      if (line.taken === 0) lines.delete(key);
    }
  };
};
