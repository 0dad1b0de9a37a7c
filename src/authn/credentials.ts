/** Where a credential stands in a request: one Bearer token in the Authorization header, and nowhere else. */
import type { CanonicalRequest } from '../model/request.ts';
import { refusal } from './challenge.ts';

const SCHEME = 'bearer ';

/**
 * Returns the token of an Authorization header's value, or throws a Rejection (token-malformed). That it consists of
 * b64token characters is left to the reader of tokens, whose grammar is narrower: looking at each character here would
 * cost every request more than the digest by which a known token is recognised.
 */
export const bearer = (value: string): string => {
  // The scheme is case-insensitive (RFC 9110 section 11.1); exactly one space follows (RFC 6750 section 2.1).
  if (value.slice(0, SCHEME.length).toLowerCase() !== SCHEME) {
    throw refusal('token-malformed', 'the Authorization header is not of the Bearer scheme');
  }
  const token = value.slice(SCHEME.length);
  if (token === '' || token.includes(' ') || token.includes(',')) {
    throw refusal('token-malformed', 'the Authorization header does not hold exactly one token');
  }
  return token;
};

/** Returns the request's token, undefined when it presents none, or throws a Rejection (token-malformed). */
export const credential = (request: CanonicalRequest): string | undefined => {
  const value = request.headers.get('authorization');
  return value === undefined ? undefined : bearer(value);
};
