/** What is told of the live policy: the admin API's words, which the commands read again. */
import type { Mode } from '../model/mode.ts';
import type { Fault } from './fault.ts';
import type { Generation, LivePolicy } from './live.ts';

interface GenerationStatus {
  readonly generation: number;
  readonly sha256: string;
  /** ISO 8601, UTC. */
  readonly loadedAt: string;
}

export interface PolicyStatus extends GenerationStatus {
  readonly name: string;
  readonly mode: Mode;
  /** False while some route, cohort or socket is not in effect for everybody. */
  readonly enforced: boolean;
  readonly routes: number;
  readonly files: ReadonlyArray<{ readonly file: string; readonly sha256: string | undefined }>;
  /** To which a roll-back would go. */
  readonly previous: GenerationStatus | null;
  /** What a roll-back gave up; its files are passed over until they change. */
  readonly rolledBackFrom: { readonly generation: number; readonly sha256: string } | null;
  /** Why what the files say now is not live. */
  readonly lastFailure: { readonly at: string; readonly sha256: string; readonly faults: readonly Fault[] } | null;
}

export const policyStatus = ({ current, previous, rolledBackFrom, lastFailure }: LivePolicy): PolicyStatus => {
  const { name, rollout, enforced, routes } = current.policy;
  return {
    ...summary(current),
    name,
    mode: rollout.mode,
    enforced,
    routes: routes.length,
    files: current.files,
    previous: previous === undefined ? null : summary(previous),
    rolledBackFrom: rolledBackFrom === undefined ? null : pick(rolledBackFrom),
    lastFailure: lastFailure === undefined ? null : failure(lastFailure),
  };
};

const pick = ({ generation, sha256 }: Pick<Generation, 'generation' | 'sha256'>) => ({ generation, sha256 });

const summary = (of: Generation): GenerationStatus => ({ ...pick(of), loadedAt: isoTime(of.loadedAtMillis) });

const failure = ({ atMillis, sha256, faults }: NonNullable<LivePolicy['lastFailure']>) => ({
  at: isoTime(atMillis),
  sha256,
  faults,
});

const isoTime = (millis: number): string => new Date(millis).toISOString();
