/** WHOSE IS IT: every id of the request is held against what the caller owns, then what it creates is claimed. */
import type { CallAnswer } from '../model/call.ts';
import { type Evidence, judging, noteThrown } from '../model/evidence.ts';
import type { FreshRef, Grant, GrantInShadow } from '../model/grant.ts';
import type { Owner, Principal } from '../model/principal.ts';
import { Rejection } from '../model/rejection.ts';
import type { ReadRequest, ReadRequestInShadow } from '../model/request.ts';
import type { ResourceRef, Verb } from '../model/resource.ts';
import type { ConfirmRule, ResourceUse, RouteMatch } from '../model/route.ts';
import { checkOwn, checkOwnInLedger, checkReferences } from './check.ts';
import type { Claims, WantedClaim } from './claim.ts';
import { meetCondition } from './condition.ts';
import { confirm } from './confirm.ts';
import type { Foresight } from './foresee.ts';
import { locate } from './locate.ts';
import type { OwnershipLookup } from './lookup.ts';
import type { PendingCalls } from './pending.ts';

export interface AuthorizeOptions {
  readonly lookup: OwnershipLookup;
  readonly claims: Claims;
  readonly calls?: Pick<PendingCalls, 'take'> | undefined;
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
  readonly principal: Principal;
}

/** Returns the stage: it resolves to the Grant, or throws a Rejection with nothing claimed. */
export const authorize = ({ lookup, claims, calls }: AuthorizeOptions): Authorize => {
  const judge = async ({ request, match, owner, principal }: Case): Promise<Grant> => {
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
    // Last, and without a wait: of several at once one gets the call. A route that answers a call claims nothing.
    const rule = match.route.confirms;
    const confirms = rule && confirm(calls, { rule, place: placeOfCall(rule, located), request, owner });
    return { request, owner, principal, resources, claims: claimed, releases, confirms } as unknown as Grant;
  };

  // The commonest request by far: one id, the caller's own, and its owner near. No promise is made for it.
  const judgeOne = (use: ResourceUse, { request, match, owner, principal }: Case): Grant | Promise<Grant> => {
    const ref = locate(use, request, match);
    const resources = ref === undefined ? [] : [ref];
    const checked = checkOwn(lookup, resources, owner);
    const grant = { request, owner, principal, resources, claims: NONE, releases: NONE } as unknown as Grant;
    return checked === undefined ? grant : checked.then(() => grant);
  };

  return (request, match, principal) => {
    const { uses, references, confirms } = match.route;
    meetCondition(request, match, principal);
    if (uses.length === 0 && references === undefined && confirms === undefined) {
      const owner = principal?.owner;
      return { request, owner, principal, resources: NONE, claims: NONE, releases: NONE } as unknown as Grant;
    }
    // A policy whose public route names resources does not load; this is law 7 for a mistake of ours.
    if (principal === undefined) throw new Rejection('token-missing', 'resources are named, but nobody is known');
    const judged = { request, match, owner: principal.owner, principal };
    const only = uses.length === 1 && (references ?? confirms) === undefined ? uses[0] : undefined;
    return only?.verb === 'own' ? judgeOne(only, judged) : judge(judged);
  };
};

const NONE: readonly ResourceRef[] = [];

export type AuthorizeInShadow = (
  request: ReadRequestInShadow,
  match: RouteMatch | undefined,
  principal: Principal | undefined,
) => Promise<GrantInShadow>;

interface Foreseen extends Pick<Grant, 'resources' | 'releases'> {
  readonly fresh: readonly FreshRef[];
  readonly confirms?: CallAnswer | undefined;
}

const NOTHING: Foreseen = { resources: [], releases: [], fresh: [] };

interface ShadowOptions extends Pick<AuthorizeOptions, 'lookup' | 'calls'> {
  readonly foresight: Foresight;
}

/**
 * Returns the stage for where nothing is refused: the Grant carries what would have been. Nothing is claimed, and only
 * what is the caller's own is released. Without a match nothing is judged. Never rejects.
 */
export const authorizeInShadow = ({ lookup, foresight, calls }: ShadowOptions): AuthorizeInShadow => {
  const judge = async (request: ReadRequestInShadow, match: RouteMatch, owner: Owner): Promise<Foreseen> => {
    const { evidence } = request.shadow;
    const { located, lost } = locateWhatIsThere(request, match);
    const own = withVerb(located, 'own');
    if (own.length > 0) await judging(evidence, () => checkOwn(lookup, own, owner));
    const releases: ResourceRef[] = [];
    for (const ref of withVerb(located, 'release')) {
      await judging(evidence, async () => {
        await checkOwnInLedger(lookup, [ref], owner);
        releases.push(ref);
      });
    }
    await judging(evidence, async () => {
      const cited = await match.route.references?.(request.body);
      if (cited !== undefined) await checkReferences(lookup, cited, owner);
    });
    // Of an id whose parent could not be read nobody knows whose it is.
    const wanted = wantedClaims(located).filter(({ kind }) => kind.parent === undefined || !lost.has(kind.parent));
    const fresh = await foresight.claims(wanted, owner, evidence);
    const resources = fresh.map(({ ref }) => ref);
    if (fresh.length > 0) evidence.findings.push({ would: 'claim', resources });
    const rule = match.route.confirms;
    const place = rule && placeOfCall(rule, located);
    const confirms = place && (await judging(evidence, () => confirm(calls, { rule, place, request, owner })));
    return { resources: located.map(({ ref }) => ref), releases, fresh, confirms };
  };

  return async (request, match, principal) => {
    const { evidence, refused } = request.shadow;
    const before = denials(evidence);
    const owner = principal?.owner;
    // A condition may ask the body; of one that was refused nothing is known.
    if (match !== undefined && !refused) await judging(evidence, () => meetCondition(request, match, principal));
    const isKnown = match !== undefined && owner !== undefined;
    const { resources, releases, fresh, confirms } = isKnown ? await judge(request, match, owner) : NOTHING;
    const shadow = { evidence, allowed: denials(evidence) === before, fresh };
    const fields = { request, owner, principal, resources, claims: [], releases, confirms, shadow };
    return fields as unknown as Grant & Pick<typeof fields, 'shadow'>;
  };
};

const denials = ({ findings }: Evidence): number => findings.filter(({ would }) => would === 'deny').length;

/** A body that would have been refused names nothing; what the path names is judged all the same. */
const locateWhatIsThere = (request: ReadRequestInShadow, match: RouteMatch) => {
  const { refused, evidence } = request.shadow;
  const located: Located[] = [];
  /** Kinds that the request names in a way that cannot be. */
  const lost = new Set<string>();
  for (const use of match.route.uses) {
    if (refused && use.at.in === 'body') continue;
    try {
      const ref = locate(use, request, match);
      if (ref !== undefined) located.push({ use, ref });
    } catch (error) {
      noteThrown(evidence, error);
      lost.add(use.kind.name);
    }
  }
  return { located, lost };
};

const locateAll = (request: ReadRequest, match: RouteMatch): Located[] => {
  const located: Located[] = [];
  for (const use of match.route.uses) {
    const ref = locate(use, request, match);
    if (ref !== undefined) located.push({ use, ref });
  }
  return located;
};

const placeOfCall = ({ of }: ConfirmRule, located: readonly Located[]): ResourceRef | undefined =>
  located.find(({ use }) => use.verb === 'own' && use.kind.name === of)?.ref;

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
