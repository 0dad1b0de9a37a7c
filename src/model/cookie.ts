/** The gateway's cookies: their names, how one is found in a request, and how it is set. */

/** Opaque, and all that a browser holds of a session. `__Host-`: only from here, only by TLS or loopback, for this host alone. */
export const SESSION_COOKIE = '__Host-jaaz-session';

/** A digest of whoever logged in last with this browser: so that a change of user is noticed. */
export const LAST_USER_COOKIE = '__Host-jaaz-user';

/** Of a browser that has logged out a moment ago: what is open in it is not to log in again by itself. */
export const LEFT_COOKIE = '__Host-jaaz-left';

/** Of a login that is under way: sealed, and of the browser that began it. */
export const loginCookie = (state: string): string => `__Host-jaaz-login-${state.slice(0, 16)}`;

const BLANKS = new Set([' ', '\t']);

/**
 * Returns a part of a header without the blanks around it. Not `trim`: that takes the byte A0 away too, and browsers let any
 * other host of the site set a cookie of which the name begins with it, because it has no prefix to them.
 */
const bare = (header: string, from: number, to: number): string => {
  let [start, end] = [from, to];
  while (start < end && BLANKS.has(header.charAt(start))) start += 1;
  while (start < end && BLANKS.has(header.charAt(end - 1))) end -= 1;
  return header.slice(start, end);
};

/**
 * Returns the value of a cookie, undefined where there is none. Of two of one name neither counts: which of them the
 * gateway has set nobody can tell (RFC 6265, section 4.2.2).
 */
export const cookieIn = (header: string | undefined, name: string): string | undefined => {
  if (header === undefined || !header.includes(name)) return undefined;
  let found: string | undefined;
  for (const pair of header.split(';')) {
    const equals = pair.indexOf('=');
    if (equals === -1 || bare(pair, 0, equals) !== name) continue;
    if (found !== undefined) return undefined;
    found = bare(pair, equals + 1, pair.length);
  }
  return found === '' ? undefined : found;
};

export interface CookieTerms {
  /** 0 removes it; undefined: until the browser is closed. */
  readonly maxAgeSeconds: number | undefined;
}

/** Returns the value of a Set-Cookie header. `value` must consist of cookie octets. */
export const setCookie = (name: string, value: string, { maxAgeSeconds }: CookieTerms): string => {
  const age = maxAgeSeconds === undefined ? '' : `; Max-Age=${maxAgeSeconds}`;
  return `${name}=${value}; Path=/; Secure; HttpOnly; SameSite=Lax${age}`;
};
