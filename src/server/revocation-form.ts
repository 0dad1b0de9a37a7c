/** The form in which a revocation is asked for: every key known, every value of its form, or nothing is done. */
import type { JsonValue } from '../model/json.ts';
import { Rejection } from '../model/rejection.ts';
import type { RevocationTerms, Revoked } from '../model/revocation.ts';

export interface RevocationForm {
  readonly issuers: ReadonlySet<string>;
  /** Unix time in milliseconds. */
  readonly now: () => number;
}

const KEYS = new Set(['user', 'token', 'session', 'issuer', 'issuedBefore', 'until', 'note']);

/** A moment further ahead than clocks may differ would keep everybody out until then. */
const MAX_AHEAD_MILLIS = 600_000;

const MAX_TEXT = 255;
const MAX_NOTE = 500;

/** Returns what is asked for, or throws `body-unfit` or `issuer-unknown`. */
export const revokedIn = (body: JsonValue, form: RevocationForm): Revoked & RevocationTerms => {
  const fields = textFields(body);
  const until = fields.get('until');
  const untilMillis = until === undefined ? undefined : momentIn('until', until);
  if (untilMillis !== undefined && untilMillis <= form.now()) throw unfit('until', 'is over already');
  const note = fields.get('note');
  if (note !== undefined && (note.length > MAX_NOTE || UNSEEN.test(note))) throw unfit('note', 'is no plain text');
  return { ...subjectOf(fields, form), untilMillis, note };
};

const unfit = (key: string, what: string): Rejection => new Rejection('body-unfit', `${key} ${what}`);

/** What steers a terminal, and what hides or turns text around. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

const textFields = (body: JsonValue): ReadonlyMap<string, string> => {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw unfit('the body', 'is not an object');
  const fields = new Map<string, string>();
  for (const [key, value] of Object.entries(body)) {
    if (!KEYS.has(key)) throw unfit('a key', 'is not known');
    if (typeof value !== 'string' || value === '') throw unfit(key, 'is not a text');
    fields.set(key, value);
  }
  return fields;
};

const SUBJECTS = ['user', 'token', 'session', 'issuedBefore'] as const;

/** As ids of sessions are made: what is mistyped must not look as if it were revoked. */
const SESSION_ID = /^[0-9a-f]{24}$/;

const subjectOf = (fields: ReadonlyMap<string, string>, form: RevocationForm): Revoked => {
  const [by, ...more] = SUBJECTS.filter((key) => fields.has(key));
  if (by === undefined || more.length > 0) throw unfit('the body', `does not name one of ${SUBJECTS.join(', ')}`);
  const subject = fields.get(by) ?? '';
  const issuer = fields.get('issuer');
  if (by === 'user') {
    if (issuer !== undefined) throw unfit('issuer', 'stands in user already');
    return userIn(subject, form);
  }
  if (by === 'session') {
    if (issuer !== undefined) throw unfit('issuer', 'is that of the session');
    if (!SESSION_ID.test(subject)) throw unfit('session', 'is no id of a session');
    return { by, sessionId: subject };
  }
  if (issuer !== undefined) checkIssuer(issuer, form);
  if (by === 'token') {
    if (issuer === undefined) throw unfit('issuer', 'is missing');
    return { by, issuer, tokenId: nameIn('token', subject) };
  }
  const beforeMillis = momentIn(by, subject);
  if (beforeMillis > form.now() + MAX_AHEAD_MILLIS) throw unfit(by, 'is in the future');
  return { by: 'issued-before', issuer, beforeMillis };
};

/** An alias holds no bar; a user's name may. */
const userIn = (owner: string, form: RevocationForm): Revoked => {
  const bar = owner.indexOf('|');
  if (bar < 1) throw unfit('user', 'is not ISSUER|USER');
  const issuer = owner.slice(0, bar);
  checkIssuer(issuer, form);
  return { by: 'user', issuer, user: nameIn('user', owner.slice(bar + 1)) };
};

const checkIssuer = (issuer: string, { issuers }: RevocationForm): void => {
  if (!issuers.has(issuer)) throw new Rejection('issuer-unknown', `no issuer ${JSON.stringify(issuer.slice(0, 80))}`);
};

/** As a claim may be. */
const nameIn = (key: string, text: string): string => {
  if (text === '' || text.length > MAX_TEXT || /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u.test(text)) throw unfit(key, 'is no name');
  return text;
};

const MOMENT = /^(\d{4})-(\d\d)-(\d\d)T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:[.]\d{1,3})?(?:Z|[+-]\d\d:\d\d)$/;

/** RFC 3339. */
const momentIn = (key: string, text: string): number => {
  const [, year, month, day] = MOMENT.exec(text) ?? [];
  const millis = Date.parse(text);
  // JavaScript reads the 31st of February as a day of March.
  const isDay = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day))).getUTCDate() === Number(day);
  if (!isDay || Number.isNaN(millis)) throw unfit(key, 'is not a time such as 2026-01-01T00:00:00Z');
  return millis;
};
