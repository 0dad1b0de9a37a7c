/**
 * REQUEST, INBOUND: builds what leaves for the upstream out of the parsed and checked parts. Nothing of the client's own
 * bytes is passed on: the target is rebuilt, the headers are a closed list, the body is our own serialisation.
 */
import type { Grant, GrantInShadow } from '../model/grant.ts';
import type { JsonObject } from '../model/json.ts';
import type { Principal } from '../model/principal.ts';
import type { CanonicalRequest, MultipartPart, OutboundRequest } from '../model/request.ts';
import type { CatalogueReader, Route, RouteMatch } from '../model/route.ts';
import { type Assertion, assertionHeaders, outboundHeaders } from './headers.ts';

export interface RewriteOptions {
  readonly catalogue: CatalogueReader;
  /** Writes JSON as it was read: the reader's counterpart. */
  readonly writeJson: (value: JsonObject, bytes: number) => Promise<readonly Buffer[]>;
  readonly writeMultipart: (parts: readonly MultipartPart[]) => { contentType: string; body: readonly Buffer[] };
  /** Undefined: the upstream is given no signed word of who is calling. */
  readonly assertion?: Assertion | undefined;
}

export type Rewrite = (
  grant: Grant,
  match: RouteMatch,
  principal: Principal | undefined,
) => OutboundRequest | Promise<OutboundRequest>;

/** Returns the stage: it returns the OutboundRequest, or throws a Rejection. */
export const rewrite = ({ catalogue, writeJson, writeMultipart, assertion }: RewriteOptions): Rewrite => {
  const frame = framer(assertion);
  const withBody = async (grant: Grant, match: RouteMatch, principal: Principal | undefined) => {
    const { body, canonical } = grant.request;
    const outbound = frame(grant, match, principal);
    if (body.kind === 'json') {
      const context = { canonical, principal, catalogue };
      for (const operation of match.route.operations) await operation(body.value, context);
      outbound.headers.push('content-type', 'application/json');
      return { ...outbound, body: await writeJson(body.value, body.bytes) } as unknown as OutboundRequest;
    }
    if (body.kind === 'multipart') {
      const written = writeMultipart(body.parts);
      outbound.headers.push('content-type', written.contentType);
      return { ...outbound, body: written.body } as unknown as OutboundRequest;
    }
    return outbound as unknown as OutboundRequest;
  };

  return (grant, match, principal) =>
    grant.request.body.kind === 'none'
      ? (frame(grant, match, principal) as unknown as OutboundRequest)
      : withBody(grant, match, principal);
};

const framer =
  (assertion: Assertion | undefined) => (grant: Grant, match: RouteMatch, principal: Principal | undefined) => {
    const { canonical } = grant.request;
    const { timeoutMillis, cache } = match.route;
    const target = targetOf(grant, match, principal);
    const headers = outboundHeaders(canonical, principal, isRead(match.route));
    // Of a shared answer's request nothing but the target leaves: a signature would be work for nothing.
    if (cache === undefined) headers.push(...assertionHeaders(assertion, canonical, { principal, target }));
    return { method: canonical.method, target, headers, body: undefined, timeoutMillis, cache };
  };

/** Of a page too: a part of it, or one of which the browser has an earlier copy, would be without its script. */
const isRead = ({ access, answer }: Route): boolean =>
  access === 'page' || answer.kind !== 'stream' || answer.relative.length > 0;

/** Returns the target rebuilt from the route and the checked ids, or throws a Rejection. */
export const targetOf = (grant: Grant, { route, parameters }: RouteMatch, principal: Principal | undefined): string => {
  let target = route.forwardTo ?? '';
  for (const segment of route.forwardTo === undefined ? route.segments : []) {
    if (segment.kind === 'literal') target += `/${segment.text}`;
    else target += `/${parameters[segment.kind === 'rest' ? '*' : segment.name] ?? ''}`;
  }
  let separator = '?';
  for (const name of route.query) {
    const given = grant.request.canonical.query.get(name);
    const operation = route.queryOperations.get(name);
    const value = operation === undefined ? given : operation(given, principal);
    if (value === undefined) continue;
    target += `${separator}${name}=${encodeURIComponent(value)}`;
    separator = '&';
  }
  return target === '' ? '/' : target;
};

export type PassOn = (
  grant: GrantInShadow,
  match: RouteMatch | undefined,
  principal: Principal | undefined,
) => OutboundRequest;

/** What a route gets that has no timeout of its own. */
const DEFAULT_TIMEOUT_MILLIS = 60_000;

/** What tells how the client's own bytes are to be read. */
const OF_THE_BODY = ['content-type', 'content-encoding'];

interface PassingOptions extends Pick<RewriteOptions, 'assertion'> {
  /** Whether what no route matches is so near to one whose tokens may stand in the query that it may hold one. */
  readonly mayHoldToken?: (request: CanonicalRequest) => boolean;
}

/**
 * Returns the stage for where nothing is refused: the client's own body and all of its query go on, but the target is rebuilt
 * from what canonical read, and of the headers only the closed list passes, as ever.
 */
export const passingOn =
  ({ assertion, mayHoldToken = () => false }: PassingOptions): PassOn =>
  ({ request: { canonical, shadow } }, match, principal) => {
    const body = shadow?.sent;
    const isForHere = match === undefined ? mayHoldToken(canonical) : match.route.tokenInQuery === true;
    const target = targetAsSent(canonical, isForHere);
    const headers = outboundHeaders(canonical, principal, false);
    headers.push(...assertionHeaders(assertion, canonical, { principal, target }));
    const kept = body === undefined ? [] : OF_THE_BODY;
    // In memory its length is known; else the client's framing is kept.
    for (const name of body === undefined || Array.isArray(body) ? kept : [...kept, 'content-length']) {
      const value = canonical.headers.get(name);
      if (value !== undefined) headers.push(name, value);
    }
    const timeoutMillis = match?.route.timeoutMillis ?? DEFAULT_TIMEOUT_MILLIS;
    const { method } = canonical;
    return { method, target, headers, body, timeoutMillis } as unknown as OutboundRequest;
  };

/** Returns the target as it was understood, with nothing left out but a token where that is for the gateway alone. */
export const targetAsSent = ({ path, query }: CanonicalRequest, withoutToken: boolean): string => {
  let target = path;
  let separator = '?';
  for (const [name, value] of query) {
    if (withoutToken && name === 'token') continue;
    target += `${separator}${name}=${encodeURIComponent(value)}`;
    separator = '&';
  }
  return target;
};
