/**
 * Events of one resource never overtake one another, however long the look-up of an owner takes; events of different
 * resources never wait for one another. What waits is bounded, in all and for each resource.
 */

/**
 * The rest of an event's life. Returns nothing when it is over at once, else a promise. When it may not wait, because
 * everything that can be held is held already, it must end at once, at the worst by dropping the event.
 */
export type Work = (mayWait: boolean) => void | Promise<void>;

export type Overflow = 'queue-events' | 'queue-bytes' | 'queue-events-of-one' | 'queue-bytes-of-one';

export interface Order {
  /**
   * Does the work now when nothing of the key is under way, else when that is over. Returns why there was no room, and
   * then the work is never done. `weigh` returns about how many bytes are held while it waits, and is asked only then.
   */
  run(key: string, weigh: () => number, work: Work): Overflow | undefined;
  /** Events that are under way or wait, the bytes they hold, and the keys that have a queue. */
  held(): { readonly events: number; readonly bytes: number; readonly keys: number };
}

export interface OrderOptions {
  readonly maxEvents?: number;
  readonly maxBytes?: number;
  readonly maxEventsPerKey?: number;
  readonly maxBytesPerKey?: number;
  /** Is told what a piece of work threw; the ones behind it are done all the same. */
  readonly failed: (error: unknown) => void;
}

interface Queue {
  readonly waiting: Array<{ readonly work: Work; readonly weight: number }>;
  events: number;
  bytes: number;
}

/** Returns the order of events, or throws a TypeError for a bound below 1. */
export const order = ({ failed, ...bounds }: OrderOptions): Order => {
  const held = holdings(bounds);
  const queues = new Map<string, Queue>();

  const begin = (work: Work, mayWait: boolean): Promise<void> | undefined => {
    try {
      return work(mayWait) ?? undefined;
    } catch (error) {
      failed(error);
      return undefined;
    }
  };

  const follow = async (key: string, queue: Queue, first: { done: Promise<void>; weight: number }): Promise<void> => {
    let { done, weight }: { done: Promise<void> | undefined; weight: number } = first;
    for (;;) {
      if (done !== undefined) await done.catch(failed);
      held.change(queue, -1, weight);
      const next = queue.waiting.shift();
      if (next === undefined) break;
      weight = next.weight;
      done = begin(next.work, true);
    }
    queues.delete(key);
  };

  return {
    run(key, weigh, work) {
      const queue = queues.get(key);
      if (queue === undefined) {
        const done = begin(work, held.hasRoom());
        if (done === undefined) return undefined;
        const fresh: Queue = { waiting: [], events: 0, bytes: 0 };
        const weight = weigh();
        queues.set(key, fresh);
        held.change(fresh, 1, weight);
        void follow(key, fresh, { done, weight });
        return undefined;
      }
      const weight = weigh();
      const full = held.overflow(queue, weight);
      if (full !== undefined) return full;
      held.change(queue, 1, weight);
      queue.waiting.push({ work, weight });
      return undefined;
    },
    held: () => ({ ...held.sum(), keys: queues.size }),
  };
};

/** What is held in all and by each queue, and whether there is room for more. */
const holdings = (bounds: Omit<OrderOptions, 'failed'>) => {
  const { maxEvents = 10_000, maxBytes = 256 << 20, maxEventsPerKey = 2_000, maxBytesPerKey = 64 << 20 } = bounds;
  for (const [name, value] of Object.entries({ maxEvents, maxBytes, maxEventsPerKey, maxBytesPerKey })) {
    if (!(value >= 1)) throw new TypeError(`${name} must be at least 1`);
  }
  let events = 0;
  let bytes = 0;
  return {
    sum: () => ({ events, bytes }),
    hasRoom: (): boolean => events < maxEvents && bytes < maxBytes,
    change(queue: Queue, sign: 1 | -1, weight: number): void {
      queue.events += sign;
      queue.bytes += sign * weight;
      events += sign;
      bytes += sign * weight;
    },
    overflow(queue: Queue, weight: number): Overflow | undefined {
      if (events >= maxEvents) return 'queue-events';
      if (bytes + weight > maxBytes) return 'queue-bytes';
      if (queue.events >= maxEventsPerKey) return 'queue-events-of-one';
      if (queue.bytes + weight > maxBytesPerKey) return 'queue-bytes-of-one';
      return undefined;
    },
  };
};
