/** Which pages may open a connection: a browser shows a page's origin, and programs show none. */
import { Rejection } from '../model/rejection.ts';
import type { CanonicalRequest } from '../model/request.ts';

/**
 * Returns a check that throws `origin-refused` for a page of another site, unless its origin is on the list. Throws a
 * TypeError for what is no origin.
 */
export const originRule = (origins: readonly string[]): ((request: CanonicalRequest) => void) => {
  const allowed = new Set(
    origins.map((origin) => {
      if (URL.parse(origin)?.origin !== origin) throw new TypeError(`Not an origin: ${origin}`);
      return origin;
    }),
  );
  // A page of another site may not use what the browser would let it (RFC 6455, section 10.2).
  return ({ headers, secure }) => {
    const origin = headers.get('origin');
    if (origin === undefined || allowed.has(origin)) return;
    const url = URL.parse(origin);
    const isSame =
      url !== null &&
      url.origin === origin &&
      (url.protocol === 'https:' || (url.protocol === 'http:' && !secure)) &&
      url.host === URL.parse(`${url.protocol}//${headers.get('host')}`)?.host;
    if (!isSame) throw new Rejection('origin-refused', `origin ${origin.slice(0, 200)}`);
  };
};
