import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../../src/model/json.ts';
import { revokedIn } from '../../src/server/revocation-form.ts';
import { NO_TERMS, NOON_MILLIS } from '../support/revocations.ts';
import { rejectionOf } from '../support/token-issuer.ts';

const read = (body: JsonValue) => revokedIn(body, { issuers: new Set(['corp', 'demo']), now: () => NOON_MILLIS });

/** RFC 3339, so many seconds from noon. */
const at = (seconds: number): string => new Date(NOON_MILLIS + seconds * 1000).toISOString();

describe('a revocation is asked for', () => {
  test.each([
    [{ user: 'corp|alice' }, { by: 'user', issuer: 'corp', user: 'alice' }],
    [{ user: 'corp|a|b c' }, { by: 'user', issuer: 'corp', user: 'a|b c' }],
    [
      { token: 't-1', issuer: 'corp' },
      { by: 'token', issuer: 'corp', tokenId: 't-1' },
    ],
    [{ session: '0123456789abcdef01234567' }, { by: 'session', sessionId: '0123456789abcdef01234567' }],
    [{ issuedBefore: at(-5) }, { by: 'issued-before', issuer: undefined, beforeMillis: NOON_MILLIS - 5000 }],
    [
      { issuedBefore: '2026-09-21T16:13:15+02:00', issuer: 'demo' },
      { by: 'issued-before', issuer: 'demo', beforeMillis: Date.UTC(2026, 8, 21, 14, 13, 15) },
    ],
  ])('as %j', (body, expected) => {
    expect(read(body)).toEqual({ ...expected, ...NO_TERMS });
  });

  test('with the time until which it holds, and why', () => {
    expect(read({ user: 'corp|a', until: at(60), note: 'lost her laptop, ticket #7' })).toMatchObject({
      untilMillis: NOON_MILLIS + 60_000,
      note: 'lost her laptop, ticket #7',
    });
  });

  test('with a moment as far ahead as clocks may differ', () => {
    expect(read({ issuedBefore: at(600) })).toMatchObject({ beforeMillis: NOON_MILLIS + 600_000 });
  });
});

describe('refuses', () => {
  const user = 'corp|alice';
  test.each<[string, JsonValue]>([
    ['no object', null],
    ['a list', [user]],
    ['a text', user],
    ['nothing', {}],
    ['a key that is not known', { user, reason: 'x' }],
    ['a prototype', JSON.parse('{ "user": "corp|alice", "__proto__": "x" }')],
    ['two at once', { user, token: 't', issuer: 'corp' }],
    ['a user and a moment', { user, issuedBefore: at(0) }],
    ['a user and an issuer', { user, issuer: 'corp' }],
    ['a user without an issuer', { user: 'alice' }],
    ['an issuer without a user', { user: 'corp|' }],
    ['a user of no issuer', { user: '|alice' }],
    ['a user with a line end', { user: 'corp|alice\n' }],
    ['a user of 256 characters', { user: `corp|${'a'.repeat(256)}` }],
    ['a user that is no text', { user: ['corp|alice'] }],
    ['a token without an issuer', { token: 't' }],
    ['a session and its issuer', { session: '0123456789abcdef01234567', issuer: 'corp' }],
    ['a session and a user', { session: '0123456789abcdef01234567', user }],
    ['half of a session’s id', { session: '0123456789ab' }],
    ['a session’s id in capitals', { session: '0123456789ABCDEF01234567' }],
    ['the value of a cookie', { session: 'A'.repeat(43) }],
    ['an empty token', { token: '', issuer: 'corp' }],
    ['a number for a moment', { issuedBefore: 0 }],
    ['a day without a time', { issuedBefore: '2026-01-01' }],
    ['a time without a zone', { issuedBefore: '2026-01-01T00:00:00' }],
    ['a day that there is not', { issuedBefore: '2026-02-31T00:00:00Z' }],
    ['an hour that there is not', { issuedBefore: '2026-02-01T24:00:00Z' }],
    ['a moment that is to come', { issuedBefore: at(601) }],
    ['a time that is over', { user, until: at(0) }],
    ['a time that is none', { user, until: 'never' }],
    ['an empty note', { user, note: '' }],
    ['a note of 501 characters', { user, note: 'x'.repeat(501) }],
    ['a note that steers a terminal', { user, note: 'x\u001b[2J' }],
    ['a note that turns text around', { user, note: 'x\u202e' }],
  ])('%s', async (_, body) => {
    expect(await rejectionOf(() => read(body))).toMatchObject({ reason: 'body-unfit', status: 400 });
  });

  test.each([{ user: 'crop|alice' }, { token: 't', issuer: 'crop' }, { issuedBefore: at(0), issuer: 'crop' }])(
    'an issuer that there is not: %j',
    async (body) => {
      expect(await rejectionOf(() => read(body))).toMatchObject({ reason: 'issuer-unknown', status: 400 });
    },
  );
});
