/**
 * Issuers that exist for one rehearsal: they have the names of the real ones, and a secret that nobody else ever learns.
 * So even who is calling is found out by the real stage.
 */
import { createHmac, randomBytes } from 'node:crypto';
import type { IssuerSettings } from '../../authn/issuer.ts';

/** Somebody who is to call. */
export interface Caller {
  /** The alias of the issuer. */
  readonly issuer: string;
  readonly user: string;
  readonly roles: readonly string[];
}

export interface StandIns {
  readonly settings: readonly IssuerSettings[];
  /** Returns an access token of the caller's, valid for an hour. */
  token(caller: Caller): string;
}

const AUDIENCE = 'rehearsal';
const HOUR_SECONDS = 3600;

/** Returns issuers of these names. */
export const standIns = (names: readonly string[]): StandIns => {
  const secret = randomBytes(32).toString('hex');
  return {
    settings: names.map((name) => ({
      name,
      issuer: issuerOf(name),
      audience: AUDIENCE,
      algorithms: ['HS256'],
      keys: { secret },
      claims: { user: 'sub', roles: 'roles' },
      types: ['at+jwt'],
      clockToleranceSeconds: 0,
    })),
    token({ issuer, user, roles }) {
      const exp = Math.floor(Date.now() / 1000) + HOUR_SECONDS;
      const claims = { iss: issuerOf(issuer), aud: AUDIENCE, sub: user, roles, exp };
      const input = `${encoded({ alg: 'HS256', typ: 'at+jwt' })}.${encoded(claims)}`;
      return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
    },
  };
};

const issuerOf = (name: string): string => `https://${name}.invalid`;

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
