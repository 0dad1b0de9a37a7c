/** Logging in and out, as the door sees it: the pages ask, authn does. */
import type { Owner } from './principal.ts';

/** Where people can log in. */
export interface LoginProvider {
  /** The alias of the issuer. */
  readonly name: string;
  /** What it is called on a page. */
  readonly title: string;
}

/** Everything below /auth/ is the gateway's own, wherever people can log in. */
export const LOGIN_PATHS = {
  login: '/auth/login',
  callback: '/auth/callback',
  logout: '/auth/logout',
  loggedOut: '/auth/logged-out',
  me: '/auth/me',
  /** Followed by the alias of the provider. */
  backChannelLogout: '/auth/backchannel-logout/',
  /** Sends an open page to log in when its session has ended. */
  script: '/auth/session.js',
} as const;

export interface LoginAsked {
  /** The alias of the provider. */
  readonly provider: string;
  /** The page to come back to; anything but a path of this host becomes `/`. */
  readonly returnTo: string | undefined;
  /** Scheme and host under which the browser knows the gateway, such as `https://jaaz.example.com`. */
  readonly origin: string;
}

export interface LoginBegun {
  /** The address at the provider to which the browser is sent. */
  readonly location: string;
  readonly state: string;
  /** Sealed; the browser brings it back in the cookie `loginCookie(state)`. */
  readonly note: string;
}

export interface LoginCame {
  readonly origin: string;
  /** The query of the callback, as the browser brought it. */
  readonly query: ReadonlyMap<string, string>;
  /** The value of the cookie of `loginCookie(state)`; undefined where there is none. */
  readonly note: string | undefined;
  /** The value of the session cookie that the browser had; it ends, so that nobody can have planted it. */
  readonly earlier: string | undefined;
}

export interface LoginDone {
  /** The value of the new session cookie. */
  readonly session: string;
  readonly maxAgeSeconds: number;
  /** A path of this host. */
  readonly returnTo: string;
  readonly owner: Owner;
}

export interface LoggedOut {
  readonly owner: Owner;
  /** Where the browser is sent to log out at the provider too; undefined where the provider has no such place. */
  readonly location: string | undefined;
}

export interface Logins {
  readonly providers: readonly LoginProvider[];
  /** Rejects: provider-unknown, provider-unavailable. */
  begin(asked: LoginAsked): Promise<LoginBegun>;
  /** Rejects: login-failed, login-denied, tenant-refused, provider-unavailable, sessions-unavailable. */
  finish(came: LoginCame): Promise<LoginDone>;
  /** Ends the session of a cookie; undefined where it was none. Rejects: sessions-unavailable, revocations-unavailable. */
  logOut(session: string, origin: string): Promise<LoggedOut | undefined>;
  /** OIDC back-channel logout: ends what the token names, and returns the number of sessions. Rejects: logout-token-invalid. */
  logOutBehind(provider: string, logoutToken: string): Promise<number>;
}
