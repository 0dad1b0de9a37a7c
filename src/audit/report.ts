/** The form of what `report --json` writes. */
import type { ENOUGH } from './readiness.ts';
import type { Summary } from './summary.ts';

/** A later version of the gateway may add fields; `version` changes when one changes its meaning or goes. */
export interface Report extends Summary {
  readonly version: 1;
  readonly file: string;
  /** The period that was asked for, in UTC; null where it was left open. */
  readonly since: string | null;
  readonly until: string | null;
  /** How much of a route must have been seen before it is called ready. */
  readonly enough: typeof ENOUGH;
}
