/**
 * Logging in and out with a browser, as endpoints of the gateway's own. What a login is, authn knows; here are its cookies,
 * its redirects, and what a browser has to forget.
 */
import { createHmac } from 'node:crypto';
import { cookieIn, LAST_USER_COOKIE, LEFT_COOKIE, loginCookie, SESSION_COOKIE, setCookie } from '../model/cookie.ts';
import { LOGIN_PATHS, type LoginDone, type Logins } from '../model/login.ts';
import type { OwnAnswer, OwnAsked, OwnEndpoint } from '../model/own.ts';
import type { Owner, Principal } from '../model/principal.ts';
import { Rejection } from '../model/rejection.ts';
import type { CanonicalRequest } from '../model/request.ts';
import { accountPage, chooserPage, loggedOutPage, loginLink, logOutPage, pageHeaders } from './login-pages.ts';
import { checkNavigation, isForPage, originAsked, ownPageCheck } from './login-request.ts';
import { sessionScript } from './login-script.ts';

export interface LoginEndpointsOptions {
  readonly logins: Logins;
  /** Returns who is calling, undefined where nobody is known, or throws or rejects with a Rejection. */
  readonly identify: (request: CanonicalRequest) => Principal | undefined | Promise<Principal | undefined>;
  /** Scheme and host under which browsers know the gateway; undefined: as each request says. */
  readonly publicUrl: string | undefined;
  /**
   * What a form may lead to besides the gateway: where providers log people out, and what that leads to. Sources of a
   * content security policy.
   */
  readonly formTargets: readonly string[];
  /** Keys the digest by which a change of user is noticed: 32 bytes, the same on every replica. */
  readonly key: Buffer;
}

const LOGIN_SECONDS = 600;
const LAST_USER_SECONDS = 31_536_000;
/** As long as somebody may take to log out at the provider too. */
const LEFT_SECONDS = 120;

/** Returns the endpoints, or throws a TypeError when the key is too short. */
export const loginEndpoints = (options: LoginEndpointsOptions): readonly OwnEndpoint[] => {
  if (options.key.length < 32) throw new TypeError('The key of the digest must be of 32 bytes at least.');
  const { publicUrl } = options;
  const originOf = (request: CanonicalRequest): string => publicUrl ?? originAsked(request);
  const endpoint = (id: string, path: string, answer: OwnEndpoint['answer']): OwnEndpoint => ({
    id,
    method: 'GET',
    path,
    form: false,
    answer,
  });
  const loggedOut = loggedOutPage();
  return [
    endpoint('auth.login', LOGIN_PATHS.login, login(options, originOf)),
    endpoint('auth.callback', LOGIN_PATHS.callback, callback(options, originOf)),
    endpoint('auth.logout-page', LOGIN_PATHS.logout, () => shown(logOutPage(), options.formTargets)),
    { ...endpoint('auth.logout', LOGIN_PATHS.logout, logout(options, originOf)), method: 'POST', form: true },
    endpoint('auth.logged-out', LOGIN_PATHS.loggedOut, () => shown(loggedOut)),
    endpoint('auth.me', LOGIN_PATHS.me, me(options)),
    {
      ...endpoint('auth.backchannel-logout', LOGIN_PATHS.backChannelLogout, backChannelLogout(options)),
      method: 'POST',
      form: true,
    },
    endpoint('auth.script', LOGIN_PATHS.script, sessionScript()),
  ];
};

type OriginOf = (request: CanonicalRequest) => string;

