/**
 * Calls of agents' tools that wait for a person's word. The upstream looks at the id of a call alone (contract, section
 * 3, tool_confirmation): here it counts in the very place in which it was announced, for that place's owner, once. An id
 * that waits in two places at once is answered in neither, because nobody can tell which of them the upstream would take.
 */
import type { CallAnswer } from '../model/call.ts';
import type { Owner } from '../model/principal.ts';
import { type ResourceRef, resourceKey } from '../model/resource.ts';

/** `unknown`: nothing of that id waits in that place for that owner. `used`: it was answered. `collided`: it waits twice. */
export type Taken = 'taken' | 'unknown' | 'used' | 'collided';

export interface PendingCalls {
  /**
   * Notes that a call waits in a place. Without an owner, who is not known yet or will never be, nobody can answer it
   * there; but the same id collides with it everywhere else.
   */
  seen(place: ResourceRef, owner: Owner | undefined, call: string): void;
  /** Notes that a call waits no longer. */
  settled(place: ResourceRef, call: string): void;
  /** Takes a call for one request. Of several at once, one gets it. */
  take(answer: CallAnswer, requestId: string): Taken;
  /** Lets a call wait again that this request has taken and that was not settled since. */
  giveBack(answer: CallAnswer, requestId: string): void;
  /** The number that is remembered. */
  readonly size: number;
}

export interface PendingCallsOptions {
  /** In all; when there are as many, whoever has most loses the oldest. */
  readonly maxCalls?: number;
  /** Of one owner, who loses the oldest first. */
  readonly maxCallsOfOwner?: number;
  /** Since it was last seen. A call's collision is remembered for so long, too. */
  readonly maxAgeMillis?: number;
  /** Monotonic. */
  readonly now?: () => number;
}

interface Remembered {
  readonly placeKey: string;
  readonly owner: Owner;
  readonly seenMillis: number;
  state: 'waiting' | 'taken' | 'settled' | 'collided';
  /** The request that took it. */
  takenBy: string | undefined;
}

/** No owner is called so: each has an issuer's name in front. */
const NOBODY: Owner = '';

/** The upstream waits for 300 s (contract, section 3, chat). */
const MAX_AGE_MILLIS = 600_000;

/** Returns calls of which none waits, or throws a TypeError for a bound below 1. */
export const pendingCalls = (options: PendingCallsOptions = {}): PendingCalls => {
  const { maxCalls = 10_000, maxCallsOfOwner = 100, maxAgeMillis = MAX_AGE_MILLIS } = options;
  const { now = () => performance.now() } = options;
  for (const [name, value] of Object.entries({ maxCalls, maxCallsOfOwner, maxAgeMillis })) {
    if (!(value >= 1)) throw new TypeError(`${name} must be at least 1`);
  }
  const memory = remembering();

  const find = (call: string): Remembered | undefined => {
    memory.forgetBefore(now() - maxAgeMillis);
    return memory.get(call);
  };
  const isFor = (known: Remembered, { place, owner }: CallAnswer): boolean =>
    known.owner === owner && known.placeKey === resourceKey(place);

  return {
    seen(place, owner, call) {
      const placeKey = resourceKey(place);
      const known = find(call);
      if (known !== undefined && known.placeKey !== placeKey && known.state !== 'settled') known.state = 'collided';
      if (known?.state === 'collided') return memory.put(call, { ...known, seenMillis: now() });
      if (owner === undefined && known?.placeKey === placeKey) return;
      const ofOwner = owner ?? NOBODY;
      memory.put(call, { placeKey, owner: ofOwner, seenMillis: now(), state: 'waiting', takenBy: undefined });
      if (memory.countOf(ofOwner) > maxCallsOfOwner) memory.forgetOldestOf(ofOwner);
      if (memory.size() > maxCalls) memory.forgetOldestOf(memory.whoHasMost());
    },
    settled(place, call) {
      const known = find(call);
      if (known?.placeKey === resourceKey(place) && known.state !== 'collided') known.state = 'settled';
    },
    take(answer, requestId) {
      const known = find(answer.call);
      if (known?.state === 'collided') return 'collided';
      if (known === undefined || !isFor(known, answer)) return 'unknown';
      if (known.state !== 'waiting') return 'used';
      known.state = 'taken';
      known.takenBy = requestId;
      return 'taken';
    },
    giveBack(answer, requestId) {
      const known = find(answer.call);
      if (known?.state !== 'taken' || known.takenBy !== requestId || !isFor(known, answer)) return;
      known.state = 'waiting';
      known.takenBy = undefined;
    },
    get size() {
      memory.forgetBefore(now() - maxAgeMillis);
      return memory.size();
    },
  };
};

/** The calls, in the order in which they were seen, in all and of each owner. */
const remembering = () => {
  const calls = new Map<string, Remembered>();
  const byOwner = new Map<Owner, Set<string>>();

  const forget = (call: string): void => {
    const known = calls.get(call);
    if (known === undefined) return;
    calls.delete(call);
    const of = byOwner.get(known.owner);
    of?.delete(call);
    if (of?.size === 0) byOwner.delete(known.owner);
  };

  return {
    get: (call: string) => calls.get(call),
    size: () => calls.size,
    countOf: (owner: Owner) => byOwner.get(owner)?.size ?? 0,
    put(call: string, remembered: Remembered): void {
      forget(call);
      calls.set(call, remembered);
      byOwner.set(remembered.owner, (byOwner.get(remembered.owner) ?? new Set()).add(call));
    },
    forgetBefore(millis: number): void {
      for (const [call, { seenMillis }] of calls) {
        if (seenMillis > millis) return;
        forget(call);
      }
    },
    forgetOldestOf(owner: Owner): void {
      const [oldest] = byOwner.get(owner) ?? [];
      if (oldest !== undefined) forget(oldest);
    },
    whoHasMost(): Owner {
      let most = { owner: NOBODY, size: 0 };
      for (const [owner, { size }] of byOwner) if (size > most.size) most = { owner, size };
      return most.owner;
    },
  };
};
