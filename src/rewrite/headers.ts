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

/** The header that carries the owner, for an upstream that wants to know. */
export const USER_HEADER = 'x-user-id';

/** Returns names and values alternating. `answerIsRead`: the filter will read the answer's body. */
export const outboundHeaders = (
  request: CanonicalRequest,
  principal: Principal | undefined,
  answerIsRead: boolean,
): string[] => {
  const headers: string[] = ['x-request-id', request.id];
  if (principal !== undefined) headers.push(USER_HEADER, headerText(principal.owner));
  for (const [name, value] of request.headers) {
    if (PASSED.has(name) && !(answerIsRead && PASSED_UNREAD_ONLY.has(name))) headers.push(name, value);
  }
  return headers;
};

/** A header holds visible ASCII only (RFC 9110, section 5.5); everything else, and `%`, is percent-encoded. */
const headerText = (text: string): string =>
  /^[!-$&-~]*$/.test(text) ? text : text.replace(/[^!-$&-~]+/g, (part) => encodeURIComponent(part));
