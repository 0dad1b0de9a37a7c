/**
 * The headers that reach the upstream: a closed list of the client's, then ours. Because nothing else passes, no
 * spelling of an identity header, no credential and no forwarding header of a client ever does
 * (oauth2-proxy CVE-2025-64484, CVE-2026-40575).
 */
import type { Principal } from '../model/principal.ts';
import type { CanonicalRequest } from '../model/request.ts';

const PASSED = new Set([
  'accept',
  'accept-language',
  'cache-control',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'pragma',
  'range',
  'traceparent',
  'tracestate',
  'user-agent',
]);

/** Dropped where the answer is read and changed here: a part or a variant of it could not be judged. */
const PASSED_UNREAD_ONLY = new Set([
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'range',
]);

/** The headers that say who is calling, for an upstream that wants to know; no client's ever passes. */
export const USER_HEADER = 'x-user-id';
const ROLES_HEADER = 'x-user-roles';
const TENANT_HEADER = 'x-user-tenant';

/** Returns names and values alternating. `answerIsRead`: the filter will read the answer's body. */
export const outboundHeaders = (
  request: CanonicalRequest,
  principal: Principal | undefined,
  answerIsRead: boolean,
): string[] => {
  const headers: string[] = ['x-request-id', request.id];
  if (principal !== undefined) identify(headers, principal);
  for (const [name, value] of request.headers) {
    if (PASSED.has(name) && !(answerIsRead && PASSED_UNREAD_ONLY.has(name))) headers.push(name, value);
  }
  return headers;
};

/** Signs who is calling for what, for an upstream that wants to verify that a request came through the gateway. */
export interface Assertion {
  /** The header that carries it, in lower case. */
  readonly header: string;
  sign(about: {
    readonly principal: Principal;
    readonly method: string;
    /** Exactly as it leaves: path and query. */
    readonly target: string;
    readonly requestId: string;
  }): string;
}

/** What the upstream is told of a request besides its headers: nothing of one whose caller nobody knows. */
export const assertionHeaders = (
  assertion: Assertion | undefined,
  { id: requestId, method }: Pick<CanonicalRequest, 'id' | 'method'>,
  { principal, target }: { readonly principal: Principal | undefined; readonly target: string },
): readonly string[] =>
  assertion === undefined || principal === undefined
    ? NONE
    : [assertion.header, assertion.sign({ principal, method, target, requestId })];

const NONE: readonly string[] = [];

const identify = (headers: string[], { owner, roles, tenant }: Principal): void => {
  headers.push(USER_HEADER, headerText(owner));
  if (roles.length > 0) headers.push(ROLES_HEADER, roles.map(listItem).join());
  if (tenant !== undefined) headers.push(TENANT_HEADER, headerText(tenant));
};

/** A header holds visible ASCII only (RFC 9110, section 5.5); everything else, and `%`, is percent-encoded. */
const headerText = (text: string): string =>
  /^[!-$&-~]*$/.test(text) ? text : text.replace(/[^!-$&-~]+/g, (part) => encodeURIComponent(part));

/** Of a name with a comma in it there would be two. */
const listItem = (text: string): string => headerText(text).replaceAll(',', '%2C');
