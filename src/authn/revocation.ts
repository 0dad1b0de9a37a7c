/**
 * Tokens that are taken back before they expire. They are judged from memory, at every use of a token; the store behind
 * it keeps them over restarts and says when another process has changed something.
 */
import { randomBytes } from 'node:crypto';
import type { Principal } from '../model/principal.ts';
import type { ReasonCode } from '../model/reason.ts';
import { Rejection } from '../model/rejection.ts';
import type { Revocation, RevocationTerms, Revoked } from '../model/revocation.ts';
import { latest } from './latest.ts';
import { revokedTokens } from './revoked.ts';

/** The port: where revocations are kept. What rejects has changed nothing. */
export interface RevocationStore {
  /** Returns those that are not over, oldest first. */
  all(): Promise<readonly Revocation[]>;
  /** Durable before it resolves, as `remove` is. */
  add(revocation: Revocation): Promise<void>;
  /** Returns false when there is none of this id. */
  remove(id: string): Promise<boolean>;
  /** Removes those that are over. */
  purge(): Promise<void>;
  /** Calls back when another process may have changed something, within the bound; again while that cannot be told. */
  onChange(listener: () => void): void;
}

export interface Revocations {
  /** Returns why a principal's token is not good any more. Synchronous, and free where nothing is revoked. */
  revokes(principal: Principal): ReasonCode | undefined;
  /** Takes effect, here, when it resolves; rejects with `revocations-unavailable` when it cannot be kept. */
  add(revocation: Revoked & RevocationTerms): Promise<Added>;
  /** Takes one back and returns it, or undefined when there is none of this id; rejects as `add` does. */
  remove(id: string): Promise<Revocation | undefined>;
  /** Oldest first. */
  list(): readonly Revocation[];
  /** Adds a listener for revocations that were made, here or elsewhere. */
  onRevoked(listener: RevokedListener): void;
  /** False while what another process revokes cannot be read; what was known goes on holding. */
  healthy(): boolean;
  close(): void;
}

/** Ends what lives by revoked tokens and returns how many of them there were; `sinceMillis` is when they were revoked. */
export type RevokedListener = (sinceMillis: number) => number;

export interface Added {
  readonly revocation: Revocation;
  /** How many the listeners ended. */
  readonly ended: number;
}

export interface RevocationNotice {
  readonly kind: 'revocations-unreadable' | 'revocations-readable';
  readonly detail: string;
}

export interface RevocationsOptions {
  readonly store: RevocationStore;
  /** Unix time in milliseconds. */
  readonly now?: () => number;
  /** Hears of each change once. */
  readonly notice?: (notice: RevocationNotice) => void;
}

/** Resolves when all are known, or rejects with the store's error: a gateway that does not know them must not start. */
export const openRevocations = async ({
  store,
  now = Date.now,
  notice = () => undefined,
}: RevocationsOptions): Promise<Revocations> => {
  const listeners: RevokedListener[] = [];
  const known = knownRevocations(now, () => void store.purge().catch(untilNextTime));

  const told = (made: readonly Revocation[]): number => {
    if (made.length === 0) return 0;
    const since = Math.min(...made.map(({ madeAtMillis }) => madeAtMillis));
    return listeners.reduce((sum, listener) => sum + listener(since), 0);
  };
  const reading = latest({
    read: () => store.all(),
    take: (all) => void told(known.replace(all)),
    notice: (readable, detail) =>
      notice({ kind: readable ? 'revocations-readable' : 'revocations-unreadable', detail }),
  });
  // The store tells of a change once, so it is listened to before it is read.
  store.onChange(reading.again);
  await reading.first();
  await store.purge().catch(untilNextTime);

  return {
    revokes: (principal) => (known.has(principal) ? 'token-revoked' : undefined),
    async add(revoked) {
      const revocation: Revocation = { ...revoked, id: newId(), madeAtMillis: now() };
      await kept(store.add(revocation));
      reading.spoil();
      return { revocation, ended: told(known.add(revocation)) };
    },
    async remove(id) {
      const found = known.list().find((one) => one.id === id);
      if (found === undefined || !(await kept(store.remove(id)))) return undefined;
      reading.spoil();
      known.remove(id);
      return found;
    },
    list: known.list,
    onRevoked: (listener) => void listeners.push(listener),
    healthy: reading.healthy,
    close() {
      reading.close();
      known.close();
    },
  };
};

