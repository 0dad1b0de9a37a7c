/** The page to come back to after a login: of this host, whatever a link from elsewhere may ask for. */

import { LOGIN_PATHS } from '../../model/login.ts';

/** A longer one would not fit into the cookie of a login. */
const MAX_LENGTH = 2000;

/** Reserved (RFC 6761), and the origin of nothing: what leaves it is foreign. */
const HERE = 'https://gateway.invalid';

/** One slash, then none of either kind: browsers take `//` and `/\` for the beginning of a host. */
const BEGINNING = /^\/(?![/\\])/;

/** Browsers leave out tabs and line ends wherever they stand, so `/\t/host` is `//host` to them. */
const UNPRINTABLE = /[\u0000-\u0020\u007f-\u009f]/;

/** The gateway's own pages are no pages to come back to, but the one that says who one is: another of them logs out. */
const OWN = /^\/auth(?:\/|$)/i;

const isOwn = (path: string): boolean => OWN.test(path) && path !== LOGIN_PATHS.me;

/**
 * An escape of what needs none, or of a slash: `/%61uth/` and `/%2fhost` are read in two ways. Only letters outside of
 * ASCII have to be escaped in the path of a page.
 */
const AMBIGUOUS = /%(?![89a-f][0-9a-f])/i;

/** Returns a path, with query and fragment, that is one of this host for every reader; `/` for whatever else was asked. */
export const returnPath = (asked: string | undefined): string => {
  if (asked === undefined || asked.length > MAX_LENGTH || !BEGINNING.test(asked) || UNPRINTABLE.test(asked)) return '/';
  if (!URL.canParse(asked, HERE)) return '/';
  const { origin, pathname, search, hash } = new URL(asked, HERE);
  const path = `${pathname}${search}${hash}`;
  if (origin !== HERE || path.length > MAX_LENGTH || AMBIGUOUS.test(pathname) || isOwn(pathname)) return '/';
  // Once more, now that dot segments are gone: `/.//host` begins with one slash.
  return BEGINNING.test(path) ? path : '/';
};
