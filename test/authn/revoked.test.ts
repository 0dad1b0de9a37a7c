import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { revokedTokens } from '../../src/authn/revoked.ts';
import type { Revocation, Revoked } from '../../src/model/revocation.ts';
import {
  NOON_MILLIS,
  ofBefore,
  ofSession,
  ofToken,
  ofUser,
  principalOf,
  revocation,
  sessionPrincipal,
} from '../support/revocations.ts';
import { NOON } from '../support/token-issuer.ts';

const has = (claims: object, revoked: Revoked, more: Partial<Revocation> = {}): boolean => {
  const index = revokedTokens();
  index.add(revocation(revoked, more));
  return index.has(principalOf(claims));
};

test('nothing is revoked at first', () => {
  expect(revokedTokens().has(principalOf({ jti: 't', iat: undefined }))).toBe(false);
});

describe('a user', () => {
  test.each([
    ['long before', NOON - 3600, true],
    ['in the second of the revocation', NOON, true],
    ['in a fraction of that second', NOON + 0.9, true],
    ['in the next second', NOON + 1, false],
    ['nobody knows when', undefined, true],
  ])('is revoked as far as tokens issued %s go: %s', (_, iat, expected) => {
    expect(has({ iat }, ofUser('ann'), { madeAtMillis: NOON_MILLIS + 400 })).toBe(expected);
  });

  test('who was revoked twice is revoked until the later time', () => {
    const index = revokedTokens();
    for (const madeAtMillis of [NOON_MILLIS + 5000, NOON_MILLIS])
      index.add(revocation(ofUser('ann'), { madeAtMillis }));
    expect([NOON + 5, NOON + 6].map((iat) => index.has(principalOf({ iat })))).toEqual([true, false]);
  });

  test('takes nobody else along: not of another name, of another issuer, or with a bar in the name', () => {
    const index = revokedTokens();
    index.add(revocation(ofUser('ann')));
    expect(index.has(principalOf({ sub: 'anna' }))).toBe(false);
    expect(index.has(principalOf({ sub: 'main|ann' }))).toBe(false);
    expect(index.has(principalOf({}, 'other'))).toBe(false);
    expect(index.has(principalOf())).toBe(true);
  });
});

describe('a token', () => {
  test('is revoked by its id, of that issuer alone', () => {
    const index = revokedTokens();
    index.add(revocation(ofToken('t1')));
    expect(index.has(principalOf({ jti: 't1', sub: 'bob', iat: undefined }))).toBe(true);
    expect(index.has(principalOf({ jti: 't2' }))).toBe(false);
    expect(index.has(principalOf({ jti: 't1' }, 'other'))).toBe(false);
    expect(index.has(principalOf())).toBe(false);
  });

  test('is not taken for a user of the same name, nor a user for a token', () => {
    expect(has({ jti: 't1' }, ofToken('ann'))).toBe(false);
    expect(has({ jti: 'x', sub: 'bob' }, ofUser('x'))).toBe(false);
  });
});

describe('a session', () => {
  const revoked = (one: Revoked, more: Partial<Revocation> = {}) => {
    const index = revokedTokens();
    index.add(revocation(one, more));
    return index;
  };

  test('is revoked by its id, and takes no other session of the user along', () => {
    const index = revoked(ofSession('s1'));
    expect(index.has(sessionPrincipal('s1'))).toBe(true);
    expect(index.has(sessionPrincipal('s1', 'bob', 'other'))).toBe(true);
    expect(index.has(sessionPrincipal('s2'))).toBe(false);
    expect(index.has(sessionPrincipal(''))).toBe(false);
  });

  test('takes no token along, neither of the same id nor of the user', () => {
    const index = revoked(ofSession('s1'));
    expect(index.has(principalOf({ jti: 's1' }))).toBe(false);
    expect(index.has(principalOf({ jti: 'main|s1', sub: 's1' }))).toBe(false);
    expect(revoked(ofToken('s1')).has(sessionPrincipal('s1'))).toBe(false);
  });

  test('is revoked with its user and with its issuer, by the time of the login', () => {
    expect(revoked(ofUser('ann'), { madeAtMillis: NOON_MILLIS }).has(sessionPrincipal('s1'))).toBe(true);
    // To the millisecond: whoever was thrown out and is let in again at once by the provider is in.
    expect(revoked(ofUser('ann'), { madeAtMillis: NOON_MILLIS - 1 }).has(sessionPrincipal('s1'))).toBe(false);
    expect(revoked(ofBefore(NOON_MILLIS + 1)).has(sessionPrincipal('s1'))).toBe(true);
    expect(revoked(ofBefore(NOON_MILLIS)).has(sessionPrincipal('s1'))).toBe(false);
  });
});

describe('what was issued before a moment', () => {
  test.each([
    ['in an earlier second', NOON - 1, true],
    ['in the second of the moment', NOON, true],
    ['after it', NOON + 1, false],
    ['nobody knows when', undefined, true],
  ])('is revoked when it was issued %s: %s', (_, iat, expected) => {
    expect(has({ iat }, ofBefore(NOON_MILLIS + 400))).toBe(expected);
    expect(has({ iat }, ofBefore(NOON_MILLIS + 400, 'main'))).toBe(expected);
  });

  test('is not revoked when it was issued at that very moment', () => {
    expect(has({ iat: NOON }, ofBefore(NOON_MILLIS))).toBe(false);
  });

  test('is that of one issuer, or of all', () => {
    expect(has({}, ofBefore(NOON_MILLIS, 'other'))).toBe(false);
    expect(has({}, ofBefore(NOON_MILLIS))).toBe(true);
  });
});

test('an index of many says what each of them says alone', () => {
  const name = fc.constantFrom('a', 'b', 'c');
  const issuer = fc.constantFrom('main', 'other');
  const seconds = fc.integer({ min: -3, max: 3 });
  const revoked = fc.oneof(
    fc.tuple(name, issuer).map(([user, from]) => ofUser(user, from)),
    fc.tuple(name, issuer).map(([jti, from]) => ofToken(jti, from)),
    name.map(ofSession),
    fc
      .tuple(seconds, fc.option(issuer, { nil: undefined }))
      .map(([at, from]) => ofBefore(NOON_MILLIS + at * 1000, from)),
  );
  const entry = fc
    .tuple(revoked, fc.integer({ min: -3000, max: 3000 }))
    .map(([one, at]) => revocation(one, { madeAtMillis: NOON_MILLIS + at }));
  const token = fc.record({
    sub: name,
    jti: name,
    iat: fc.option(
      seconds.map((at) => NOON + at),
      { nil: undefined },
    ),
  });
  const caller = fc.oneof(
    fc.tuple(token, issuer).map(([claims, from]) => principalOf(claims, from)),
    fc.tuple(name, name, issuer).map(([id, user, from]) => sessionPrincipal(id, user, from)),
  );
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 8 }), caller, (entries, principal) => {
      const all = revokedTokens();
      const alone = entries.map((one) => {
        all.add(one);
        const index = revokedTokens();
        index.add(one);
        return index.has(principal);
      });
      expect(all.has(principal)).toBe(alone.includes(true));
    }),
  );
});
