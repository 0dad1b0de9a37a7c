/** What is known of one request while it lives: the stages add to it, the audit record is made of it. */

import type { Grant } from '../model/grant.ts';
import type { Principal } from '../model/principal.ts';
import type { Stage } from '../model/reason.ts';
import type { CanonicalRequest, RawRequest } from '../model/request.ts';
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
  principal: Principal | undefined;
  grant: Grant | undefined;
  run: Run | undefined;
  /** What it holds of what everybody needs. */
  share: Share | undefined;
  limitHeaders: readonly string[];
  upstreamStatus: number | undefined;
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
    principal: undefined,
    grant: undefined,
    run: undefined,
    share: undefined,
    limitHeaders: [],
    upstreamStatus: undefined,
  };
};

/** Closes the stage under way and opens the next. */
export const enter = (life: Life, stage: Stage): void => {
  const now = performance.now();
  life.stages[life.stage] = now - life.stageStartedAt;
  life.stage = stage;
  life.stageStartedAt = now;
};
