/** What new tokens come to, and when the provider is asked again. Against a real provider: test/authn/oidc. */
import { describe, expect, test } from 'vitest';
import { refusal } from '../../../src/authn/challenge.ts';
import { ProviderAway } from '../../../src/authn/oidc/fetch.ts';
import { refreshed, refreshMoment } from '../../../src/authn/oidc/refresh.ts';

describe('when the provider is asked again', () => {
  test.each([
    ['never, without a refresh token', { refreshToken: undefined, expiresIn: 3600 }, undefined],
    ['half a minute before the access token ends', { refreshToken: 'r', expiresIn: 3600 }, 3_570_000],
    ['not sooner than in a minute', { refreshToken: 'r', expiresIn: 10 }, 60_000],
    ['not sooner, of one that has ended', { refreshToken: 'r', expiresIn: 0 }, 60_000],
    ['not later than in a day', { refreshToken: 'r', expiresIn: 1e300 }, 86_400_000],
    ['soon enough where it is not said', { refreshToken: 'r', expiresIn: undefined }, 3_570_000],
  ])('%s', (_name, tokens, expected) => {
    const moment = refreshMoment(tokens, 1_000_000);
    expect(moment).toBe(expected === undefined ? undefined : 1_000_000 + expected);
  });
});

const tokens = { accessToken: 'a', refreshToken: 'new', idToken: 'i', expiresIn: 600 };
const now = () => 1_000_000;
const claimsOf = async () => ({ sub: 'ann' });

test('the claims and the new tokens go on', async () => {
  const expected = { claims: { sub: 'ann' }, refreshToken: 'new', idToken: 'i', refreshAtMillis: 1_570_000 };
  expect(await refreshed(tokens, 'old', { claimsOf, now })).toEqual(expected);
});

test('without a new refresh token the old one is asked with again', async () => {
  const outcome = await refreshed({ ...tokens, refreshToken: undefined }, 'old', { claimsOf, now });
  expect(outcome).toMatchObject({ refreshToken: undefined, refreshAtMillis: 1_570_000 });
});

test('without an ID token nobody is asked for claims', async () => {
  const outcome = await refreshed({ ...tokens, idToken: undefined }, 'old', {
    now,
    claimsOf: () => Promise.reject(new Error()),
  });
  expect(outcome).toEqual({ claims: undefined, refreshToken: 'new', idToken: undefined, refreshAtMillis: 1_570_000 });
});

test('claims that cannot be had now are asked for soon, and lose no token', async () => {
  const away = () => Promise.reject(new ProviderAway('answered with 503'));
  const outcome = await refreshed(tokens, 'old', { now, claimsOf: away });
  expect(outcome).toEqual({ claims: undefined, refreshToken: 'new', idToken: undefined, refreshAtMillis: 1_060_000 });
});

test('claims that are refused are no absence', async () => {
  const forged = () => Promise.reject(refusal('token-signature', 'no'));
  await expect(refreshed(tokens, 'old', { now, claimsOf: forged })).rejects.toThrow('no');
});
