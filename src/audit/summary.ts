/** A period of the audit, summarised line by line in bounded memory: what was decided, and what enforcing would change. */
import { type Counts, count, noCounts } from './counts.ts';
import { type Entry, entryOf } from './entry.ts';
import { type RouteRow, routeReadiness } from './readiness.ts';
import { boundedRows, OTHERS, ordered } from './rows.ts';
import {
  byClient,
  byEvent,
  byReason,
  byStranger,
  byUser,
  type ClientRow,
  callerOf,
  type EventRow,
  type ReasonRow,
  type StrangerRow,
  type UserRow,
} from './views.ts';

export interface Summary {
  readonly lines: Lines;
  readonly total: Counts;
  /** Those of the policy in its order, then others that were seen. Names in parentheses are no routes. */
  readonly routes: readonly RouteRow[];
  readonly reasons: readonly ReasonRow[];
  readonly users: readonly UserRow[];
  readonly clients: readonly ClientRow[];
  readonly withoutToken: readonly StrangerRow[];
  readonly events: readonly EventRow[];
}

interface Lines {
  /** Within the period. */
  read: number;
  /** Before or after it. */
  outside: number;
  /** Lines that are no records. */
  malformed: number;
  /** True when the last line is not whole: the gateway is writing it, or was killed over it. */
  torn: boolean;
}

export interface SummaryOptions {
  /** The ids of the policy's routes. */
  readonly routes: readonly string[];
  /** The period as times are written in records: from the first, up to and without the second. */
  readonly since?: string;
  readonly until?: string;
}

export interface Summing {
  line(text: string): void;
  /** Takes a line that is too long to be a record. */
  tooLong(): void;
  /** Takes what stands behind the last line end. */
  rest(text: string): void;
  summary(): Summary;
}

/** Routes of earlier policies are in the file too. */
const MAX_OTHER_ROUTES = 1_000;

const UNMATCHED = '(no route)';
const SOCKETS = '(sockets)';

/** Returns a summary of nothing, to be given lines. */
export const summing = ({ routes: ids, since = '', until = '~' }: SummaryOptions): Summing => {
  const lines: Lines = { read: 0, outside: 0, malformed: 0, torn: false };
  const total = noCounts();
  const routes = boundedRows(ids.length + MAX_OTHER_ROUTES, () => routeReadiness(OTHERS));
  const routeOf = (id: string) => routes.of(id, () => routeReadiness(id));
  const [reasons, users, clients, strangers, events] = [byReason(), byUser(), byClient(), byStranger(), byEvent()];
  for (const id of ids) routeOf(id);

  const take = (entry: Entry): void => {
    if (entry.time < since || entry.time >= until) {
      lines.outside += 1;
      return;
    }
    lines.read += 1;
    // What an operator did is no decision on a caller.
    if (entry.kind === 'admin') return;
    // Evidence of many events at once is no decision.
    if (entry.found.withheld.length > 0) {
      events.take(entry);
      return;
    }
    count(total, entry);
    routeOf(entry.route ?? (entry.kind === 'request' ? UNMATCHED : SOCKETS)).take(entry, callerOf(entry));
    for (const view of [reasons, users, clients, strangers]) view.take(entry);
  };

  return {
    line(text) {
      const entry = isOutside(text, since, until) ? 'outside' : entryOf(text);
      if (entry === 'outside') lines.outside += 1;
      else if (entry === undefined) lines.malformed += 1;
      else take(entry);
    },
    tooLong() {
      lines.malformed += 1;
    },
    rest(text) {
      const entry = entryOf(text);
      if (entry === undefined) lines.torn = true;
      else take(entry);
    },
    summary: () => ({
      ...{ lines, total, routes: ordered(routes, () => 0).map((route) => route.row()), reasons: reasons.rows() },
      ...{ users: users.rows(), clients: clients.rows(), withoutToken: strangers.rows(), events: events.rows() },
    }),
  };
};

const BEGINNING = '{"time":"';
const TIME_END = BEGINNING.length + '2026-11-01T00:00:00.000Z'.length;

/** Most of a long file is of other days, which shows without parsing it. */
const isOutside = (line: string, since: string, until: string): boolean => {
  if (!line.startsWith(BEGINNING) || line[TIME_END] !== '"') return false;
  const time = line.slice(BEGINNING.length, TIME_END);
  return time < since || time >= until;
};
