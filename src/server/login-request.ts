/** What the endpoints of logging in ask of a request before they do anything: where it came from, and what it is for. */
import { originOf } from '../model/origin.ts';
import { Rejection } from '../model/rejection.ts';
import type { CanonicalRequest } from '../model/request.ts';

interface Fetched {
  /** `Sec-Fetch-Mode`; undefined where it is not sent: by programs, and by browsers on an origin without TLS. */
  readonly mode: string | undefined;
  readonly accept: string | undefined;
}

/** Returns whether the answer will be shown as a page, as far as one can tell. */
export const isNavigation = ({ mode, accept }: Fetched): boolean =>
  mode === undefined ? (accept ?? '').toLowerCase().includes('text/html') : mode === 'navigate';

/** The same for a request that was read. */
export const isForPage = ({ headers }: CanonicalRequest): boolean =>
  isNavigation({ mode: headers.get('sec-fetch-mode'), accept: headers.get('accept') });

/**
 * Throws a Rejection for what a browser loads as a part of some page, or shows in a frame of one. A link of another site is
 * let in: that is how people come, and how their provider sends them back.
 */
export const checkNavigation = ({ method, headers }: CanonicalRequest): void => {
  if (method !== 'GET') throw new Rejection('route-unknown', 'only GET logs anybody in');
  const mode = headers.get('sec-fetch-mode');
  const destination = headers.get('sec-fetch-dest');
  if ((mode ?? 'navigate') === 'navigate' && (destination ?? 'document') === 'document') return;
  throw new Rejection('site-foreign', `not a page of its own, but ${mode} for ${destination}`.slice(0, 200));
};

/** Returns a check that throws a Rejection unless a page of the gateway's own sent the request; what does not tell is none. */
export const ownPageCheck = (publicUrl: string | undefined): ((request: CanonicalRequest) => void) => {
  const listed = new Set(publicUrl === undefined ? [] : [publicUrl]);
  const isSecure = publicUrl?.startsWith('https:') === true;
  return ({ headers, secure }) => {
    const site = headers.get('sec-fetch-site');
    if (site === 'same-origin') return;
    const whose = originOf({ headers, secure: secure || isSecure }, listed);
    // Where a browser says that the site is another one, it knows better than a comparison with Host.
    if ((site === undefined || site === 'none') && (whose === 'own' || whose === 'listed')) return;
    throw new Rejection('site-foreign', `the page is ${whose}, Sec-Fetch-Site ${site}`.slice(0, 200));
  };
};

/** Returns scheme and host as the browser wrote them, for where the operator has not said them. */
export const originAsked = ({ headers, secure }: CanonicalRequest): string => {
  const text = `${secure ? 'https' : 'http'}://${headers.get('host')}`;
  return URL.parse(text)?.origin ?? text;
};