/** No letter of it can be taken for an option on a command line. */
const newId = (): string => randomBytes(6).toString('hex');

const kept = async <T>(written: Promise<T>): Promise<T> => {
  try {
    return await written;
  } catch (cause) {
    throw new Rejection('revocations-unavailable', `revocations: ${String(cause)}`, { cause });
  }
};

/** What is over does not count any more, whether or not its row is there. */
const untilNextTime = (): void => undefined;

interface Known {
  has(principal: Principal): boolean;
  list(): readonly Revocation[];
  /** Returns what was not known before. */
  replace(all: readonly Revocation[]): readonly Revocation[];
  add(revocation: Revocation): readonly Revocation[];
  remove(id: string): void;
  close(): void;
}

/** Returns what is known of revocations, which forgets by itself what is over; `over` is called after that. */
const knownRevocations = (now: () => number, over: () => void): Known => {
  let byId = new Map<string, Revocation>();
  let revoked = revokedTokens();

  const rebuild = (all: Iterable<Revocation>): void => {
    byId = new Map();
    revoked = revokedTokens();
    const nowMillis = now();
    let earliest = Number.POSITIVE_INFINITY;
    for (const one of all) {
      if (isOver(one, nowMillis)) continue;
      byId.set(one.id, one);
      revoked.add(one);
      earliest = Math.min(earliest, one.untilMillis ?? earliest);
    }
    firstOver.clear();
    firstOver.at(earliest);
  };

  const forget = (): void => {
    const before = byId.size;
    rebuild(byId.values());
    if (byId.size < before) over();
  };
  const firstOver = alarm(now, forget);

  return {
    has: (principal) => revoked.has(principal),
    list: () => [...byId.values()].filter((one) => !isOver(one, now())),
    replace(all) {
      const before = byId;
      rebuild(all);
      return [...byId.values()].filter(({ id }) => !before.has(id));
    },
    add(one) {
      if (byId.has(one.id)) return [];
      byId.set(one.id, one);
      revoked.add(one);
      if (one.untilMillis !== undefined) firstOver.at(one.untilMillis);
      return [one];
    },
    remove(id) {
      if (byId.delete(id)) rebuild([...byId.values()]);
    },
    close: firstOver.clear,
  };
};

/** A timer cannot be set for longer. */
const MAX_TIMER_MILLIS = 2 ** 31 - 1;

/** To forget is to arrange all others anew: those that are over soon after one another go together. */
const GAP_MILLIS = 1000;

/** Calls `due` at the earliest of the moments it is told, or a second after it was called last. */
const alarm = (now: () => number, due: () => void) => {
  let timer: NodeJS.Timeout | undefined;
  let next = Number.POSITIVE_INFINITY;
  let calledAtMillis = Number.NEGATIVE_INFINITY;

  const call = (): void => {
    calledAtMillis = now();
    due();
  };

  return {
    /** To look for the earliest among all of them costs more, the more there are. */
    at(moment: number): void {
      if (moment >= next) return;
      next = moment;
      clearTimeout(timer);
      const waits = Math.max(moment, calledAtMillis + GAP_MILLIS) - now();
      timer = setTimeout(call, Math.min(Math.max(waits, 1), MAX_TIMER_MILLIS)).unref();
    },
    clear(): void {
      clearTimeout(timer);
      next = Number.POSITIVE_INFINITY;
    },
  };
};

const isOver = ({ untilMillis }: Revocation, nowMillis: number): boolean =>
  untilMillis !== undefined && untilMillis <= nowMillis;
