/** The numbers that a report gives for whatever it looks at: all, a route, a reason, a user, a client. */
import { reasons } from '../model/reason.ts';
import type { Entry } from './entry.ts';

export interface Seen {
  count: number;
  /** The time of the first and of the last of them; empty when there was none. */
  first: string;
  last: string;
}

export interface Counts {
  /** Requests, handshakes and packets that were decided on. */
  decisions: number;
  enforced: number;
  shadow: number;
  off: number;
  allowed: number;
  refused: number;
  failed: number;
  aborted: number;
  /** Decisions in shadow that would have been a refusal, but for limits. */
  wouldRefuse: number;
  wouldThrottle: number;
  wouldClaim: number;
  wouldChange: number;
  /** Rows of lists, and of how many. */
  wouldRemove: number;
  rows: number;
  first: string;
  last: string;
}

/** Returns counts of nothing. */
export const noCounts = (): Counts => ({
  ...{ decisions: 0, enforced: 0, shadow: 0, off: 0 },
  ...{ allowed: 0, refused: 0, failed: 0, aborted: 0 },
  ...{ wouldRefuse: 0, wouldThrottle: 0, wouldClaim: 0, wouldChange: 0, wouldRemove: 0, rows: 0 },
  ...{ first: '', last: '' },
});

/** Counts an entry in. */
export const count = (counts: Counts, { time, mode, outcome, found }: Entry): void => {
  counts.decisions += 1;
  counts[mode === 'enforce' ? 'enforced' : mode] += 1;
  counts[outcome] += 1;
  span(counts, time);
  const limited = found.denials.filter(isLimit).length;
  if (limited > 0) counts.wouldThrottle += 1;
  if (found.denials.length > limited) counts.wouldRefuse += 1;
  counts.wouldClaim += found.claims;
  counts.wouldChange += found.changes;
  counts.wouldRemove += found.removed;
  counts.rows += found.rows;
};

export const unseen = (): Seen => ({ count: 0, first: '', last: '' });

/** Counts one more. */
export const see = (seen: Seen, time: string): void => {
  seen.count += 1;
  span(seen, time);
};

/** Records of one moment are written in no certain order. */
const span = (spanned: { first: string; last: string }, time: string): void => {
  if (spanned.first === '' || time < spanned.first) spanned.first = time;
  if (time > spanned.last) spanned.last = time;
};

/** True for a reason of the stage that counts. */
const isLimit = (reason: string): boolean => stageOf(reason) === 'limit';

/** True for a reason of the stage that finds out who is calling. */
export const isAuthentication = (reason: string): boolean =>
  reason === 'authority-expired' || (stageOf(reason) === 'authenticate' && reason !== 'role-missing');

const stages = new Map<string, string>(Object.entries(reasons).map(([code, { stage }]) => [code, stage]));

/** Undefined for a reason of another version. */
const stageOf = (reason: string): string | undefined => stages.get(reason);
