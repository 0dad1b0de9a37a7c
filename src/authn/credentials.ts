/** Where a token stands in a request: in the Authorization header, or in the query where the route says so. */
import type { CanonicalRequest } from '../model/request.ts';
import type { Route } from '../model/route.ts';
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

/**
 * Returns the token that a request presents, undefined when it presents none, or throws a Rejection (token-malformed).
 * Without a route, or on one that does not say so, a query holds no token.
 */
export const credential = (
  { headers, query }: CanonicalRequest,
  route?: Pick<Route, 'tokenInQuery'>,
): string | undefined => {
  const value = headers.get('authorization');
  const inHeader = value === undefined ? undefined : bearer(value);
  if (route?.tokenInQuery !== true) return inHeader;
  const inQuery = query.get('token');
  if (inQuery === '') throw refusal('token-malformed', 'the token in the query is empty');
  // Only one of two would be judged (RFC 6750, section 2: one method in each request).
  if (inHeader !== undefined && inQuery !== undefined && inHeader !== inQuery) {
    throw refusal('token-malformed', 'the header and the query hold different tokens');
  }
  return inHeader ?? inQuery;
};
