/**
 * What the clients of an owner missed while they were away: the upstream has no memory, so the last events that were sent
 * to the owner are kept for a while. Bounded by age, number and bytes for each owner, by bytes and owners for all.
 */
import type { MissedRule } from '../model/event.ts';
import type { Owner } from '../model/principal.ts';
import type { MissedEvents, MissedLog, Remembered } from './channels.ts';
import {
  dropOlder,
  empty,
  forget,
  forgetOldest,
  type Log,
  makeRoom,
  newLog,
  shelf as newShelf,
  push,
  rested,
  type Shelf,
  shift,
  shiftOlder,
} from './missed-shelf.ts';

export interface MissedOptions {
  /** What holds now; nothing is kept while it is undefined. */
  readonly rule: () => MissedRule | undefined;
  /** By what it was decided what an owner may see; what was kept by others than these is forgotten. */
  readonly terms?: () => unknown;
  readonly now?: () => number;
  /** Of all owners together. */
  readonly maxBytes?: number;
  readonly maxOwners?: number;
  readonly sweepMillis?: number;
}

export interface Missed<Kept> extends MissedEvents<Kept> {
  held(): { readonly owners: number; readonly events: number; readonly bytes: number };
  /** Lets go of what is too old. The one timer for all owners does this by itself. */
  sweep(): void;
  /** Lets go of everything. */
  close(): void;
}

/** What an event holds beside its text, about: its record, its references, its place in the queue. */
export const EVENT_BYTES = 256;

/** So many logs can be kept whole, whatever the others hold. */
const LIGHT_LOGS = 1_024;

/** Returns the logs, none yet, or throws a TypeError for a bound below 1. */
export const missedEvents = <Kept>(options: MissedOptions): Missed<Kept> => {
  const { rule, terms = () => undefined, now = Date.now } = options;
  const { sweepMillis = 5_000, maxBytes = 256 << 20, maxOwners = 100_000 } = options;
  checkBounds({ maxBytes, maxOwners, sweepMillis });
  const shelf = newShelf<Kept>(maxBytes / LIGHT_LOGS);
  /** What is from before is too old: everything, while nothing is to be kept. */
  const horizon = (): number => now() - (rule()?.ageMillis ?? -1);
  const of = (owner: Owner): Log<Kept> | undefined => {
    const log = shelf.logs.get(owner);
    if (log === undefined || log.sockets > 0 || log.leftMillis >= horizon()) return log;
    forget(shelf, log);
    return undefined;
  };
  // A change of the policy, such as a field that nobody is to see any more, is for what was kept before it too.
  const forgetFormer = whenOther(terms, () => {
    for (const log of shelf.holding) empty(shelf, log);
  });
  const sweep = (): void => {
    forgetFormer();
    dropOlder(shelf, horizon());
    if (shelf.logs.size === 0) timer.stop();
  };
  const timer = interval(sweep, sweepMillis);

  return {
    of,
    sweep,
    logs: () => shelf.logs.values(),
    held: () => ({ owners: shelf.logs.size, events: shelf.events, bytes: shelf.bytes }),
    begin(owner) {
      if (rule() === undefined) return undefined;
      const known = of(owner);
      // Its client is about to come in, so it is as if one had just left.
      if (known?.sockets === 0) rested(shelf, known, now());
      if (known !== undefined) return known;
      if (shelf.logs.size >= maxOwners && !forgetOldest(shelf)) return undefined;
      timer.start();
      return newLog(shelf, owner, now());
    },
    enter: (log) => enter(shelf, ours(log)),
    leave: (log) => leave(shelf, ours(log), now()),
    keep(log, event) {
      forgetFormer();
      keep({ shelf, rule: rule(), maxBytes, nowMillis: now() }, ours(log), event);
    },
    since(owner, epoch, offset) {
      forgetFormer();
      const log = of(owner);
      if (log?.epoch !== epoch) return 'lost';
      shiftOlder(shelf, log, horizon());
      const skipped = offsetOf(offset) - (log.head - log.window.size);
      return skipped >= 0 && skipped <= log.window.size ? log.window.after(skipped) : 'lost';
    },
    close() {
      timer.stop();
      for (const log of shelf.logs.values()) forget(shelf, log);
    },
  };
};

const checkBounds = (bounds: Readonly<Record<string, number>>): void => {
  for (const [name, value] of Object.entries(bounds)) {
    if (!(value >= 1)) throw new TypeError(`${name} must be at least 1`);
  }
};

/** Returns a look at a value, which does the work when it is another one than at the look before. */
const whenOther = (valueNow: () => unknown, work: () => void): (() => void) => {
  let last = valueNow();
  return () => {
    const value = valueNow();
    if (value === last) return;
    last = value;
    work();
  };
};

interface Room<Kept> {
  readonly shelf: Shelf<Kept>;
  readonly rule: MissedRule | undefined;
  readonly maxBytes: number;
  readonly nowMillis: number;
}

/** The logs that are handed out are these; outside they can only be looked at. */
const ours = <Kept>(log: MissedLog): Log<Kept> => log as Log<Kept>;

const enter = <Kept>({ idle }: Shelf<Kept>, log: Log<Kept>): boolean => {
  if (log.over) return false;
  log.sockets += 1;
  idle.delete(log);
  return true;
};

const leave = <Kept>(shelf: Shelf<Kept>, log: Log<Kept>, nowMillis: number): void => {
  log.sockets -= 1;
  if (log.sockets === 0) rested(shelf, log, nowMillis);
};

const keep = <Kept>(room: Room<Kept>, log: Log<Kept>, event: Remembered<Kept>): void => {
  const { shelf, rule, maxBytes, nowMillis } = room;
  if (log.over) return;
  log.head += 1;
  const bytes = event.bytes + EVENT_BYTES;
  const maxBytesOfOne = Math.min(rule?.maxBytes ?? 0, maxBytes);
  if (rule === undefined || bytes > maxBytesOfOne) {
    // A log with a hole in it would be taken for whole, so one that cannot hold this event begins behind it.
    empty(shelf, log);
    return;
  }
  const { kept, refs } = event;
  push(shelf, log, { kept, bytes, refs, offset: log.head, atMillis: nowMillis });
  while (log.window.size > rule.maxEvents || log.bytes > maxBytesOfOne) shift(shelf, log);
  shiftOlder(shelf, log, nowMillis - rule.ageMillis);
  while (shelf.bytes > maxBytes) makeRoom(shelf);
};

const offsetOf = (offset: string | number): number =>
  typeof offset === 'number' || /^(?:0|[1-9][0-9]{0,15})$/.test(offset) ? Number(offset) : Number.NaN;

const interval = (work: () => void, millis: number) => {
  let timer: NodeJS.Timeout | undefined;
  return {
    start(): void {
      timer ??= setInterval(work, millis).unref();
    },
    stop(): void {
      clearInterval(timer);
      timer = undefined;
    },
  };
};
