/**
 * The policy that is live, and how another one takes its place: loaded, checked and tried beside it, then swapped at
 * once. What holds the view always reads the one that is live; a request in flight keeps the route that it was given.
 */
import type { SocketRule } from '../model/event.ts';
import type { Policy } from '../model/policy.ts';
import type { Fault } from './fault.ts';
import { selfTest } from './self-test.ts';
import { isUnchanged, type Load, type PolicyFile, type Snapshot, takeSnapshot } from './snapshot.ts';

/** A policy that is or was live. */
export interface Generation {
  /** From 1; a number is never given twice. */
  readonly generation: number;
  readonly sha256: string;
  readonly files: readonly PolicyFile[];
  readonly loadedAtMillis: number;
  readonly policy: Policy;
}

/** Why what the files say now is not live. */
export interface LoadFailure {
  readonly atMillis: number;
  readonly sha256: string;
  readonly faults: readonly Fault[];
}

export type ReloadOutcome =
  | { readonly outcome: 'loaded'; readonly generation: Generation }
  | { readonly outcome: 'unchanged' }
  | { readonly outcome: 'refused'; readonly failure: LoadFailure };

export interface LivePolicy {
  /** The view. It is one object for ever; never copy what it holds. */
  readonly policy: Policy;
  readonly current: Generation;
  /** To which `rollBack` would go. */
  readonly previous: Generation | undefined;
  /** Undefined when the last load was good. */
  readonly lastFailure: LoadFailure | undefined;
  /** What was given up by a roll-back, until something else is loaded. */
  readonly rolledBackFrom: Pick<Generation, 'generation' | 'sha256'> | undefined;
  /** The files of what is live, and those that were looked at last. */
  readonly files: readonly string[];
  /** Loads the files, unless they hold what is live. */
  reload(): ReloadOutcome;
  /** The same, but passes over what was looked at before and refused, and over what was rolled back. */
  reloadChanged(): ReloadOutcome;
  /** Makes the generation before live again and returns it; undefined when there is none. */
  rollBack(): Generation | undefined;
}

export interface LivePolicyOptions {
  readonly load?: Load;
  readonly now?: () => number;
  /** Returns what speaks against a policy where it is to be live, although it is good by itself. */
  readonly check?: (policy: Policy) => readonly Fault[];
}

/** How many generations can be gone back. */
const MAX_EARLIER = 4;

interface State {
  readonly check: NonNullable<LivePolicyOptions['check']>;
  current: Generation;
  /** How many numbers were given. */
  count: number;
  earlier: readonly Generation[];
  seen: Snapshot;
  lastFailure: LoadFailure | undefined;
  rolledBackFrom: LivePolicy['rolledBackFrom'];
}

/** Returns the live policy of the files, at its first generation, or all their faults. */
export const livePolicy = (
  files: readonly string[],
  { load, now = Date.now, check = () => [] }: LivePolicyOptions = {},
): LivePolicy | { readonly faults: readonly Fault[] } => {
  const look = (): Snapshot => takeSnapshot(files, load);
  const seen = look();
  const first = judged(seen, undefined, check);
  if ('faults' in first) return first;
  const current = { ...first, generation: 1, loadedAtMillis: now() };
  const unchanged = { lastFailure: undefined, rolledBackFrom: undefined };
  const state: State = { check, current, count: 1, earlier: [], seen, ...unchanged };

  return {
    policy: viewOf(() => state.current.policy),
    get current() {
      return state.current;
    },
    get previous() {
      return state.earlier.at(-1);
    },
    get lastFailure() {
      return state.lastFailure;
    },
    get rolledBackFrom() {
      return state.rolledBackFrom;
    },
    get files() {
      return [...new Set([...files, ...[...state.current.files, ...state.seen.files].map(({ file }) => file)])];
    },
    reload: () => take(state, look(), now()),
    reloadChanged: () => (isUnchanged(state.seen) ? UNCHANGED : takeOther(state, look(), now())),
    rollBack: () => rollBack(state),
  };
};

const UNCHANGED: ReloadOutcome = { outcome: 'unchanged' };

