/** Principals as verified tokens make them, and revocations of them, for the suites of revocation. */
import { claimsJudge, principalOf as principalFrom } from '../../src/authn/claims.ts';
import type { Principal } from '../../src/model/principal.ts';
import type { Revocation, RevocationTerms, Revoked } from '../../src/model/revocation.ts';
import { goodClaims, issuerSettings, NOON } from './token-issuer.ts';

export const NOON_MILLIS = NOON * 1000;

/** The principal of a good token with these claims, of an issuer of this alias. */
export const principalOf = (claims: object = {}, issuer = 'main'): Principal =>
  claimsJudge(issuerSettings('', { name: issuer }))({ ...goodClaims, ...claims }, NOON_MILLIS);

/** The principal of a session of this id, of a user who logged in at noon. */
export const sessionPrincipal = (sessionId: string, user = 'ann', issuer = 'main'): Principal =>
  principalFrom(
    issuer,
    { user, roles: [], tenant: undefined },
    { sessionId, issuedAtMillis: NOON_MILLIS, expiresAtMillis: NOON_MILLIS + 300_000 },
  );

export const NO_TERMS: RevocationTerms = { untilMillis: undefined, note: undefined };

export const ofUser = (user: string, issuer = 'main'): Revoked => ({ by: 'user', issuer, user });
export const ofToken = (tokenId: string, issuer = 'main'): Revoked => ({ by: 'token', issuer, tokenId });
export const ofSession = (sessionId: string): Revoked => ({ by: 'session', sessionId });
export const ofBefore = (beforeMillis: number, issuer?: string): Revoked => ({
  by: 'issued-before',
  issuer,
  beforeMillis,
});

let made = 0;

/** A revocation as a store keeps it. */
export const revocation = (revoked: Revoked, more: Partial<Revocation> = {}): Revocation =>
  ({ ...revoked, ...NO_TERMS, id: `r${made++}`, madeAtMillis: NOON_MILLIS, ...more }) as Revocation;
