/** How far a policy goes: nowhere yet, only into the audit record, or into effect; and for whom it goes how far. */
import type { Principal } from './principal.ts';

/**
 * `off`: nothing is judged but the form of the request. `shadow`: everything is judged, passes, and is recorded.
 * `enforce`: what is judged is done.
 */
export type Mode = 'off' | 'shadow' | 'enforce';

/** What a caller is told apart by. */
export type Member = Pick<Principal, 'owner' | 'roles'>;

/** Callers for whom another mode holds. */
export interface Cohort {
  readonly name: string;
  readonly mode: Mode;
  readonly has: (principal: Member) => boolean;
}

/** The mode, and the cohorts that it does not hold for; the first that a caller is in counts. */
export interface Rollout {
  readonly mode: Mode;
  readonly cohorts: readonly Cohort[];
}

export const ENFORCED: Rollout = { mode: 'enforce', cohorts: [] };

/** Returns the mode for a caller. Somebody unknown is in no cohort. */
export const modeFor = ({ mode, cohorts }: Rollout, principal: Member | undefined): Mode => {
  if (principal === undefined) return mode;
  return cohorts.find(({ has }) => has(principal))?.mode ?? mode;
};

/** True when somebody might meet this rollout in another mode than `enforce`. */
export const isPartial = ({ mode, cohorts }: Rollout): boolean =>
  mode !== 'enforce' || cohorts.some((cohort) => cohort.mode !== 'enforce');
