/** A line of an audit file, read back: what a report needs of it, whatever else it says. */
import type { AuditRecord, Outcome } from '../model/audit.ts';
import type { Mode } from '../model/mode.ts';

export interface Entry {
  readonly time: string;
  readonly kind: AuditRecord['kind'];
  readonly outcome: Outcome;
  readonly mode: Mode;
  readonly reason: string | undefined;
  readonly route: string | undefined;
  readonly owner: string | undefined;
  readonly address: string;
  readonly client: string | undefined;
  readonly found: Found;
}

/** The findings of one record, added up. */
export interface Found {
  /** The reasons for which it would have been refused; each is here once. */
  readonly denials: readonly string[];
  readonly claims: number;
  readonly changes: number;
  readonly removed: number;
  /** The rows of the lists of which some would have been removed. */
  readonly rows: number;
  /** True when a list would have lost all its rows. */
  readonly emptied: boolean;
  readonly withheld: readonly WithheldEvents[];
}

export interface WithheldEvents {
  readonly event: string;
  /** Why nobody would have heard them; undefined where they are merely another's. */
  readonly because: string | undefined;
  readonly sockets: number;
  readonly of: number;
}

/** Returns the entry, or undefined for what is none. */
export const entryOf = (line: string): Entry | undefined => {
  const record = parsed(line);
  if (record === undefined) return undefined;
  const { time, kind, outcome, mode = 'enforce', address, findings } = record;
  if (typeof time !== 'string' || !TIME.test(time) || typeof address !== 'string') return undefined;
  if (!isOneOf(KINDS, kind) || !isOneOf(OUTCOMES, outcome) || !isOneOf(MODES, mode)) return undefined;
  const { reason, route, owner, client } = record;
  return {
    ...{ time, kind, outcome, mode, address: text(address) ?? '' },
    ...{ reason: text(reason), route: text(route), owner: text(owner), client: text(client) },
    found: Array.isArray(findings) && findings.length > 0 ? sum(findings) : NOTHING,
  };
};

/** As the gateway writes it: of equal length, so that times compare as text. */
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.]\d{3}Z$/;

const KINDS = ['request', 'socket', 'event', 'admin'] as const;
const OUTCOMES = ['allowed', 'refused', 'failed', 'aborted'] as const;
const MODES = ['off', 'shadow', 'enforce'] as const;

const NOTHING: Found = {
  denials: [],
  claims: 0,
  changes: 0,
  removed: 0,
  rows: 0,
  emptied: false,
  withheld: [],
};

const parsed = (line: string): Record<string, unknown> | undefined => {
  try {
    const value: unknown = JSON.parse(line);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
};

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isOneOf = <T>(list: readonly T[], value: unknown): value is T => list.some((one) => one === value);

const MAX_TEXT = 200;

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value.slice(0, MAX_TEXT) : undefined);

const number = (value: unknown): number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : 0;

type Sum = { -readonly [Key in keyof Found]: Found[Key] };

/** What each finding adds; one of a later version adds nothing. */
const ADDS: Readonly<Record<string, (sum: Sum, finding: Record<string, unknown>) => void>> = {
  deny(sum, { reason }) {
    sum.denials = [...new Set([...sum.denials, text(reason) ?? 'unknown'])];
  },
  claim(sum, { resources }) {
    sum.claims += Array.isArray(resources) ? resources.length : 0;
  },
  change(sum) {
    sum.changes += 1;
  },
  remove(sum, { removed, of }) {
    sum.removed += number(removed);
    sum.rows += number(of);
    sum.emptied ||= number(of) > 0 && number(removed) === number(of);
  },
  withhold(sum, { event, because, sockets, of }) {
    const events = { event: text(event) ?? 'unknown', because: text(because) };
    sum.withheld = [...sum.withheld, { ...events, sockets: number(sockets), of: number(of) }];
  },
};

const sum = (findings: readonly unknown[]): Found => {
  const all: Sum = { ...NOTHING };
  for (const finding of findings) {
    if (isRecord(finding) && typeof finding.would === 'string' && Object.hasOwn(ADDS, finding.would)) {
      ADDS[finding.would]?.(all, finding);
    }
  }
  return all;
};
