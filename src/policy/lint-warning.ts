/** What a policy that loads may still have wrong: one row for each kind of warning, with why it matters and what to do. */
import type { Policy } from '../model/policy.ts';
import type { Route } from '../model/route.ts';
import { faultAt } from './document.ts';
import { formatFault, type Position } from './fault.ts';
import { routesThatHold } from './replaces.ts';
import type { ParsedRoute } from './schema.ts';
import type { Path, Source } from './scope.ts';

interface Words {
  readonly message: string;
  readonly why: string;
  readonly advice: string;
}

/** Every warning there is, by its stable code. */
export const WARNINGS = {
  'route-unreachable': {
    message: 'no request can pass this route',
    why: 'a part of the service is shut to everybody, and nobody is told',
    advice: 'change the grammar or the reserved ids of the kind, or leave the route out',
  },
  'role-impossible': {
    message: 'no token can carry this role',
    why: 'a token with such a character in a role is refused, so the role shuts everybody out',
    advice: 'write the role as the issuer does',
  },
  'role-misspelt': {
    message: 'this role is used once and looks like another that is used more often',
    why: 'a role that no token carries shuts everybody out',
    advice: 'write both alike, or give them names that cannot be taken for one another',
  },
  'cohort-unreachable': {
    message: 'nobody can be in this cohort',
    why: 'its mode holds for nobody, whatever it was meant for',
    advice: 'name users, roles or a percentage, and put it before the cohort that takes everybody',
  },
  'cohort-user-unknown': {
    message: 'this user’s issuer is not configured',
    why: 'nobody of that name can ever call, so the mode is not tried on the one who was meant',
    advice: 'write ISSUER|USER with the name that the issuer has in the configuration',
  },
  'write-unlimited': {
    message: 'a route that writes has no limit',
    why: 'one caller can keep the server busy for all others',
    advice: 'add a limit to everywhere or to the route: by user, or by address where the route is public',
  },
  'generator-unlimited': {
    message: 'a route that makes the server generate has no rate limit of its own',
    why: 'each call costs the operator money, and the limits of everywhere are made for pages that load',
    advice: 'limits: [NAME] with a limit by user that fits the cost of a call',
  },
  'parameter-unchecked': {
    message: 'every user can name anything here',
    why: 'the value reaches the server as the client wrote it, and belongs to no kind that is checked',
    advice: 'name the parameter after a kind, ask for a role, or say shared: true where all users may see it',
  },
  'list-unfiltered': {
    message: 'every user gets this answer as the server gives it',
    why: 'rows of other users, if it has any, are shown to all',
    advice: 'filter: { keep: … }, a role, or shared: true where the answer is the same for all users',
  },
  'write-unowned': {
    message: 'every user can change here what is nobody’s own',
    why: 'the request names nothing that the caller must own, so what it changes is changed for all',
    advice: 'let the body own, create or claim a resource, ask for a role, or say shared: true where all users may',
  },
  'resource-unused': {
    message: 'this kind is used by no route and no event',
    why: 'what is not named is not checked: the ids may stand in the requests under another name',
    advice: 'use it in a path, a body, a filter or an event, or leave it out',
  },
  'resource-without-origin': {
    message: 'ids of this kind are checked, but nobody ever gets one',
    why: 'every request for one is refused, except for what was taken over from older data',
    advice: 'let a body create or claim it, or learn it from an answer or an event',
  },
  'resource-never-released': {
    message: 'ids of this kind are given out, but never released',
    why: 'what is deleted at the server stays its owner’s in the ledger, which only grows',
    advice: 'release: KIND on the route that deletes it, or a parent that is released',
  },
  'resource-not-probed': {
    message: 'clients choose ids of this kind, and the server is not asked whether it has them already',
    why: 'whoever names the id of something that the server had before the gateway gets it',
    advice: 'probe: { get: …, absent: … }',
  },
  'learned-from-client': {
    message: 'an id is learned from what a client may have written',
    why: 'a user who writes the id of another’s there becomes its owner if nobody is known to be',
    advice: 'learn only from a field that the server alone writes',
  },
  'pending-unanswered': {
    message: 'calls wait here for an answer that no route takes',
    why: 'the users are asked, and nothing that they say is heard',
    advice: 'confirms: PLACE in the body of the route that takes the answer, or leave pending out',
  },
  'opens-uncancelled': {
    message: 'an agent that is about to open another’s cannot be stopped',
    why: 'what comes of it is withheld, but the run goes on, and what it writes at the server stays there',
    advice: 'cancel: POST /path/{KIND} beside types',
  },
  'cancel-unused': {
    message: 'no run is ever ended so',
    why: 'the gateway ends a run only where it hears what an agent is about to open',
    advice: 'opens: { KIND: place } at the types that tell it, or leave cancel out',
  },
  'redact-needed': {
    message: 'what is hidden here tells the clients what the event is',
    why: 'they look at it to know whose the event is, of which type, and which call it asks about',
    advice: 'hide places below or beside it',
  },
  'limit-unused': {
    message: 'this limit holds nowhere',
    why: 'what it was meant for has no limit, or another one',
    advice: 'name it in everywhere, in the limits of a route, or in a run',
  },
  'catalogue-unused': {
    message: 'no route uses this catalogue',
    why: 'a choice that it should replace reaches the server as the client wrote it',
    advice: 'rewrite: [{ catalogue: { field: …, from: NAME } }] on the routes that carry the choice',
  },
} as const satisfies Readonly<Record<string, Words>>;

export type WarningCode = keyof typeof WARNINGS;

/** One warning, at its place in a file. */
export interface Warning extends Position {
  readonly file: string;
  readonly code: WarningCode;
  readonly message: string;
  readonly found?: string;
  /** Why it matters. */
  readonly why: string;
  /** What to do. */
  readonly advice: string;
}

/** What is looked at: the files as they are written, and the policy that they came to. */
export interface Subject {
  readonly sources: readonly Source[];
  readonly policy: Policy;
  /** The names of the configured issuers. */
  readonly issuers: readonly string[];
}

/** A place in one of the files. */
export interface Spot {
  readonly source: Source;
  readonly path: Path;
  /** For what is wrong with a name, and not with what stands after it. */
  readonly at?: 'key';
}

/** Returns the warning at a place. */
export const warn = (code: WarningCode, { source, path, at }: Spot, found: string): Warning => {
  const { message, why, advice } = WARNINGS[code];
  const words = { message, found, ...(at !== undefined && { at }) };
  return { code, ...faultAt(source.document, path, words), why, advice };
};

/** Returns two lines: `file:line:column: warning: message (found …)`, and why it matters with what to do. */
export const formatWarning = (warning: Warning): string =>
  `${formatFault({ ...warning, message: `warning: ${warning.message}` })}\n    ${warning.why}; ${warning.advice}`;

/** A route as it is written and as it was compiled, and where. */
export interface ListedRoute extends Spot {
  readonly written: ParsedRoute;
  readonly route: Route;
}

/** Returns the routes that hold, those of all files, each in both forms. */
export const listedRoutes = ({ sources, policy }: Pick<Subject, 'sources' | 'policy'>): readonly ListedRoute[] => {
  const compiled = new Map(policy.routes.map((route) => [route.id, route]));
  return routesThatHold(sources).flatMap((listed) => {
    const route = compiled.get(listed.written.id);
    return route === undefined ? [] : [{ ...listed, route }];
  });
};
