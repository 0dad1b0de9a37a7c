/** The stage "who is calling": from a request to a Principal, or to a refusal that says no more than it must. */
import { cookieIn, SESSION_COOKIE } from '../model/cookie.ts';
import type { Principal } from '../model/principal.ts';
import { Rejection } from '../model/rejection.ts';
import type { CanonicalRequest } from '../model/request.ts';
import type { Route, RouteMatch } from '../model/route.ts';
import { quoted, refusal, withMetadata } from './challenge.ts';
import { type TokenOptions, type Tokens, tokens as tokensOf } from './credential-token.ts';
import { credential } from './credentials.ts';
import { canLogIn, loginNeeded } from './login/redirect.ts';
import type { ResourceMetadata } from './metadata.ts';
import type { Revocations } from './revocation.ts';
import { isUpgrade, type SiteOptions, sameSite } from './same-site.ts';
import type { Sessions } from './session/sessions.ts';

export interface AuthenticateOptions extends TokenOptions {
  /** Those who logged in with a browser; nobody unless it is given. */
  readonly sessions?: Pick<Sessions, 'principalOf' | 'prolong'> | undefined;
  /** How long a session lasts at most. Without it one counts as over as soon as it would have to be prolonged. */
  readonly sessionLifetimeMillis?: number | undefined;
  /** Whose pages may use a session; the gateway's own unless it is given. */
  readonly site?: SiteOptions;
  /** What was taken back before its time; nothing unless it is given. */
  readonly revocations?: Pick<Revocations, 'revokes'>;
  /** Where the gateway says how one gets a token; challenges name it. */
  readonly metadata?: Pick<ResourceMetadata, 'urlFor'> | undefined;
}

/**
 * Returns who is calling, undefined on a route that is public, or throws or rejects with a Rejection. A token that was
 * verified before, and a session that is known, are answered without a promise.
 */
export type Authenticate = (
  request: CanonicalRequest,
  match: RouteMatch,
) => Principal | undefined | Promise<Principal | undefined>;

export interface IdentifyTerms {
  /** True: the request opens a socket, or is of one that polls. An upgrade to a WebSocket always counts as one. */
  readonly handshake?: boolean;
  /** True: who shows nothing is refused (token-missing). */
  readonly required?: boolean;
}

export interface Authenticator {
  readonly authenticate: Authenticate;
  /**
   * Returns who is calling, by the token that a request shows (from wherever its rule lets it stand), by its session cookie,
   * or by both where they are of one owner; undefined where there is neither. Throws or rejects with a Rejection.
   */
  identify(
    request: CanonicalRequest,
    token: string | undefined,
    terms?: IdentifyTerms,
  ): Principal | undefined | Promise<Principal | undefined>;
  /**
   * Returns the principal as it is by now, when what was known of it has run out: a session may have been used since.
   * Undefined: its authority is over.
   */
  prolong(principal: Principal): Principal | undefined | Promise<Principal | undefined>;
  /** Throws a Rejection when the authority of somebody who was let in before is over by now. */
  recheck(principal: Principal): void;
  /** Returns whose a bare token is, or throws or rejects with a Rejection; for handshakes that carry one elsewhere. */
  verify(token: string): Principal | Promise<Principal>;
  /** Returns false while an issuer has no usable keys. */
  healthy(): boolean;
  close(): void;
}

/**
 * Returns the stage for a set of issuers and begins to read their keys, or throws a TypeError when the settings are not
 * usable.
 */
export const authenticate = (options: AuthenticateOptions): Authenticator => {
  const { sessions } = options;
  const tokens = tokensOf(options);
  const identified = identification(options, tokens.verify);
  const { isRevoked, unrevoked } = revoked(options);
  const isSessionOver = sessionsOver(options);
  const { pointed, refused } = refusals(options);

  return {
    verify(token) {
      const principal = tokens.verify(token);
      return principal instanceof Promise ? principal.then(unrevoked) : unrevoked(principal);
    },
    identify(request, token, { handshake = false, required = false } = {}) {
      const found = (principal: Principal | undefined) => (required ? known(principal) : principal);
      try {
        const principal = identified(request, token, handshake || isUpgrade(request));
        if (!(principal instanceof Promise)) return found(principal);
        return principal.then(found).catch((error: unknown) => {
          throw pointed(request, error);
        });
      } catch (error) {
        throw pointed(request, error);
      }
    },
    authenticate(request, { route }) {
      if (route.access === 'public' || (route.access === 'page' && sessions === undefined)) return undefined;
      if (route.access === 'denied') throw new Rejection('route-denied', 'the route is listed in order to be refused');
      try {
        const principal = identified(request, credential(request, route), false);
        if (!(principal instanceof Promise)) return permitted(known(principal), route);
        return principal
          .then((one) => permitted(known(one), route))
          .catch((error: unknown) => {
            throw refused(request, route, error);
          });
      } catch (error) {
        throw refused(request, route, error);
      }
    },
    prolong(principal) {
      const asked = principal.sessionId === undefined ? tokens : sessions;
      const inForce = (renewed: Principal | undefined) =>
        renewed === undefined || renewed.owner !== principal.owner || isRevoked(renewed) ? undefined : renewed;
      const renewed = asked?.prolong(principal);
      return renewed instanceof Promise ? renewed.then(inForce) : inForce(renewed);
    },
    recheck(principal) {
      if (principal.sessionId === undefined) {
        if (tokens.isOver(principal)) throw refusal('token-expired', 'meanwhile');
      } else if (isSessionOver(principal)) throw refusal('session-ended', 'meanwhile');
      unrevoked(principal);
    },
    healthy: tokens.healthy,
    close: tokens.close,
  };
};

