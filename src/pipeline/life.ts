/** What is known of one request while it lives: the stages add to it, the audit record is made of it. */

import type { Evidence } from '../model/evidence.ts';
import type { Grant } from '../model/grant.ts';
import type { Mode } from '../model/mode.ts';
import type { Owner, Principal } from '../model/principal.ts';
import type { ReasonCode, Stage } from '../model/reason.ts';
import { Rejection } from '../model/rejection.ts';
import type { CanonicalRequest, RawRequest } from '../model/request.ts';
import type { ResourceRef } from '../model/resource.ts';
import type { RouteMatch } from '../model/route.ts';
import type { Run } from '../ratelimit/runs.ts';
import type { Share } from '../ratelimit/shares.ts';
import type { Cancellation } from '../upstream/origin.ts';

export interface Life {
  readonly raw: RawRequest;
  /** The bytes of the request's body; undefined where the framing announces none. */
  readonly source: AsyncIterable<Buffer> | undefined;
  readonly cancellation: Cancellation;
  readonly startedAt: number;
  readonly stages: Partial<Record<Stage, number>>;
  stage: Stage;
  stageStartedAt: number;
  request: CanonicalRequest | undefined;
  match: RouteMatch | undefined;
  /** The gateway's own endpoint, and whom its answer is about; undefined where it is a route of the policy's. */
  own: { readonly id: string; readonly owner: Owner | undefined } | undefined;
  principal: Principal | undefined;
  grant: Grant | undefined;
  run: Run | undefined;
  /** What it holds of what everybody needs. */
  share: Share | undefined;
  limitHeaders: readonly string[];
  upstreamStatus: number | undefined;
  /** Undefined where the policy is in effect. */
  passing: Passing | undefined;
  /** How its caller's authority was over before the answer was; undefined where it was not. */
  endedBy: ReasonCode | undefined;
}

/** What is noted of a request that passes whatever is found. */
export interface Passing {
  readonly mode: Exclude<Mode, 'enforce'>;
  readonly evidence: Evidence;
  /** What is still being judged beside the life; none of it rejects. */
  readonly judging: Array<Promise<void>>;
  /** Gives the answer up, so that nothing waits for the rest of it; undefined while there is none. */
  giveUp: (() => void) | undefined;
  /** New ids, which are the caller's from now on. */
  recorded: readonly ResourceRef[];
}

/** `now` is monotonic, in milliseconds with fractions. */
export const beginLife = (
  input: Pick<Life, 'raw' | 'source' | 'cancellation'>,
  now: () => number = () => performance.now(),
): Life => {
  const startedAt = now();
  return {
    raw: input.raw,
    source: input.source,
    cancellation: input.cancellation,
    startedAt,
    stages: {},
    stage: 'canonical',
    stageStartedAt: startedAt,
    request: undefined,
    match: undefined,
    own: undefined,
    principal: undefined,
    grant: undefined,
    run: undefined,
    share: undefined,
    limitHeaders: [],
    upstreamStatus: undefined,
    passing: undefined,
    endedBy: undefined,
  };
};

/** Notes that nothing will be refused from here on. */
export const beginPassing = (life: Life, mode: Passing['mode']): Passing => {
  const evidence = { findings: [], faults: [] };
  const passing = { mode, evidence, judging: [], giveUp: undefined, recorded: [] };
  life.passing = passing;
  return passing;
};

/** Opens the first stage: what came before was waiting, and no stage's work. */
export const beginStages = (life: Life): void => {
  life.stageStartedAt = performance.now();
};

/** To be asked before anything is forwarded: for nobody the upstream is not troubled, and all that was taken is given back. */
export const requireClient = ({ cancellation }: Pick<Life, 'cancellation'>): void => {
  if (cancellation.cancelled) throw new Rejection('client-gone', 'before anything was forwarded');
};

/** Closes the stage under way and opens the next. */
export const enter = (life: Life, stage: Stage): void => {
  const now = performance.now();
  life.stages[life.stage] = now - life.stageStartedAt;
  life.stage = stage;
  life.stageStartedAt = now;
};
