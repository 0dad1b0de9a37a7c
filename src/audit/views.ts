/** The ways in which a report looks at the entries of a period: by reason, by user, by client, by event. */
import { type Counts, count, isAuthentication, noCounts, type Seen, see, unseen } from './counts.ts';
import type { Entry } from './entry.ts';
import { boundedRows, byCount, OTHERS, ordered } from './rows.ts';

export interface View<Row> {
  take(entry: Entry): void;
  rows(): readonly Row[];
}

/** Refusals and failures in effect, and refusals that would have been. */
export interface ReasonRow extends Seen {
  readonly reason: string;
  inEffect: number;
  would: number;
}

export interface UserRow extends Counts {
  readonly user: string;
}

export interface ClientRow extends Counts {
  readonly client: string;
}

/** Somebody who came without a token, or with one that is not good. */
export interface StrangerRow extends Seen {
  readonly address: string;
  readonly client: string;
  readonly reason: string;
}

export interface EventRow extends Seen {
  readonly event: string;
  /** Why nobody would have heard them; null where they are merely another's. */
  readonly because: string | null;
  /** Deliveries that would not have been, and of how many. */
  withheld: number;
  of: number;
}

/** Bounds the memory of a report; an audit file names as many users and clients as anybody likes. */
const MAX_ROWS = 10_000;

const NO_CLIENT = '(not recorded)';

/** Returns the user's name, or from where and with what somebody unknown came. */
export const callerOf = ({ owner, address, client = NO_CLIENT }: Entry): string =>
  owner ?? `without token, ${address}, ${client}`;

const byDecisions = (a: Counts, b: Counts): number => b.decisions - a.decisions;

export const byUser = (): View<UserRow> => {
  const rows = boundedRows(MAX_ROWS, (): UserRow => ({ user: OTHERS, ...noCounts() }));
  return {
    take(entry) {
      const user = callerOf(entry);
      count(
        rows.of(user, () => ({ user, ...noCounts() })),
        entry,
      );
    },
    rows: () => ordered(rows, byDecisions),
  };
};

/** Clients are recorded outside of `enforce` only. */
export const byClient = (): View<ClientRow> => {
  const rows = boundedRows(MAX_ROWS, (): ClientRow => ({ client: OTHERS, ...noCounts() }));
  return {
    take(entry) {
      const { client } = entry;
      if (client === undefined) return;
      count(
        rows.of(client, () => ({ client, ...noCounts() })),
        entry,
      );
    },
    rows: () => ordered(rows, byDecisions),
  };
};

export const byReason = (): View<ReasonRow> => {
  const empty = (reason: string): ReasonRow => ({ reason, inEffect: 0, would: 0, ...unseen() });
  const rows = boundedRows(MAX_ROWS, () => empty(OTHERS));
  const add = (reason: string, what: 'inEffect' | 'would', time: string): void => {
    const row = rows.of(reason, () => empty(reason));
    row[what] += 1;
    see(row, time);
  };
  return {
    take({ reason, found, time }) {
      if (reason !== undefined) add(reason, 'inEffect', time);
      for (const denial of found.denials) add(denial, 'would', time);
    },
    rows: () => ordered(rows, byCount),
  };
};

export const byStranger = (): View<StrangerRow> => {
  const rows = boundedRows(
    MAX_ROWS,
    (): StrangerRow => ({ address: OTHERS, client: OTHERS, reason: OTHERS, ...unseen() }),
  );
  return {
    take({ reason: refusal, found, address, client = NO_CLIENT, time }) {
      const named = new Set(refusal === undefined ? found.denials : [refusal, ...found.denials]);
      for (const reason of named) {
        if (!isAuthentication(reason)) continue;
        const fresh = (): StrangerRow => ({ address, client, reason, ...unseen() });
        see(rows.of(JSON.stringify([address, client, reason]), fresh), time);
      }
    },
    rows: () => ordered(rows, byCount),
  };
};

export const byEvent = (): View<EventRow> => {
  const none = { withheld: 0, of: 0 };
  const rows = boundedRows(MAX_ROWS, (): EventRow => ({ event: OTHERS, because: null, ...none, ...unseen() }));
  return {
    take({ found, time }) {
      for (const { event, because, sockets, of } of found.withheld) {
        const fresh = (): EventRow => ({ event, because: because ?? null, ...none, ...unseen() });
        const row = rows.of(JSON.stringify([event, because]), fresh);
        row.withheld += sockets;
        row.of += of;
        see(row, time);
      }
    },
    rows: () => ordered(rows, (a, b) => b.withheld - a.withheld),
  };
};
