/** THE LIFE OF A REQUEST, in order. Each step needs the previous one's branded type, so none can be left out. */
import type { Authorize } from '../authz/authorize.ts';
import type { Filter } from '../filter/filter.ts';
import type { Principal } from '../model/principal.ts';
import type { CanonicalRequest, RawRequest, ReadRequest } from '../model/request.ts';
import type { FilteredResponse } from '../model/response.ts';
import type { RouteMatch } from '../model/route.ts';
import type { Rewrite } from '../rewrite/rewrite.ts';
import { enter, type Life, requireClient } from './life.ts';
import { type MeetingStages, type MetInEffect, matched, meet } from './meet.ts';
import { type ShadowStages, type StagesInCommon, shadowLife } from './shadow.ts';
import { turns } from './turn.ts';

export interface RequestStages extends MeetingStages, StagesInCommon {
  canonical(raw: RawRequest): CanonicalRequest;
  read(
    request: CanonicalRequest,
    match: RouteMatch,
    source: AsyncIterable<Buffer> | undefined,
  ): ReadRequest | Promise<ReadRequest>;
  /** Throws a Rejection when the authority of a caller is over. */
  readonly recheck?: (principal: Principal) => void;
  readonly authorize: Authorize;
  /** Returns the gateway's own answer, where the route has one and nothing is forwarded. */
  fixed(match: RouteMatch): FilteredResponse | undefined;
  readonly rewrite: Rewrite;
  readonly filter: Filter;
  /** Undefined: the policy is in effect for everybody, whatever it says of modes. */
  readonly shadow?: ShadowStages;
}

/** Returns the life: it resolves to what the caller may see, or throws a Rejection. */
export const requestLife = (stages: RequestStages) => {
  const lenient = stages.shadow && lenientLife(stages, stages.shadow);
  const itsTurn = turns();

  return async (life: Life): Promise<FilteredResponse> => {
    const request = stages.canonical(life.raw);
    life.request = request;
    let met: MetInEffect | undefined;
    if (lenient !== undefined && !lenient.policy.enforced) {
      const either = await lenient.meet(life, request);
      if (either.mode !== 'enforce') return lenient.pass(life, request, either);
      met = either;
    }
    const match = met?.match ?? matched(stages, life, request);
    if (met === undefined) enter(life, 'authenticate');
    // What is known at once is not awaited, here and below: each wait makes a promise, and lets other work come between.
    const caller = met === undefined ? stages.authenticate(request, match) : met.principal;
    const principal = caller instanceof Promise ? await caller : caller;
    life.principal = principal;
    enter(life, 'limit');
    const admitted = stages.limit.admit(request, match, principal);
    life.limitHeaders = admitted instanceof Promise ? await admitted : admitted;
    life.share = stages.shares.take(request, match, principal);
    enter(life, 'read');
    const reading = stages.read(request, match, life.source);
    const read = reading instanceof Promise ? await reading : reading;
    // A body may take its time, and an authority may be over by then.
    if (principal !== undefined && life.source !== undefined) stages.recheck?.(principal);
    enter(life, 'authorize');
    const judged = stages.authorize(read, match, principal);
    const grant = judged instanceof Promise ? await judged : judged;
    life.grant = grant;
    // Only now: a session is its owner's alone, so what the upstream says of its runs is said of this user's.
    if (match.route.run !== undefined) life.run = await stages.runs.start(read, match, principal);
    const fixed = stages.fixed(match);
    if (fixed !== undefined) return fixed;
    enter(life, 'rewrite');
    const rewritten = stages.rewrite(grant, match, principal);
    const outbound = rewritten instanceof Promise ? await rewritten : rewritten;
    requireClient(life);
    enter(life, 'forward');
    const answer = await stages.origin.send(outbound, life.cancellation);
    await itsTurn();
    life.upstreamStatus = answer.status;
    enter(life, 'filter');
    try {
      const isUnsettled = grant.claims.length > 0 || grant.releases.length > 0 || grant.confirms !== undefined;
      if (isUnsettled) await stages.answered(life, answer.status);
      const filtered = stages.filter(answer, grant, match);
      const response = filtered instanceof Promise ? await filtered : filtered;
      enter(life, 'respond');
      return response;
    } catch (error) {
      // Nobody will read it, and unread it would hold its connection.
      answer.body.abort();
      throw error;
    }
  };
};

const lenientLife = (stages: RequestStages, shadow: ShadowStages) => ({
  policy: shadow.policy,
  meet: meet(stages, shadow),
  pass: shadowLife(stages, shadow),
});
