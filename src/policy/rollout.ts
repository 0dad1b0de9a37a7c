/** The modes of a policy file -> the rollout that its routes and sockets run on. */
import { createHash } from 'node:crypto';
import { type Cohort, isPartial, type Mode, modeFor, type Rollout } from '../model/mode.ts';
import type { ParsedPolicy } from './schema.ts';

/** Returns the rollout of everything in a file that has no mode of its own. */
export const rolloutOf = ({ mode, cohorts }: Pick<ParsedPolicy, 'mode' | 'cohorts'>): Rollout => ({
  mode,
  cohorts: Object.entries(cohorts).map(([name, written]) => compileCohort(name, written)),
});

/** The strictest first. */
const STRICTNESS: readonly Mode[] = ['enforce', 'shadow', 'off'];

/** Returns what holds where no file speaks alone: for each caller the strictest of the modes that the files have. */
export const strictest = (rollouts: readonly [Rollout, ...Rollout[]]): Rollout => {
  const [first, ...others] = rollouts;
  if (others.length === 0 || !rollouts.some(isPartial)) return first;
  return {
    mode: STRICTNESS.find((mode) => rollouts.some((one) => one.mode === mode)) ?? 'enforce',
    cohorts: STRICTNESS.map((mode) => ({
      name: mode,
      mode,
      has: (principal) => rollouts.some((one) => modeFor(one, principal) === mode),
    })),
  };
};

const compileCohort = (name: string, { mode, users, roles, percent }: ParsedPolicy['cohorts'][string]): Cohort => {
  const owners = new Set(users);
  const named = new Set(roles);
  const shareOf = percent === 0 ? undefined : remembered(share);
  return {
    name,
    mode,
    has: ({ owner, roles: held }) =>
      owners.has(owner) || held.some((role) => named.has(role)) || (shareOf !== undefined && shareOf(owner) < percent),
  };
};

/** Returns where an owner stands among all, 0 to 99.99: always the same, so that a growing share only gains members. */
const share = (owner: string): number => (createHash('sha256').update(owner).digest().readUInt32BE(0) % 10_000) / 100;

const MAX_REMEMBERED = 10_000;

const remembered = (compute: (key: string) => number): ((key: string) => number) => {
  const known = new Map<string, number>();
  return (key) => {
    let value = known.get(key);
    if (value === undefined) {
      value = compute(key);
      if (known.size >= MAX_REMEMBERED) known.clear();
      known.set(key, value);
    }
    return value;
  };
};
