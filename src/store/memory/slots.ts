/** How many at once, counted in this process. Without timers: what has run out is dropped when its key is next seen. */
import type { SlotRequest, Slots } from '../../ratelimit/slots.ts';

/** The times at which the members of a key end. */
type Members = Map<string, number>;

/** So many other keys are looked at whenever a key is added: more are dropped than can be left behind. */
const LOOKED_AT = 2;

export interface MemorySlots extends Slots {
  acquire(request: SlotRequest): boolean;
  release(key: string, member: string): void;
  /** The number of keys. */
  readonly size: number;
}

/** Returns empty slots. `now`: milliseconds of a clock that is never set back. */
export function memorySlots(options: { readonly now?: () => number } = {}): MemorySlots {
  const now = options.now ?? (() => performance.now());
  const keys = new Map<string, Members>();

  function drop(key: string, members: Members, at: number): void {
    for (const [member, end] of members) if (end <= at) members.delete(member);
    if (members.size === 0) keys.delete(key);
  }

  function dropSome(at: number): void {
    let looked = 0;
    for (const [key, members] of keys) {
      if (looked === LOOKED_AT) return;
      looked += 1;
      drop(key, members, at);
      // To the end, so that the next ones are looked at next time.
      if (keys.delete(key)) keys.set(key, members);
    }
  }

  return {
    acquire({ key, member, max, timeoutMillis }) {
      const at = now();
      let members = keys.get(key);
      if (members === undefined) {
        dropSome(at);
        members = new Map();
      } else {
        drop(key, members, at);
      }
      if (!members.has(member) && members.size >= max) return false;
      members.set(member, at + timeoutMillis);
      keys.set(key, members);
      return true;
    },
    release(key, member) {
      const members = keys.get(key);
      if (members?.delete(member) === true && members.size === 0) keys.delete(key);
    },
    get size() {
      return keys.size;
    },
  };
}