const refusals = ({ sessions, metadata }: Pick<AuthenticateOptions, 'sessions' | 'metadata'>) => {
  /** The one place in which a challenge is completed: here the request is known that it answers. */
  const pointed = (request: CanonicalRequest, error: unknown): unknown => {
    const url = error instanceof Rejection ? metadata?.urlFor(request) : undefined;
    return error instanceof Rejection && url !== undefined ? withMetadata(error, url) : error;
  };
  const refused = (request: CanonicalRequest, route: Route, error: unknown): unknown => {
    const isNobody = error instanceof Rejection && NOBODY.has(error.reason);
    if (isNobody && sessions !== undefined && canLogIn(request, route)) return loginNeeded(request, route);
    return pointed(request, error);
  };
  return { pointed, refused };
};

/** Those of whom nothing is known but that they are nobody: they showed nothing, or a cookie that opens nothing. */
const NOBODY: ReadonlySet<Rejection['reason']> = new Set(['token-missing', 'session-ended']);

const known = (principal: Principal | undefined): Principal => {
  if (principal === undefined) throw refusal('token-missing', 'no token was presented');
  return principal;
};

/** Returns the principal when the route asks for no role, or for one that it has. */
const permitted = (principal: Principal, route: Route): Principal => {
  if (route.roles.length === 0 || route.roles.some((role) => principal.roles.includes(role))) return principal;
  throw refusal('role-missing', `none of the roles of ${route.id}`, { principal });
};

/** Asked at each use, so that neither a remembered verdict nor a session outlives a revocation. */
const revoked = ({ revocations }: Pick<AuthenticateOptions, 'revocations'>) => ({
  isRevoked: (principal: Principal): boolean => revocations?.revokes(principal) !== undefined,
  unrevoked(principal: Principal): Principal {
    const reason = revocations?.revokes(principal);
    if (reason === undefined) return principal;
    const what = principal.sessionId === undefined ? 'token' : 'session';
    // Without the principal: who shows what is revoked is nobody, and in no cohort for which another mode holds.
    throw refusal(
      what === 'token' ? reason : 'session-ended',
      `a ${what} of ${quoted(principal.owner)} that was revoked`,
    );
  },
});

/** A request takes minutes at most. That a session was not used meanwhile, or is due to be refreshed, does not end it. */
const sessionsOver = ({ now = Date.now, sessionLifetimeMillis }: AuthenticateOptions) => {
  return ({ expiresAtMillis, issuedAtMillis }: Principal): boolean => {
    const endsAtMillis =
      sessionLifetimeMillis === undefined || issuedAtMillis === undefined
        ? expiresAtMillis
        : issuedAtMillis + sessionLifetimeMillis;
    return now() >= Math.max(expiresAtMillis, endsAtMillis);
  };
};

type Identified = Principal | undefined | Promise<Principal | undefined>;

/** Returns the question whose credentials a request shows. Refusals name no place where tokens are to be had, yet. */
const identification = (
  options: AuthenticateOptions,
  verify: Tokens['verify'],
): ((request: CanonicalRequest, token: string | undefined, isHandshake: boolean) => Identified) => {
  const { sessions, site = { url: undefined, origins: [] } } = options;
  const { isRevoked, unrevoked } = revoked(options);
  const checkSite = sameSite(site);

  const opened = (principal: Principal | undefined): Principal => {
    if (principal === undefined) throw refusal('session-ended', 'the cookie opens no session');
    return unrevoked(principal);
  };
  const byCookie = (value: string): Principal | Promise<Principal> => {
    const principal = sessions?.principalOf(value);
    return principal instanceof Promise ? principal.then(opened) : opened(principal);
  };
  /** Beside a good token a cookie must be of the same owner; one that opens nothing is left over from somewhere. */
  const agreed = (principal: Principal, value: string): Principal | Promise<Principal> => {
    const compared = (other: Principal | undefined): Principal => {
      if (other === undefined || other.owner === principal.owner || isRevoked(other)) return principal;
      const both = `${quoted(principal.owner)} by token, ${quoted(other.owner)} by cookie`;
      throw new Rejection('credentials-differ', both);
    };
    const other = sessions?.principalOf(value);
    return other instanceof Promise ? other.then(compared) : compared(other);
  };

  return (request, token, isHandshake) => {
    const { headers } = request;
    const cookie = sessions === undefined ? undefined : cookieIn(headers.get('cookie'), SESSION_COOKIE);
    if (token === undefined) {
      if (cookie === undefined) return undefined;
      checkSite(request, isHandshake);
      return byCookie(cookie);
    }
    const principal = verify(token, request.address);
    if (principal instanceof Promise) {
      return principal.then((one) => (cookie === undefined ? unrevoked(one) : agreed(unrevoked(one), cookie)));
    }
    return cookie === undefined ? unrevoked(principal) : agreed(unrevoked(principal), cookie);
  };
};