const login =
  ({ logins }: LoginEndpointsOptions, originOf: OriginOf) =>
  async ({ request }: OwnAsked): Promise<OwnAnswer> => {
    checkNavigation(request);
    if (comesByItself(request)) return redirect(LOGIN_PATHS.loggedOut, []);
    const { providers } = logins;
    // Wherever it leads: whoever begins a login makes it a path of this host.
    const returnTo = request.query.get('return');
    const [only, ...others] = providers;
    const provider = request.query.get('provider') ?? (others.length === 0 ? only?.name : undefined);
    if (provider === undefined) return shown(chooserPage(providers, returnTo));
    const { location, state, note } = await logins.begin({ provider, returnTo, origin: originOf(request) });
    const given = ['set-cookie', setCookie(loginCookie(state), note, { maxAgeSeconds: LOGIN_SECONDS })];
    return redirect(location, [...tooMany(request).flatMap(forget), ...given]);
  };

/**
 * A page that was open while its user logged out in another window is sent here by its script. The provider may still know
 * the user, and would let in again whoever has just left.
 */
const comesByItself = ({ query, headers }: CanonicalRequest): boolean =>
  query.has('ended') && cookieIn(headers.get('cookie'), LEFT_COOKIE) !== undefined;

const callback =
  ({ logins, key }: LoginEndpointsOptions, originOf: OriginOf) =>
  async ({ request }: OwnAsked): Promise<OwnAnswer> => {
    checkNavigation(request);
    const { query } = request;
    const cookies = request.headers.get('cookie');
    const state = query.get('state') ?? '';
    // It becomes a part of a header of ours.
    const cookie = STATE.test(state) ? loginCookie(state) : undefined;
    const note = cookie && cookieIn(cookies, cookie);
    const earlier = cookieIn(cookies, SESSION_COOKIE);
    const done = await logins.finish({ origin: originOf(request), query, note, earlier });
    const given = sessionCookies(done, { key, lastUser: cookieIn(cookies, LAST_USER_COOKIE) });
    const used = [cookie, cookieIn(cookies, LEFT_COOKIE) && LEFT_COOKIE].flatMap((name) => (name ? forget(name) : []));
    return { ...redirect(done.returnTo, [...used, ...given]), owner: done.owner };
  };

const STATE = /^[A-Za-z0-9_-]{16,512}$/;

interface Before {
  readonly key: Buffer;
  /** The value of the cookie that tells who logged in last. */
  readonly lastUser: string | undefined;
}

const sessionCookies = ({ session, maxAgeSeconds, owner }: LoginDone, { key, lastUser }: Before): string[] => {
  const user = userDigest(key, owner);
  const given = [
    ...['set-cookie', setCookie(SESSION_COOKIE, session, { maxAgeSeconds })],
    ...['set-cookie', setCookie(LAST_USER_COOKIE, user, { maxAgeSeconds: LAST_USER_SECONDS })],
  ];
  // The page keeps lists of the last user in the browser (contract, section 5). Not "cookies": the session is one of them.
  return user === lastUser ? given : [...given, 'clear-site-data', KEPT_BY_PAGES];
};

/** Tells nothing of the user to whoever reads the cookie, and is another one behind another gateway. */
const userDigest = (key: Buffer, owner: Owner): string =>
  createHmac('sha256', key).update(`last-user ${owner}`).digest('base64url');

/** "cookies" would end the sessions of every service below the same registrable domain. */
const KEPT_BY_PAGES = '"cache", "storage"';

const logout = ({ logins, publicUrl }: LoginEndpointsOptions, originOf: OriginOf) => {
  const checkOwnPage = ownPageCheck(publicUrl);
  return async ({ request }: OwnAsked): Promise<OwnAnswer> => {
    checkOwnPage(request);
    const session = cookieIn(request.headers.get('cookie'), SESSION_COOKIE);
    const ended = session === undefined ? undefined : await logins.logOut(session, originOf(request));
    const left = ['set-cookie', setCookie(LEFT_COOKIE, '1', { maxAgeSeconds: LEFT_SECONDS })];
    const headers = [...forget(SESSION_COOKIE), ...left, 'clear-site-data', KEPT_BY_PAGES];
    return { ...redirect(ended?.location ?? LOGIN_PATHS.loggedOut, headers), owner: ended?.owner };
  };
};

