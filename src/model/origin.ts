/** Whose page is it that sends a request? A browser shows a page's origin (RFC 6454, section 7), and programs show none. */
import type { CanonicalRequest } from './request.ts';

/** `own`: a page of the gateway itself. `listed`: one that the operator lists. `none`: the request shows no origin. */
export type PageOrigin = 'own' | 'listed' | 'foreign' | 'none';

/** Returns whose page a request is from, as far as its Origin header tells. */
export const originOf = (
  { headers, secure }: Pick<CanonicalRequest, 'headers' | 'secure'>,
  listed: ReadonlySet<string>,
): PageOrigin => {
  const origin = headers.get('origin');
  if (origin === undefined) return 'none';
  if (listed.has(origin)) return 'listed';
  const url = URL.parse(origin);
  const isOwn =
    url !== null &&
    url.origin === origin &&
    // A page that came without TLS may be anybody's.
    (url.protocol === 'https:' || (url.protocol === 'http:' && !secure)) &&
    url.host === URL.parse(`${url.protocol}//${headers.get('host')}`)?.host;
  return isOwn ? 'own' : 'foreign';
};

/** Returns the origins of a list, or throws a TypeError for what is no origin. */
export const listedOrigins = (origins: readonly string[]): ReadonlySet<string> => {
  for (const origin of origins) {
    if (URL.parse(origin)?.origin !== origin) throw new TypeError(`Not an origin: ${origin}`);
  }
  return new Set(origins);
};

/**
 * Returns the origins whose pages may use the gateway: those that the operator lists, and its own, which no Host header tells
 * where a proxy changes that.
 */
export const allowedOrigins = (site: {
  readonly url: string | undefined;
  readonly origins: readonly string[];
}): readonly string[] => (site.url === undefined ? site.origins : [...site.origins, site.url]);
