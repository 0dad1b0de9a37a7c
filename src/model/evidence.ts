/** What judging came to where nothing is refused: findings, and faults of our own, which must not stop a request either. */
import type { Finding } from './finding.ts';
import { Rejection } from './rejection.ts';

export interface Evidence {
  readonly findings: Finding[];
  /** What was thrown and is no refusal: bugs, to be reported. */
  readonly faults: unknown[];
}

/** Resolves to what was judged; or to undefined, and what was thrown is in the evidence. */
export const judging = async <T>(evidence: Evidence, judge: () => T | Promise<T>): Promise<T | undefined> => {
  try {
    return await judge();
  } catch (error) {
    noteThrown(evidence, error);
    return undefined;
  }
};

/** Notes what was thrown as the refusal that it would have been. */
export const noteThrown = (evidence: Evidence, error: unknown): void => {
  const isRefusal = error instanceof Rejection;
  if (!isRefusal) evidence.faults.push(error);
  const { reason, message: detail } = isRefusal ? error : new Rejection('internal-error', String(error));
  evidence.findings.push({ would: 'deny', reason, detail });
};
