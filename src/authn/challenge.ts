/**
 * How a caller is told to prove who it is: every refusal of this room carries the Bearer challenge (RFC 6750 section 3)
 * and nothing of why.
 */
import type { Principal } from '../model/principal.ts';
import { type ReasonCode, reasons } from '../model/reason.ts';
import { Rejection } from '../model/rejection.ts';

const CHALLENGE = 'www-authenticate';
const REALM = 'Bearer realm="jaaz-gateway"';

/** RFC 6750 section 3.1: a request that presented nothing is told no error code. */
const errorCodes: Partial<Record<ReasonCode, string>> = {
  'token-missing': '',
  'session-ended': '',
  'role-missing': ', error="insufficient_scope"',
};

/** Returns the Rejection for a reason of this stage, with its challenge; `detail` must not hold the token. */
export const refusal = (
  reason: ReasonCode,
  detail: string,
  { cause, principal }: { readonly cause?: unknown; readonly principal?: Principal } = {},
): Rejection => {
  const asksForToken = reasons[reason].status === 401 || reason === 'role-missing';
  const headers = asksForToken
    ? ['WWW-Authenticate', `${REALM}${errorCodes[reason] ?? ', error="invalid_token"'}`]
    : [];
  return new Rejection(reason, detail, { cause, headers, ...(principal && { principal }) });
};

/**
 * Returns a refusal whose challenge also says where it is told how to get a token (RFC 9728, section 5.1); one without a
 * challenge as it is.
 */
export const withMetadata = (rejection: Rejection, url: string): Rejection => {
  const { reason, message, cause, principal } = rejection;
  const name = rejection.headers.findIndex((text, index) => index % 2 === 0 && text.toLowerCase() === CHALLENGE);
  if (name === -1) return rejection;
  const headers = rejection.headers.with(name + 1, `${rejection.headers[name + 1]}, resource_metadata="${url}"`);
  return new Rejection(reason, message, { cause, headers, ...(principal && { principal }) });
};

/** Returns the 503 of an issuer whose keys cannot be had, with the time after which asking again makes sense. */
export const keysUnavailable = (detail: string, retryAfterMillis: number): Rejection =>
  new Rejection('keys-unavailable', detail, { headers: retryAfter(retryAfterMillis) });

/** Returns the header with the time after which asking again makes sense: a second, or more. */
export const retryAfter = (millis: number): readonly string[] => [
  'Retry-After',
  String(Math.max(1, Math.ceil(millis / 1000))),
];

/** Returns a client's text as it may stand in a `detail`: quoted, escaped and cut. */
export const quoted = (text: string): string => JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
