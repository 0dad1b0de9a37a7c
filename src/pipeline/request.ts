/** THE LIFE OF A REQUEST, in order. Each step needs the previous one's branded type, so none can be left out. */
import type { Authenticator } from '../authn/authenticate.ts';
import type { Authorize } from '../authz/authorize.ts';
import type { Filter } from '../filter/filter.ts';
import { Rejection } from '../model/rejection.ts';
import type { CanonicalRequest, RawRequest, ReadRequest } from '../model/request.ts';
import type { FilteredResponse } from '../model/response.ts';
import type { RouteMatch } from '../model/route.ts';
import type { Limit } from '../ratelimit/limit.ts';
import type { Runs } from '../ratelimit/runs.ts';
import type { Shares } from '../ratelimit/shares.ts';
import type { Rewrite } from '../rewrite/rewrite.ts';
import type { Origin } from '../upstream/origin.ts';
import { enter, type Life } from './life.ts';

export interface RequestStages {
  canonical(raw: RawRequest): CanonicalRequest;
  match(method: string, path: string): RouteMatch | undefined;
  readonly authenticate: Authenticator['authenticate'];
  readonly limit: Limit;
  readonly shares: Shares;
  read(
    request: CanonicalRequest,
    match: RouteMatch,
    source: AsyncIterable<Buffer> | undefined,
  ): ReadRequest | Promise<ReadRequest>;
  readonly runs: Runs;
  readonly authorize: Authorize;
  readonly rewrite: Rewrite;
  readonly origin: Origin;
  readonly filter: Filter;
  /** Called when the upstream's answer has begun, before anything of it is judged or shown. */
  answered(life: Life, status: number): Promise<void>;
}

/** Returns the life: it resolves to what the caller may see, or throws a Rejection. */
export const requestLife =
  (stages: RequestStages) =>
  async (life: Life): Promise<FilteredResponse> => {
    const request = stages.canonical(life.raw);
    life.request = request;
    enter(life, 'match');
    const match = listed(stages.match(request.method, request.path), life);
    enter(life, 'authenticate');
    const principal = await stages.authenticate(request, match);
    life.principal = principal;
    enter(life, 'limit');
    life.limitHeaders = await stages.limit.admit(request, match, principal);
    life.share = stages.shares.take(request, match, principal);
    enter(life, 'read');
    const read = await stages.read(request, match, life.source);
    enter(life, 'authorize');
    const grant = await stages.authorize(read, match, principal);
    life.grant = grant;
    // Only now: a session is its owner's alone, so what the upstream says of its runs is said of this user's.
    if (match.route.run !== undefined) life.run = await stages.runs.start(read, match, principal);
    enter(life, 'rewrite');
    const outbound = await stages.rewrite(grant, match, principal);
    enter(life, 'forward');
    const answer = await stages.origin.send(outbound, life.cancellation);
    life.upstreamStatus = answer.status;
    enter(life, 'filter');
    try {
      if (grant.claims.length > 0 || grant.releases.length > 0) await stages.answered(life, answer.status);
      const response = await stages.filter(answer, grant, match);
      enter(life, 'respond');
      return response;
    } catch (error) {
      // Nobody will read it, and unread it would hold its connection.
      answer.body.abort();
      throw error;
    }
  };

/** Keeps the match for the record also where the route is listed only to be refused. */
const listed = (match: RouteMatch | undefined, life: Life): RouteMatch => {
  if (match === undefined) throw new Rejection('route-unknown', 'no route of the policy matches');
  life.match = match;
  if (match.route.access === 'denied') throw new Rejection('route-denied', `route ${match.route.id} is denied`);
  return match;
};
