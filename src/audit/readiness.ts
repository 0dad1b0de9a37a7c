/** What enforcing a route would do to its users, by what was seen of it in shadow. */
import { type Counts, count, noCounts, type Seen, see, unseen } from './counts.ts';
import type { Entry } from './entry.ts';
import { boundedRows, byCount, OTHERS, ordered } from './rows.ts';

/**
 * `ready`: judged in shadow, often enough, and nothing would break. `breaks`: something would. `few`: nothing would, but
 * too little was seen. `enforced`: seen in effect only. `unjudged`: seen only where the mode is off. `unseen`: not seen.
 */
export type Readiness = 'ready' | 'breaks' | 'few' | 'enforced' | 'unjudged' | 'unseen';

/** What must have been seen of a route in shadow before it is called ready. */
export const ENOUGH = { decisions: 20, callers: 2 } as const;

export interface Breakage extends Seen {
  /** The reason of the refusal, or `list-emptied` for a list that would have lost all its rows. */
  readonly reason: string;
  /** Those whom it would meet, most often first; so many at most. */
  readonly who: readonly Affected[];
}

export interface Affected extends Seen {
  readonly who: string;
}

export interface RouteRow {
  readonly route: string;
  readonly readiness: Readiness;
  /** Users who were judged in shadow, or addresses with their clients where no user is known; counted up to 1,000. */
  readonly callers: number;
  readonly breakages: readonly Breakage[];
  readonly counts: Counts;
}

export interface RouteReadiness {
  take(entry: Entry, caller: string): void;
  row(): RouteRow;
}

const MAX_CALLERS = 1_000;
const MAX_REASONS = 100;
const MAX_AFFECTED = 50;

/** Stands among the reasons: nobody is refused, but a page would look as if everything were lost. */
const LIST_EMPTIED = 'list-emptied';

/** Returns what is known of a route that was not seen yet. */
export const routeReadiness = (route: string): RouteReadiness => {
  const counts = noCounts();
  const callers = new Set<string>();
  const breakages = boundedRows(MAX_REASONS, () => breakage(OTHERS));
  const broken = (reason: string) => breakages.of(reason, () => breakage(reason));
  return {
    take(entry, caller) {
      const { mode, found } = entry;
      count(counts, entry);
      if (mode === 'shadow' && callers.size < MAX_CALLERS) callers.add(caller);
      for (const reason of found.denials) broken(reason).take(entry, caller);
      if (found.emptied) broken(LIST_EMPTIED).take(entry, caller);
    },
    row() {
      const rows = ordered(breakages, (a, b) => b.seen.count - a.seen.count).map((one) => one.row());
      const readiness = rows.length > 0 ? 'breaks' : readinessOf(counts, callers.size);
      return { route, readiness, callers: callers.size, breakages: rows, counts };
    },
  };
};

const readinessOf = ({ decisions, shadow, enforced }: Counts, callers: number): Readiness => {
  if (decisions === 0) return 'unseen';
  if (shadow >= ENOUGH.decisions && callers >= ENOUGH.callers) return 'ready';
  if (shadow > 0) return 'few';
  return enforced > 0 ? 'enforced' : 'unjudged';
};

const breakage = (reason: string) => {
  const seen = unseen();
  const affected = boundedRows(MAX_AFFECTED, (): Affected => ({ who: OTHERS, ...unseen() }));
  return {
    seen,
    take({ time }: Entry, who: string): void {
      see(seen, time);
      see(
        affected.of(who, () => ({ who, ...unseen() })),
        time,
      );
    },
    row: (): Breakage => ({ reason, ...seen, who: ordered(affected, byCount) }),
  };
};
