/** The logout token: a provider's word that somebody has logged out there (OpenID Connect Back-Channel Logout 1.0). */
import { Rejection } from '../../model/rejection.ts';
import { refusal } from '../challenge.ts';
import type { IssuerSettings, LoginSettings } from '../issuer.ts';
import { readSigned, verifySigned } from '../jws.ts';
import { MAX_TOKEN_LENGTH } from '../jwt.ts';
import type { KeySet } from '../keys.ts';
import { isJsonObject, type JsonMembers, member } from '../strict-json.ts';
import { checkParties, secondsIn } from './id-token.ts';

export interface LogoutTerms {
  readonly settings: Pick<IssuerSettings, 'issuer' | 'name' | 'clockToleranceSeconds'> & {
    readonly login: LoginSettings;
  };
  readonly keys: Pick<KeySet, 'find'>;
  readonly now: () => number;
}

export interface LogoutToken {
  /** The provider's name of the session that is over. */
  readonly sid: string | undefined;
  readonly sub: string | undefined;
  readonly jti: string;
  /** Unix time in milliseconds at which the provider said so, by its own clock. */
  readonly issuedAtMillis: number;
  /** Unix time in milliseconds from which it would be refused for its age. */
  readonly endsAtMillis: number;
}

const EVENT = 'http://schemas.openid.net/event/backchannel-logout';

/** Section 2.6: one without `typ` is accepted, or of the type that all tokens once had; what it is its events say. */
const LOGOUT_TOKEN_TYPES = new Set(['logout+jwt', 'jwt']);

/** Section 2.4 recommends that it lives for two minutes at most: one that is older was kept by somebody. */
const MAX_AGE_SECONDS = 300;
const AHEAD_SECONDS = 60;
const MAX_TEXT_LENGTH = 255;

const wrong = (name: string, what: string) => refusal('token-claims', `the claim ${name} ${what}`);

const optionalText = (claims: JsonMembers, name: string): string | undefined => {
  const value = member(claims, name);
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || value === '' || value.length > MAX_TEXT_LENGTH) throw wrong(name, 'is not a text');
  return value;
};

/** This one event and no other: a token about something else is no logout, whoever it is about. */
const checkEvents = (claims: JsonMembers): void => {
  const events = member(claims, 'events');
  if (!isJsonObject(events)) throw wrong('events', 'is missing');
  const names = Object.keys(events);
  if (names.length !== 1 || names[0] !== EVENT || !isJsonObject(events[EVENT])) throw wrong('events', 'is no logout');
  // Section 2.4: so that it can never pass for an ID token, nor one for it.
  if (Object.hasOwn(claims, 'nonce')) throw wrong('nonce', 'is in no logout token');
};

const checkTimes = (claims: JsonMembers, nowSeconds: number, tolerance: number) => {
  const expires = secondsIn(claims, 'exp');
  const issued = secondsIn(claims, 'iat');
  if (nowSeconds >= expires + tolerance) throw refusal('token-expired', 'it has expired');
  if (issued > nowSeconds + tolerance + AHEAD_SECONDS) throw refusal('token-not-yet-valid', 'it is of the future');
  const ends = Math.min(expires, issued + MAX_AGE_SECONDS) + tolerance;
  if (nowSeconds >= ends) throw refusal('token-expired', 'it was issued too long ago');
  return { endsAtMillis: ends * 1000, issuedAtMillis: issued * 1000 };
};

const read = async (text: string, { settings, keys, now }: LogoutTerms): Promise<LogoutToken> => {
  const { name, issuer, login, clockToleranceSeconds } = settings;
  if (text.length > MAX_TOKEN_LENGTH) throw refusal('token-too-large', 'it is too long');
  const token = readSigned(text);
  await verifySigned(token, { issuer: name, algorithms: new Set(login.algorithms), types: LOGOUT_TOKEN_TYPES, keys });
  const { claims } = token;
  checkParties(claims, issuer, login.clientId);
  checkEvents(claims);
  const times = checkTimes(claims, now() / 1000, clockToleranceSeconds);
  const sid = optionalText(claims, 'sid');
  const sub = optionalText(claims, 'sub');
  const jti = optionalText(claims, 'jti');
  if (sid === undefined && sub === undefined) throw wrong('sid', 'is missing, and so is sub');
  if (jti === undefined) throw wrong('jti', 'is missing');
  return { sid, sub, jti, ...times };
};

/**
 * Resolves with what a logout token says; rejects with a Rejection: logout-token-invalid, or provider-unavailable while
 * the keys to verify it cannot be had.
 */
export const readLogoutToken = async (text: string, terms: LogoutTerms): Promise<LogoutToken> => {
  try {
    return await read(text, terms);
  } catch (error) {
    if (!(error instanceof Rejection)) throw error;
    const detail = `the logout token of ${terms.settings.name}: ${error.message}`;
    // No challenge: it is not the caller who would have to prove who it is.
    if (error.status === 503) throw new Rejection('provider-unavailable', detail, { headers: error.headers });
    throw new Rejection('logout-token-invalid', detail);
  }
};
