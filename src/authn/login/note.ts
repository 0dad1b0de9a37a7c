/**
 * What is to be remembered of a login that is under way. The browser that began it carries it, sealed: so any number of
 * them cost no memory, any replica can go on with one, and a callback without it belongs to nobody.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { Rejection } from '../../model/rejection.ts';
import type { Sealer } from '../seal.ts';
import { type JsonMembers, member, readJsonObject } from '../strict-json.ts';

export interface LoginNote {
  /** The alias of the provider to which the browser was sent: no other one may answer (RFC 9207, RFC 9700 section 4.4). */
  readonly provider: string;
  readonly state: string;
  readonly nonce: string;
  /** Of PKCE. */
  readonly verifier: string;
  readonly returnTo: string;
  readonly redirectUri: string;
  /** Unix time in milliseconds. */
  readonly begunAtMillis: number;
}

export interface LoginNotes {
  seal(note: LoginNote): string;
  /** Returns the note of the login of this state, or throws a Rejection: login-failed. */
  open(sealed: string | undefined, state: string | undefined): LoginNote;
}

/** How long somebody may take to log in. */
export const NOTE_MILLIS = 600_000;

/** Another replica's clock may be ahead of ours. */
const AHEAD_MILLIS = 60_000;

const PURPOSE = 'login';

/** Returns 256 random bits, base64url; also a verifier as RFC 7636 section 4.1 has it. */
export const randomText = (): string => randomBytes(32).toString('base64url');

const failed = (detail: string): Rejection => new Rejection('login-failed', detail);

const sameText = (one: string, other: string): boolean => {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
};

const text = (note: JsonMembers, name: string): string => {
  const value = member(note, name);
  if (typeof value !== 'string') throw failed('the note of the login is of another form');
  return value;
};

const parsed = (opened: string): JsonMembers => {
  try {
    return readJsonObject(Buffer.from(opened));
  } catch {
    throw failed('the note of the login is of another form');
  }
};

const read = (opened: string): LoginNote => {
  const note = parsed(opened);
  const begunAtMillis = member(note, 'begunAtMillis');
  if (typeof begunAtMillis !== 'number') throw failed('the note of the login is of another form');
  return {
    provider: text(note, 'provider'),
    state: text(note, 'state'),
    nonce: text(note, 'nonce'),
    verifier: text(note, 'verifier'),
    returnTo: text(note, 'returnTo'),
    redirectUri: text(note, 'redirectUri'),
    begunAtMillis,
  };
};

/** Returns what seals and opens notes. */
export const loginNotes = (sealer: Sealer, now: () => number): LoginNotes => ({
  seal: (note) => sealer.seal(PURPOSE, JSON.stringify(note)),
  open(sealed, state) {
    if (state === undefined || state === '') throw failed('the callback has no state');
    if (sealed === undefined) throw failed('the browser has begun no login of this state, or has ended it');
    const opened = sealer.open(PURPOSE, sealed);
    if (opened === undefined) throw failed('the note of the login was not sealed here');
    const note = read(opened);
    if (!sameText(note.state, state)) throw failed('the state is of another login');
    const age = now() - note.begunAtMillis;
    if (age >= NOTE_MILLIS) throw failed('the login took too long');
    if (age < -AHEAD_MILLIS) throw failed('the login begins in the future');
    return note;
  },
});
