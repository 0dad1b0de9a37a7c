/** WHOSE IS IT: every id of the request is held against what the caller owns, then what it creates is claimed. */
import type { Grant } from '../model/grant.ts';
import type { Owner, Principal } from '../model/principal.ts';
import { Rejection } from '../model/rejection.ts';
import type { ReadRequest } from '../model/request.ts';
import type { ResourceRef, Verb } from '../model/resource.ts';
import type { ResourceUse, RouteMatch } from '../model/route.ts';
import { checkOwn, checkOwnInLedger, checkReferences } from './check.ts';
import type { Claims, WantedClaim } from './claim.ts';
import { locate } from './locate.ts';
import type { OwnershipLookup } from './lookup.ts';

export interface AuthorizeOptions {
  readonly lookup: OwnershipLookup;
  readonly claims: Claims;
}

interface Located {
  readonly use: ResourceUse;
  readonly ref: ResourceRef;
}

export type Authorize = (
  request: ReadRequest,
  match: RouteMatch,
  principal: Principal | undefined,
) => Grant | Promise<Grant>;

interface Case {
  readonly request: ReadRequest;
  readonly match: RouteMatch;
  readonly owner: Owner;
}

/** Returns the stage: it resolves to the Grant, or throws a Rejection with nothing claimed. */
export const authorize = ({ lookup, claims }: AuthorizeOptions): Authorize => {
  const judge = async ({ request, match, owner }: Case): Promise<Grant> => {
    const located = locateAll(request, match);
    const own = withVerb(located, 'own');
    const releases = withVerb(located, 'release');
    if (own.length > 0) await checkOwn(lookup, own, owner);
    if (releases.length > 0) await checkOwnInLedger(lookup, releases, owner);
    if (match.route.references !== undefined) {
      await checkReferences(lookup, await match.route.references(request.body), owner);
    }
    const wanted = wantedClaims(located);
    const claimed = wanted.length === 0 ? [] : await claims.take(wanted, owner, request.canonical.id);
    const resources = located.map(({ ref }) => ref);
    return { request, owner, resources, claims: claimed, releases } as unknown as Grant;
  };

  // The commonest request by far: one id, the caller's own, and its owner near. No promise is made for it.
  const judgeOne = (use: ResourceUse, { request, match, owner }: Case): Grant | Promise<Grant> => {
    const ref = locate(use, request, match);
    const resources = ref === undefined ? [] : [ref];
    const checked = checkOwn(lookup, resources, owner);
    const grant = { request, owner, resources, claims: [], releases: [] } as unknown as Grant;
    return checked === undefined ? grant : checked.then(() => grant);
  };

  return (request, match, principal) => {
    const { uses, references } = match.route;
    if (uses.length === 0 && references === undefined) {
      return { request, owner: principal?.owner, resources: [], claims: [], releases: [] } as unknown as Grant;
    }
    // A policy whose public route names resources does not load; this is law 7 for a mistake of ours.
    if (principal === undefined) throw new Rejection('token-missing', 'resources are named, but nobody is known');
    const judged = { request, match, owner: principal.owner };
    const only = uses.length === 1 && references === undefined ? uses[0] : undefined;
    return only?.verb === 'own' ? judgeOne(only, judged) : judge(judged);
  };
};

const locateAll = (request: ReadRequest, match: RouteMatch): Located[] => {
  const located: Located[] = [];
  for (const use of match.route.uses) {
    const ref = locate(use, request, match);
    if (ref !== undefined) located.push({ use, ref });
  }
  return located;
};

const withVerb = (located: readonly Located[], verb: Verb): ResourceRef[] =>
  located.filter(({ use }) => use.verb === verb).map(({ ref }) => ref);

const wantedClaims = (located: readonly Located[]): WantedClaim[] => {
  const wanted: WantedClaim[] = [];
  for (const { use, ref } of located) {
    if (use.verb !== 'create' && use.verb !== 'claim') continue;
    const parent = located.find((other) => other.ref.kind === use.kind.parent)?.ref;
    wanted.push({ ref, parent, verb: use.verb, kind: use.kind });
  }
  return wanted;
};
