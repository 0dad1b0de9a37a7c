/** The stage "who is calling": from a request to a Principal, or to a refusal that says no more than it must. */
import { hash } from 'node:crypto';
import type { Principal } from '../model/principal.ts';
import { Rejection } from '../model/rejection.ts';
import type { CanonicalRequest } from '../model/request.ts';
import type { Route, RouteMatch } from '../model/route.ts';
import { quoted, refusal } from './challenge.ts';
import { credential } from './credentials.ts';
import { checkIssuers, type IssuerSettings, type KeyPlace } from './issuer.ts';
import { MAX_TOKEN_LENGTH, tokenVerifier } from './jwt.ts';
import { type KeyNotice, type KeySet, type KeySource, type KeyTimes, keySet, secretKeySet } from './keys.ts';
import type { Revocations } from './revocation.ts';
import { verdicts } from './verdicts.ts';

export interface AuthenticateOptions {
  readonly issuers: readonly IssuerSettings[];
  /** Opens the place of an issuer's public keys. */
  readonly source: (place: Exclude<KeyPlace, { secret: string }>) => KeySource;
  /** Unix time in milliseconds. */
  readonly now?: () => number;
  /** How many verified tokens are remembered at most; 0: none. */
  readonly remembered?: number;
  readonly keyTimes?: Partial<KeyTimes>;
  /** What was taken back before its time; nothing unless it is given. */
  readonly revocations?: Pick<Revocations, 'revokes'>;
  readonly notice?: (notice: KeyNotice) => void;
}

/**
 * Returns who is calling, undefined on a public route, or throws or rejects with a Rejection. A token that was verified
 * before is answered without a promise.
 */
export type Authenticate = (
  request: CanonicalRequest,
  match: RouteMatch,
) => Principal | undefined | Promise<Principal | undefined>;

export interface Authenticator {
  readonly authenticate: Authenticate;
  /** Throws a Rejection when the authority of somebody who was let in before is over by now. */
  recheck(principal: Principal): void;
  /** Returns whose a bare token is, or throws or rejects with a Rejection; for handshakes that carry one elsewhere. */
  verify(token: string): Principal | Promise<Principal>;
  /** Returns false while an issuer has no usable keys. */
  healthy(): boolean;
  close(): void;
}

const defaultTimes: KeyTimes = { refreshMillis: 300_000, cooldownMillis: 30_000, staleMillis: 43_200_000 };

const DEFAULT_REMEMBERED = 10_000;

const checkTimes = (times: KeyTimes): void => {
  for (const [name, millis] of Object.entries(times)) {
    if (!(millis > 0 && millis < 2 ** 31)) throw new TypeError(`${name} must be a positive number of milliseconds.`);
  }
};

/** Returns the principal when the route asks for no role, or for one that it has. */
const permitted = (principal: Principal, route: Route): Principal => {
  if (route.roles.length === 0 || route.roles.some((role) => principal.roles.includes(role))) return principal;
  throw refusal('role-missing', `none of the roles of ${route.id}`, { principal });
};

const openKeys = (settings: IssuerSettings, options: AuthenticateOptions, times: KeyTimes): KeySet => {
  const { name, algorithms, keys } = settings;
  if ('secret' in keys) return secretKeySet(keys.secret);
  return keySet({
    issuer: name,
    algorithms,
    source: options.source(keys),
    times,
    now: options.now ?? Date.now,
    notice: options.notice ?? (() => undefined),
  });
};

/** Tabs and devices come back together with one token: its signature is looked at once for all of them. */
const together = (verify: (token: string, digest: string) => Promise<Principal>) => {
  const underWay = new Map<string, Promise<Principal>>();
  return (token: string, digest: string): Promise<Principal> => {
    const known = underWay.get(digest);
    if (known !== undefined) return known;
    const verifying = verify(token, digest).finally(() => underWay.delete(digest));
    underWay.set(digest, verifying);
    return verifying;
  };
};

/**
 * Returns the stage for a set of issuers and begins to read their keys, or throws a TypeError when the settings are not
 * usable.
 */
export const authenticate = (options: AuthenticateOptions): Authenticator => {
  const { issuers, now = Date.now, remembered = DEFAULT_REMEMBERED } = options;
  const times = { ...defaultTimes, ...options.keyTimes };
  checkIssuers(issuers);
  checkTimes(times);
  if (!Number.isSafeInteger(remembered) || remembered < 0) throw new TypeError('remembered must be a whole number.');
  const opened = issuers.map((settings) => ({ settings, keys: openKeys(settings, options, times) }));
  const verifyAnew = tokenVerifier(opened, now);
  const known = verdicts(remembered, now);
  // A verdict holds under the settings by which it was reached and no others (CVE-2021-32701, CVE-2026-35039).
  const generation = hash('sha256', JSON.stringify(issuers), 'base64');
  for (const { keys } of opened) keys.start();

  // Asked at each use, so that a remembered verdict does not outlive a revocation.
  const unrevoked = (principal: Principal): Principal => {
    const reason = options.revocations?.revokes(principal);
    // Without the principal: who shows a revoked token is nobody, and in no cohort for which another mode holds.
    if (reason !== undefined) throw refusal(reason, `a token of ${quoted(principal.owner)} that was revoked`);
    return principal;
  };
  const tolerances = new Map(issuers.map(({ name, clockToleranceSeconds }) => [name, clockToleranceSeconds * 1000]));
  const verifyTogether = together(async (token, digest) => {
    const verdict = await verifyAnew(token);
    known.remember(digest, verdict);
    return verdict.principal;
  });
  const verifyAndRemember = async (token: string, digest: string): Promise<Principal> =>
    unrevoked(await verifyTogether(token, digest));
  const verify = (token: string): Principal | Promise<Principal> => {
    if (token.length > MAX_TOKEN_LENGTH) throw refusal('token-too-large', 'the token is too long');
    const digest = hash('sha256', generation + token, 'base64');
    const recalled = known.recall(digest);
    return recalled === undefined ? verifyAndRemember(token, digest) : unrevoked(recalled);
  };

  return {
    verify,
    recheck(principal) {
      const { issuer, expiresAtMillis } = principal;
      if (now() >= expiresAtMillis + (tolerances.get(issuer) ?? 0)) throw refusal('token-expired', 'meanwhile');
      unrevoked(principal);
    },
    authenticate(request, { route }) {
      if (route.access === 'public') return undefined;
      if (route.access === 'denied') throw new Rejection('route-denied', 'the route is listed in order to be refused');
      const token = credential(request);
      if (token === undefined) throw refusal('token-missing', 'no token was presented');
      const principal = verify(token);
      if (!(principal instanceof Promise)) return permitted(principal, route);
      return principal.then((verified) => permitted(verified, route));
    },
    healthy: () => opened.every(({ keys }) => keys.current()),
    close() {
      for (const { keys } of opened) keys.close();
    },
  };
};
