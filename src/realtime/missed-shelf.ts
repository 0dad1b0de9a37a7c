/** Where the logs of missed events stand, and in which order they go when there is no room. Nothing here knows a bound. */
import { randomBytes } from 'node:crypto';
import type { Owner } from '../model/principal.ts';
import type { MissedEvent, MissedLog } from './channels.ts';
import { eventWindow, type Window } from './missed-window.ts';

export interface Timed<Kept> extends MissedEvent<Kept> {
  readonly atMillis: number;
}

export interface Log<Kept> extends MissedLog {
  readonly owner: Owner;
  readonly window: Window<Timed<Kept>>;
  head: number;
  sockets: number;
  bytes: number;
  /** When the last socket left, or one was expected. */
  leftMillis: number;
  /** Of the last event. */
  keptMillis: number;
  /** True after it was let go of. */
  over: boolean;
}

export interface Shelf<Kept> {
  readonly logs: Map<Owner, Log<Kept>>;
  /** Those without a socket, by when the last one left. */
  readonly idle: Set<Log<Kept>>;
  /** Those that hold events, by when they got the last one. */
  readonly holding: Set<Log<Kept>>;
  /** Those among them that hold more than many could, in the same order. */
  readonly heavy: Set<Log<Kept>>;
  readonly heavyBytes: number;
  /** The last one of these. */
  latest: Log<Kept> | undefined;
  events: number;
  bytes: number;
}

/** Returns an empty shelf. A log of so many bytes or more is heavy. */
export const shelf = <Kept>(heavyBytes: number): Shelf<Kept> => ({
  logs: new Map(),
  idle: new Set(),
  holding: new Set(),
  heavy: new Set(),
  heavyBytes,
  latest: undefined,
  events: 0,
  bytes: 0,
});

/** Puts an empty log there, of an epoch that never was. */
export const newLog = <Kept>({ logs, idle }: Shelf<Kept>, owner: Owner, nowMillis: number): Log<Kept> => {
  const log: Log<Kept> = {
    owner,
    epoch: randomBytes(16).toString('base64url'),
    window: eventWindow(),
    // Above all offsets of the owner's former logs: one of those must not be taken for one of this.
    head: Math.floor(nowMillis) * 1_000,
    sockets: 0,
    bytes: 0,
    leftMillis: nowMillis,
    keptMillis: nowMillis,
    over: false,
  };
  logs.set(owner, log);
  idle.add(log);
  return log;
};

export const push = <Kept>(on: Shelf<Kept>, log: Log<Kept>, event: Timed<Kept>): void => {
  log.window.push(event);
  log.keptMillis = event.atMillis;
  log.bytes += event.bytes;
  on.events += 1;
  on.bytes += event.bytes;
  if (log.bytes >= on.heavyBytes) putLast(on.heavy, log);
  if (on.latest === log) return;
  putLast(on.holding, log);
  on.latest = log;
};

const putLast = <Member>(members: Set<Member>, member: Member): void => {
  members.delete(member);
  members.add(member);
};

/** Lets the oldest event of a log go. */
export const shift = <Kept>(on: Shelf<Kept>, log: Log<Kept>): void => {
  const event = log.window.shift();
  if (event === undefined) return;
  log.bytes -= event.bytes;
  on.events -= 1;
  on.bytes -= event.bytes;
  if (log.bytes < on.heavyBytes) on.heavy.delete(log);
  if (log.window.size > 0) return;
  on.holding.delete(log);
  if (on.latest === log) on.latest = undefined;
};

/** Lets the events of a log go that are from before a time. */
export const shiftOlder = <Kept>(on: Shelf<Kept>, log: Log<Kept>, millis: number): void => {
  while ((log.window.oldest?.atMillis ?? millis) < millis) shift(on, log);
};

export const empty = <Kept>(on: Shelf<Kept>, log: Log<Kept>): void => {
  while (log.window.size > 0) shift(on, log);
};

/** Lets go of a log with its epoch. */
export const forget = <Kept>(on: Shelf<Kept>, log: Log<Kept>): void => {
  empty(on, log);
  on.idle.delete(log);
  on.logs.delete(log.owner);
  log.over = true;
};

/** Puts a log that has no socket behind all others that have none. */
export const rested = <Kept>({ idle }: Shelf<Kept>, log: Log<Kept>, nowMillis: number): void => {
  log.leftMillis = nowMillis;
  if (!log.over) putLast(idle, log);
};

/** Lets go of the log that has been without a socket for longest; false when all have one. */
export const forgetOldest = <Kept>(on: Shelf<Kept>): boolean => {
  const [log] = on.idle;
  if (log !== undefined) forget(on, log);
  return log !== undefined;
};

/**
 * Takes from the log that was used least recently, of the heavy ones while there are some, so that who hears much costs
 * nobody else what little they have; where sockets are open their places in it stay good.
 */
export const makeRoom = <Kept>(on: Shelf<Kept>): void => {
  const [log] = on.heavy.size > 0 ? on.heavy : on.holding;
  if (log === undefined) return;
  if (log.sockets === 0) forget(on, log);
  else empty(on, log);
};

/** Lets go of the logs that have been without a socket, or without an event, since before a time. */
export const dropOlder = <Kept>(on: Shelf<Kept>, millis: number): void => {
  for (const log of on.idle) {
    if (log.leftMillis >= millis) break;
    forget(on, log);
  }
  for (const log of on.holding) {
    if (log.keptMillis >= millis) break;
    empty(on, log);
  }
};
