/**
 * THE LIFE OF A REQUEST where the policy is not in effect, yet or for this caller: the same steps, of which none refuses.
 * What would have happened is noted for the record. What protects this process itself, the shares, is in effect always.
 */
import type { AuthorizeInShadow } from '../authz/authorize.ts';
import type { Foresight } from '../authz/foresee.ts';
import type { ReadInShadow } from '../body/read.ts';
import type { FilterInShadow } from '../filter/filter.ts';
import { judging, noteThrown } from '../model/evidence.ts';
import type { GrantInShadow } from '../model/grant.ts';
import { Rejection } from '../model/rejection.ts';
import type { CanonicalRequest } from '../model/request.ts';
import type { FilteredResponse, UpstreamAnswer } from '../model/response.ts';
import type { Limit } from '../ratelimit/limit.ts';
import type { Runs } from '../ratelimit/runs.ts';
import type { Shares } from '../ratelimit/shares.ts';
import type { Changes } from '../rewrite/changes.ts';
import type { PassOn } from '../rewrite/rewrite.ts';
import type { Origin } from '../upstream/origin.ts';
import { charge } from './charge.ts';
import { beginPassing, enter, type Life, type Passing, requireClient } from './life.ts';
import type { MetLooking, ModeStages } from './meet.ts';

/** Those that both lives have. */
export interface StagesInCommon {
  readonly limit: Limit;
  readonly shares: Shares;
  readonly runs: Runs;
  readonly origin: Origin;
  /** Called when the upstream's answer has begun, before anything of it is judged or shown. */
  answered(life: Life, status: number): Promise<void>;
}

/** Those that note what the strict ones would refuse. Without a route to judge by they judge nothing. */
export interface ShadowStages extends ModeStages {
  readonly read: ReadInShadow;
  readonly authorize: AuthorizeInShadow;
  readonly foresight: Pick<Foresight, 'hold' | 'settle'>;
  readonly changes: Changes;
  readonly passOn: PassOn;
  readonly filter: FilterInShadow;
}

/** Returns the life: it resolves to the upstream's answer, or throws when there is none, or no share is left. */
export const shadowLife = (stages: StagesInCommon, shadow: ShadowStages) => {
  const release = released(stages);
  const holding = held(shadow);

  return async (life: Life, request: CanonicalRequest, met: MetLooking): Promise<FilteredResponse> => {
    const { match, principal } = life;
    const passing = beginPassing(life, met.mode);
    const { evidence } = passing;
    // What would have ended before the limits would never have been read: then it is not read here either.
    const judged = met.mode === 'shadow' && met.thrown === undefined ? match : undefined;
    enter(life, 'limit');
    if (judged !== undefined) await judging(evidence, () => stages.limit.admit(request, judged, principal));
    else if (met.mode === 'shadow') await noteRefused(stages.limit, life, met.thrown);
    life.share = stages.shares.take(request, judged, principal);
    enter(life, 'read');
    const read = await shadow.read({ canonical: request, match: judged, source: life.source, evidence });
    enter(life, 'authorize');
    const grant = await shadow.authorize(read, judged, principal);
    life.grant = grant;
    if (judged?.route.run !== undefined && grant.shadow.allowed) {
      life.run = await judging(evidence, () => stages.runs.start(read, judged, principal));
    }
    enter(life, 'rewrite');
    const outbound = shadow.passOn(grant, match, principal);
    if (judged !== undefined) passing.judging.push(shadow.changes(grant, judged, principal));
    requireClient(life);
    enter(life, 'forward');
    const answer = await holding(grant, passing, () => stages.origin.send(outbound, life.cancellation));
    life.upstreamStatus = answer.status;
    enter(life, 'filter');
    passing.giveUp = () => answer.body.abort();
    await release(life, grant, passing);
    const { response, judged: filtered, giveUp } = shadow.filter(answer, grant, judged);
    passing.giveUp = giveUp;
    if (filtered !== undefined) passing.judging.push(filtered);
    enter(life, 'respond');
    return response;
  };
};

/** Never rejects. */
const noteRefused = async (limit: Limit, life: Life, thrown: unknown): Promise<void> => {
  const evidence = life.passing?.evidence;
  if (evidence === undefined) return;
  noteThrown(evidence, thrown);
  if (thrown instanceof Rejection) await judging(evidence, () => charge(limit, life, thrown));
};

/** What is new is held for its caller while the server works on it, and is the caller's after a success. */
const held =
  ({ foresight }: Pick<ShadowStages, 'foresight'>) =>
  async (grant: GrantInShadow, passing: Passing, send: () => Promise<UpstreamAnswer>): Promise<UpstreamAnswer> => {
    const { owner, request, shadow } = grant;
    if (owner === undefined || shadow.fresh.length === 0) return send();
    const { evidence } = passing;
    const { id } = request.canonical;
    const refs = (await judging(evidence, () => foresight.hold(shadow.fresh, owner, id))) ?? [];
    let made = false;
    try {
      const answer = await send();
      made = isSuccess(answer.status);
      return answer;
    } finally {
      if (made) passing.recorded = refs;
      if (refs.length > 0) await judging(evidence, () => foresight.settle(refs, id, made));
    }
  };

/** A success leaves a tombstone of what was the caller's. A call that was certainly not answered waits again. */
const released =
  ({ answered }: Pick<StagesInCommon, 'answered'>) =>
  async (life: Life, { owner, releases, confirms }: GrantInShadow, passing: Passing): Promise<void> => {
    const { upstreamStatus: status = 0 } = life;
    const isReleased = isSuccess(status) && owner !== undefined && releases.length > 0;
    if (!isReleased && confirms === undefined) return;
    await judging(passing.evidence, () => answered(life, status));
  };

const isSuccess = (status: number): boolean => status >= 200 && status < 300;
