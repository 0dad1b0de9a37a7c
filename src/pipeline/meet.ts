/**
 * How the policy meets a request: in effect, or only looking on. That depends on the route and on who is calling, so both
 * are found out first, and what fails on the way is thrown only where the policy is in effect.
 */
import type { Authenticator } from '../authn/authenticate.ts';
import { type Mode, modeFor } from '../model/mode.ts';
import type { Policy } from '../model/policy.ts';
import type { Principal } from '../model/principal.ts';
import { Rejection } from '../model/rejection.ts';
import type { CanonicalRequest } from '../model/request.ts';
import type { RouteMatch } from '../model/route.ts';
import { enter, type Life } from './life.ts';
import { type UnmatchedPolicy, unmatchedMode } from './unmatched.ts';

export interface MeetingStages {
  match(method: string, path: string): RouteMatch | undefined;
  readonly authenticate: Authenticator['authenticate'];
}

export interface ModeStages {
  readonly policy: UnmatchedPolicy & Pick<Policy, 'enforced'>;
  /** Returns whose the request's token is, undefined where there is none, or throws or rejects. */
  identify(request: CanonicalRequest): Principal | undefined | Promise<Principal | undefined>;
}

export interface MetInEffect {
  readonly mode: 'enforce';
  readonly match: RouteMatch;
  readonly principal: Principal | undefined;
}

export interface MetLooking {
  readonly mode: Exclude<Mode, 'enforce'>;
  /** What would have ended the request so far; undefined: nothing. */
  readonly thrown: unknown;
}

/** Returns the question. It rejects as the strict life would where the policy is in effect for the caller. */
export const meet = (stages: MeetingStages, { policy, identify }: ModeStages) => {
  /** On a route that nobody reaches nobody was asked for a token; the mode may depend on it all the same. */
  const callerOf = async (request: CanonicalRequest, thrown: unknown): Promise<Principal | undefined> => {
    if (!(thrown instanceof Rejection)) return undefined;
    if (thrown.reason !== 'route-unknown' && thrown.reason !== 'route-denied') return thrown.principal;
    try {
      return await identify(request);
    } catch {
      // A token that does not count names nobody. What is wrong with the request is its route.
      return undefined;
    }
  };

  return async (life: Life, request: CanonicalRequest): Promise<MetInEffect | MetLooking> => {
    try {
      const match = matched(stages, life, request);
      enter(life, 'authenticate');
      const principal = await stages.authenticate(request, match);
      const mode = modeFor(match.route.rollout, principal);
      if (mode === 'enforce') return { mode, match, principal };
      life.principal = principal;
      return { mode, thrown: undefined };
    } catch (thrown) {
      // Of which route it is nothing is known: it may be one that is in effect.
      if (life.match === undefined && !(thrown instanceof Rejection)) throw thrown;
      const principal = await callerOf(request, thrown);
      const { match } = life;
      const mode =
        match === undefined ? unmatchedMode(policy, request, principal) : modeFor(match.route.rollout, principal);
      if (mode === 'enforce') throw thrown;
      life.principal = principal;
      return { mode, thrown };
    }
  };
};

/** Returns the route, or throws; the record knows it also where it is listed only to be refused. */
export const matched = (stages: MeetingStages, life: Life, request: CanonicalRequest): RouteMatch => {
  enter(life, 'match');
  const match = stages.match(request.method, request.path);
  if (match === undefined) throw new Rejection('route-unknown', 'no route of the policy matches');
  life.match = match;
  if (match.route.access === 'denied') throw new Rejection('route-denied', `route ${match.route.id} is denied`);
  return match;
};
