/** Which pages may open a connection, whoever they say that they act for. */
import { listedOrigins, originOf } from '../model/origin.ts';
import { Rejection } from '../model/rejection.ts';
import type { CanonicalRequest } from '../model/request.ts';

/**
 * Returns a check that throws `origin-refused` for a page of another site, unless its origin is on the list. Throws a
 * TypeError for what is no origin.
 */
export const originRule = (origins: readonly string[]): ((request: CanonicalRequest) => void) => {
  const listed = listedOrigins(origins);
  // A page of another site may not use what the browser would let it (RFC 6455, section 10.2).
  return (request) => {
    if (originOf(request, listed) !== 'foreign') return;
    throw new Rejection('origin-refused', `origin ${request.headers.get('origin')?.slice(0, 200)}`);
  };
};
