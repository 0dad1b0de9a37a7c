/** How old the copy of an answer that all callers share may be. */
export interface Freshness {
  readonly maxAgeMillis: number;
  /** How much older where the upstream fails. */
  readonly staleMillis: number;
}