const me =
  ({ logins, identify, formTargets }: LoginEndpointsOptions) =>
  async ({ request }: OwnAsked): Promise<OwnAnswer> => {
    const forPage = isForPage(request);
    const principal = await known(identify, request, forPage);
    if (principal === undefined) {
      if (forPage) return redirect(loginLink(LOGIN_PATHS.me), []);
      throw new Rejection('token-missing', 'nobody is logged in', { headers: ['www-authenticate', 'Bearer'] });
    }
    const { owner } = principal;
    if (forPage) return { ...shown(accountPage(principal, logins.providers), formTargets), owner };
    const headers = ['content-type', 'application/json', 'cache-control', 'no-store'];
    headers.push('cross-origin-resource-policy', 'same-origin');
    return { status: 200, headers, body: Buffer.from(JSON.stringify(accountOf(principal))), owner };
  };

/** For somebody who opens the page, a session that has ended is as good as none. */
const known = async (
  identify: LoginEndpointsOptions['identify'],
  request: CanonicalRequest,
  forPage: boolean,
): Promise<Principal | undefined> => {
  try {
    return await identify(request);
  } catch (error) {
    if (forPage && error instanceof Rejection && error.status === 401) return undefined;
    throw error;
  }
};

/** A token may say that it is good for longer than a Date can tell (ECMA-262, section 21.4.1.1). */
const LAST_MOMENT_MILLIS = 8.64e15;

const accountOf = ({ owner, user, issuer, roles, tenant, sessionId, expiresAtMillis }: Principal) => {
  // Until then somebody is known for certain; a session that is used goes on.
  const expiresAt = new Date(Math.min(expiresAtMillis, LAST_MOMENT_MILLIS)).toISOString();
  return { owner, user, issuer, roles, tenant, session: sessionId, expiresAt };
};

const backChannelLogout =
  ({ logins }: LoginEndpointsOptions) =>
  async ({ form, parameter }: OwnAsked): Promise<OwnAnswer> => {
    const token = form.get('logout_token');
    if (token === undefined) throw new Rejection('logout-token-invalid', 'there is none');
    await logins.logOutBehind(parameter ?? '', token);
    return { status: 200, headers: ['cache-control', 'no-store'], body: undefined };
  };

const shown = (body: Buffer, formTargets?: readonly string[]): OwnAnswer => ({
  status: 200,
  headers: pageHeaders(formTargets),
  body,
});

const redirect = (location: string, headers: readonly string[]): OwnAnswer => ({
  status: 303,
  headers: ['location', location, 'cache-control', 'no-store', 'referrer-policy', 'no-referrer', ...headers],
  body: undefined,
});

const forget = (name: string): readonly string[] => ['set-cookie', setCookie(name, '', { maxAgeSeconds: 0 })];

/**
 * Logins that were begun and left: so many windows may be at it at once, with so many characters. Any site can send a browser
 * here with a long address to come back to, and again; proxies refuse whoever shows more than 8 kB of cookies.
 */
const MAX_UNDER_WAY = 5;
const MAX_CHARACTERS_UNDER_WAY = 4_000;
const UNDER_WAY = /(?:^|;)[ \t]*(__Host-jaaz-login-[A-Za-z0-9_-]{1,16})=([^;]*)/g;

/** Returns those that make room for one more. Browsers send the oldest cookies first (RFC 6265, section 5.4). */
const tooMany = ({ headers }: CanonicalRequest): readonly string[] => {
  const underWay = [...(headers.get('cookie') ?? '').matchAll(UNDER_WAY)].toReversed();
  let characters = 0;
  const kept = underWay.findIndex(([, , note = ''], index) => {
    characters += note.length;
    return index + 1 >= MAX_UNDER_WAY || characters > MAX_CHARACTERS_UNDER_WAY;
  });
  const left = kept === -1 ? [] : underWay.slice(kept);
  return left.map(([, name = '']) => name).toReversed();
};
