/** The form in which an API key is asked for: every key known, every value of its form, or nothing is done. */
import type { ApiKeyWanted } from '../model/api-key.ts';
import type { JsonValue } from '../model/json.ts';
import { Rejection } from '../model/rejection.ts';

const KEYS = new Set(['account', 'roles', 'expires', 'note']);

/** A plain name: it stands in commands, in logs and in the owner of things. */
const ACCOUNT = /^[a-z0-9][a-z0-9._-]{0,63}$/;

/** No role with a space in it can be asked for on a command line by mistake. */
const ROLE = /^[^\s\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]{1,255}$/u;
const MAX_ROLES = 256;

const DAY_MILLIS = 86_400_000;
const DEFAULT_MILLIS = 90 * DAY_MILLIS;
const MAX_MILLIS = 366 * DAY_MILLIS;
const MAX_NOTE = 500;

/** What steers a terminal, and what hides or turns text around. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

/** RFC 3339, in the one spelling that JavaScript gives back. */
const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.]\d{3}Z$/;

/** Returns what is asked for, or throws `body-unfit`. */
export const keyWantedIn = (body: JsonValue, nowMillis: number): ApiKeyWanted => {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw unfit('the body', 'is not an object');
  const fields = new Map<string, unknown>(Object.entries(body));
  for (const key of fields.keys()) if (!KEYS.has(key)) throw unfit('a key', 'is not known');
  return {
    account: accountIn(fields.get('account')),
    roles: rolesIn(fields.get('roles')),
    expiresAtMillis: expiryIn(fields.get('expires'), nowMillis),
    note: noteIn(fields.get('note')),
  };
};

const unfit = (key: string, what: string): Rejection => new Rejection('body-unfit', `${key} ${what}`);

const accountIn = (value: unknown): string => {
  if (typeof value === 'string' && ACCOUNT.test(value)) return value;
  throw unfit('account', 'is not 1 to 64 of a-z, 0-9, ".", "_" and "-", a letter or a digit first');
};

const rolesIn = (value: unknown): readonly string[] => {
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.length > MAX_ROLES) throw unfit('roles', `is not a list of up to ${MAX_ROLES}`);
  return [...new Set(value.map(roleIn))];
};

const roleIn = (value: unknown): string => {
  if (typeof value === 'string' && ROLE.test(value)) return value;
  throw unfit('roles', 'holds what is no role');
};

const expiryIn = (value: unknown, nowMillis: number): number => {
  if (value === undefined) return nowMillis + DEFAULT_MILLIS;
  const millis = typeof value === 'string' && MOMENT.test(value) ? Date.parse(value) : Number.NaN;
  // JavaScript reads the 31st of February as a day of March.
  if (Number.isNaN(millis) || new Date(millis).toISOString() !== value)
    throw unfit('expires', 'is not a time such as 2026-01-01T00:00:00.000Z');
  if (millis <= nowMillis) throw unfit('expires', 'is over already');
  if (millis > nowMillis + MAX_MILLIS) throw unfit('expires', 'is more than 366 days ahead');
  return millis;
};

const noteIn = (value: unknown): string | undefined => {
  if (value === undefined) return undefined;
  if (typeof value === 'string' && value !== '' && value.length <= MAX_NOTE && !UNSEEN.test(value)) return value;
  throw unfit('note', 'is no plain text');
};
