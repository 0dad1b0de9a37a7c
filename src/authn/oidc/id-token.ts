/** The ID token: what a provider says of who has logged in (OpenID Connect Core 1.0, sections 2 and 3.1.3.7). */
import { quoted, refusal } from '../challenge.ts';
import type { IssuerSettings, LoginSettings } from '../issuer.ts';
import { readSigned, verifySigned } from '../jws.ts';
import type { KeySet } from '../keys.ts';
import { type JsonMembers, member } from '../strict-json.ts';

export interface IdTokenTerms {
  readonly settings: Pick<IssuerSettings, 'issuer' | 'name' | 'clockToleranceSeconds'> & {
    readonly login: LoginSettings;
  };
  readonly keys: Pick<KeySet, 'find'>;
  readonly now: () => number;
}

/** How far ahead of ours a provider's clock may be, besides the tolerance. */
const AHEAD_SECONDS = 60;
/** The end of the year 9999: what lies beyond is no date. */
const MAX_SECONDS = 253_402_300_799;

const wrong = (name: string, what: string) => refusal('token-claims', `the claim ${name} ${what}`);

/** Returns a date in seconds, or throws a Rejection. `1e999` is Infinity to JSON.parse. */
export const secondsIn = (claims: JsonMembers, name: string): number => {
  const value = member(claims, name);
  if (typeof value !== 'number' || !(value >= 0 && value <= MAX_SECONDS)) throw wrong(name, 'is not a date');
  return value;
};

/** Throws a Rejection unless a token is of the provider, and for this client. */
export const checkParties = (claims: JsonMembers, issuer: string, clientId: string): void => {
  const iss = member(claims, 'iss');
  if (iss !== issuer)
    throw refusal('token-issuer', `the token is of ${typeof iss === 'string' ? quoted(iss) : 'nobody'}`);
  const aud = member(claims, 'aud');
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  if (!audiences.includes(clientId)) throw refusal('token-audience', 'the token is meant for another client');
  const azp = member(claims, 'azp');
  if (azp === undefined ? audiences.length > 1 : azp !== clientId)
    throw refusal('token-audience', 'the token was issued to another client');
};

const checkTimes = (claims: JsonMembers, nowSeconds: number, tolerance: number): void => {
  if (nowSeconds >= secondsIn(claims, 'exp') + tolerance) throw refusal('token-expired', 'the ID token has expired');
  if (secondsIn(claims, 'iat') > nowSeconds + tolerance + AHEAD_SECONDS)
    throw refusal('token-not-yet-valid', 'the ID token was issued in the future');
  if (Object.hasOwn(claims, 'nbf') && secondsIn(claims, 'nbf') > nowSeconds + tolerance)
    throw refusal('token-not-yet-valid', 'the ID token is not valid yet');
};

const ID_TOKEN_TYPES = new Set(['jwt']);

/**
 * Resolves with the verified claims of an ID token, of which `sub` is a string; rejects with a Rejection of this stage.
 * `nonce` undefined: of a refresh, where there need be none (Core 1.0, section 12.2).
 */
export const verifyIdToken = async (
  text: string,
  nonce: string | undefined,
  { settings, keys, now }: IdTokenTerms,
): Promise<JsonMembers & { readonly sub: string }> => {
  const { name, issuer, login, clockToleranceSeconds } = settings;
  const token = readSigned(text);
  await verifySigned(token, { issuer: name, algorithms: new Set(login.algorithms), types: ID_TOKEN_TYPES, keys });
  const { claims } = token;
  checkParties(claims, issuer, login.clientId);
  checkTimes(claims, now() / 1000, clockToleranceSeconds);
  if (nonce !== undefined && member(claims, 'nonce') !== nonce)
    throw refusal('token-claims', 'the nonce is of another login');
  // Of a logout token: it names a user too, and is no proof that somebody logged in.
  if (Object.hasOwn(claims, 'events')) throw wrong('events', 'is in no ID token');
  const sub = member(claims, 'sub');
  if (typeof sub !== 'string' || sub === '') throw wrong('sub', 'is not a text');
  return { ...claims, sub };
};