const takeOther = (state: State, seen: Snapshot, nowMillis: number): ReloadOutcome => {
  if (seen.sha256 !== state.rolledBackFrom?.sha256) return take(state, seen, nowMillis);
  state.seen = seen;
  state.lastFailure = undefined;
  return UNCHANGED;
};

/** Judges what the files hold now, beside what is live, and swaps when it is good. */
const take = (state: State, seen: Snapshot, nowMillis: number): ReloadOutcome => {
  state.seen = seen;
  const next = judged(seen, state.current.policy, state.check);
  if ('faults' in next) {
    state.lastFailure = { atMillis: nowMillis, sha256: seen.sha256, faults: next.faults };
    return { outcome: 'refused', failure: state.lastFailure };
  }
  state.lastFailure = undefined;
  state.rolledBackFrom = undefined;
  if (next.sha256 === state.current.sha256) return UNCHANGED;
  state.count += 1;
  state.earlier = [...state.earlier, state.current].slice(-MAX_EARLIER);
  state.current = { ...next, generation: state.count, loadedAtMillis: nowMillis };
  return { outcome: 'loaded', generation: state.current };
};

const rollBack = (state: State): Generation | undefined => {
  const back = state.earlier.at(-1);
  if (back === undefined) return undefined;
  state.earlier = state.earlier.slice(0, -1);
  // Of several, the first: that is what the files still hold.
  state.rolledBackFrom ??= state.current;
  state.current = back;
  return back;
};

type Judged = Pick<Generation, 'policy' | 'sha256' | 'files'> | { readonly faults: readonly Fault[] };

/** Returns what can go live in the place of another, or why it cannot. */
const judged = ({ loaded, files, sha256 }: Snapshot, inPlaceOf: Policy | undefined, check: State['check']): Judged => {
  if ('faults' in loaded) return loaded;
  const { policy } = loaded;
  const wrong = [...selfTest(policy), ...(inPlaceOf === undefined ? [] : needingRestart(inPlaceOf, policy))];
  const [file] = files;
  const told = wrong.map((message) => ({ file: file?.file ?? '', line: 0, column: 0, message }));
  const faults = [...told, ...check(policy)];
  return faults.length === 0 ? { policy, files, sha256 } : { faults };
};

/** The listener and the upstream's connection are bound to the socket's path when the process starts. */
const needingRestart = (before: Policy, after: Policy): string[] => [
  ...movedSocket(before, after),
  ...(before.webSockets.length === 0 && after.webSockets.length > 0
    ? ['a WebSocket endpoint appears where there was none: that needs a restart']
    : []),
];

const movedSocket = ({ sockets: before }: Policy, { sockets: after }: Policy): string[] => {
  const [from, to] = [before[0]?.path, after[0]?.path];
  if (from === to) return [];
  if (from === undefined) return [`a socket appears at ${to}: that needs a restart`];
  if (to === undefined) return [`the socket at ${from} disappears: that needs a restart`];
  return [`the path of the socket changes from ${from} to ${to}: that needs a restart`];
};

const viewOf = (current: () => Policy): Policy => {
  const sockets = current().sockets.map((rule, index) => socketView(() => current().sockets[index] ?? rule));
  return {
    get name() {
      return current().name;
    },
    get rollout() {
      return current().rollout;
    },
    get enforced() {
      return current().enforced;
    },
    get resources() {
      return current().resources;
    },
    get routes() {
      return current().routes;
    },
    sockets,
    get webSockets() {
      return current().webSockets;
    },
    get visitorLimits() {
      return current().visitorLimits;
    },
    get failureLimits() {
      return current().failureLimits;
    },
    match: (method, path) => current().match(method, path),
  };
};

/** A socket outlives the generation under which it was opened, and is judged by the one that is live. */
const socketView = (current: () => SocketRule): SocketRule => ({
  path: current().path,
  get transports() {
    return current().transports;
  },
  get missed() {
    return current().missed;
  },
  get credentials() {
    return current().credentials;
  },
  get deliver() {
    return current().deliver;
  },
  get accept() {
    return current().accept;
  },
});
