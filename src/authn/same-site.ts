/**
 * May a session cookie speak for its user here? A browser adds it to what pages of other sites send, too, and says in
 * other headers whose page it is. SameSite=Lax alone does not see other hosts of the same site.
 */
import { allowedOrigins, listedOrigins, originOf, type PageOrigin } from '../model/origin.ts';
import { Rejection } from '../model/rejection.ts';
import type { CanonicalRequest } from '../model/request.ts';
import { quoted } from './challenge.ts';

export interface SiteOptions {
  /** Scheme and host under which browsers know the gateway; undefined: as each request says. */
  readonly url: string | undefined;
  /** Further origins whose pages may use the gateway. */
  readonly origins: readonly string[];
}

/** Throws `site-foreign`. A handshake counts as unsafe: what it opens may be read by whoever has opened it. */
export type CheckSite = (request: CanonicalRequest, isHandshake: boolean) => void;

/**
 * Returns a check that throws a Rejection (site-foreign) where the page that sends a request with a cookie may not do so.
 * Throws a TypeError for what is no origin.
 */
export const sameSite = (options: SiteOptions): CheckSite => {
  const listed = listedOrigins(allowedOrigins(options));
  const isSecure = options.url?.startsWith('https:') === true;
  return (request, isHandshake) => {
    const { headers, method, secure } = request;
    const site = headers.get('sec-fetch-site');
    if (site === 'same-origin') return;
    const origin = originOf({ headers, secure: secure || isSecure }, listed);
    const isUnsafe = isHandshake || !(method === 'GET' || method === 'HEAD');
    if (origin === 'listed' || (isUnsafe ? mayAct : mayRead)({ request, site, origin })) return;
    const shown = `Sec-Fetch-Site ${quoted(site ?? '')}, Origin ${quoted(headers.get('origin') ?? '')}`;
    throw new Rejection('site-foreign', `a cookie alone, ${shown}`);
  };
};

interface Shown {
  readonly request: CanonicalRequest;
  readonly site: string | undefined;
  readonly origin: PageOrigin;
}

const mayAct = ({ request, site, origin }: Shown): boolean => {
  if (origin !== 'own') return false;
  // The browser knows better than a comparison with Host, which proxies change. But of a WebSocket some call their own
  // page foreign, because `wss:` is not its scheme.
  return site === undefined || site === 'none' || isUpgrade(request);
};

const mayRead = ({ request, site, origin }: Shown): boolean => {
  if (isNavigation(request)) return true;
  return site === 'none' || (site === undefined && origin !== 'foreign');
};

export const isUpgrade = ({ headers }: CanonicalRequest): boolean =>
  headers.get('upgrade')?.toLowerCase() === 'websocket';

/**
 * True where a browser says that a page is to be shown by itself, in no frame of another one. Where it says nothing of
 * itself (Fetch Metadata is newer than some), nothing is.
 */
export const isNavigation = ({ headers }: CanonicalRequest): boolean =>
  headers.get('sec-fetch-mode') === 'navigate' && (headers.get('sec-fetch-dest') ?? 'document') === 'document';
