/** Whose fault it is, when something goes wrong between us and a provider. */
import { AuthorizationResponseError, ClientError, ResponseBodyError } from 'openid-client';
import { expect, test } from 'vitest';
import { keysUnavailable, refusal } from '../../../src/authn/challenge.ts';
import { awayBecause, faultIn, loginFailure, providerUnavailable } from '../../../src/authn/oidc/failure.ts';
import { ProviderAway } from '../../../src/authn/oidc/fetch.ts';
import { Rejection } from '../../../src/model/rejection.ts';

const answered = (error: string, description?: string): ResponseBodyError =>
  new ResponseBodyError('server responded with an error', {
    cause: { error, ...(description === undefined ? {} : { error_description: description }) },
    response: new Response(null, { status: 400 }),
  });

const cameBack = (query: Record<string, string>): AuthorizationResponseError =>
  new AuthorizationResponseError('an error', { cause: new URLSearchParams(query) });

const reasonOf = (error: unknown): string => {
  const failure = loginFailure('main', error);
  return failure instanceof Rejection ? `${failure.reason}: ${failure.message}` : 'not refused';
};

test.each([
  ['the provider is away', new ProviderAway('answered with 503'), 'provider-unavailable: main answered with 503'],
  [
    'it is away behind the library',
    new ClientError('something went wrong', { cause: new ProviderAway('answered with 503') }),
    'provider-unavailable: main answered with 503',
  ],
  [
    'its keys cannot be had',
    keysUnavailable('the keys of main cannot be had', 1),
    'provider-unavailable: main the keys of main cannot be had',
  ],
  [
    'it says that it is not well',
    answered('temporarily_unavailable'),
    'provider-unavailable: main says "temporarily_unavailable"',
  ],
  ['the code is not good', answered('invalid_grant', 'used'), 'login-failed: main says "invalid_grant": "used"'],
  ['the client is not good', answered('invalid_client'), 'login-failed: main says "invalid_client"'],
  ['the user said no', cameBack({ error: 'access_denied' }), 'login-denied: main says "access_denied"'],
  ['the user must log in again', cameBack({ error: 'login_required' }), 'login-failed: main says "login_required"'],
  [
    'the token is not good',
    refusal('token-signature', 'the signature does not verify'),
    'login-failed: main gave what is refused: the signature does not verify',
  ],
  [
    'the answer is not good',
    new ClientError('invalid response encountered'),
    'login-failed: main invalid response encountered',
  ],
  ['something else is wrong', new TypeError('a bug'), 'not refused'],
])('when %s', (_name, error, expected) => {
  expect(reasonOf(error)).toBe(expected);
});

test('what a provider or a link says is quoted and cut', () => {
  const fault = faultIn(cameBack({ error: 'x', error_description: `a\n"${'b'.repeat(500)}` })) ?? '';
  expect(fault).not.toContain('\n');
  expect(fault.length).toBeLessThan(110);
});

test('no cause goes on, for it holds the answer', () => {
  const failure = loginFailure('main', new ClientError('no', { cause: { body: { access_token: 'secret' } } }));
  expect(failure).toMatchObject({ cause: undefined });
});

test('a refusal that can be tried again says when', () => {
  expect(providerUnavailable('main', 'is away').headers).toEqual(['Retry-After', '1']);
  expect(providerUnavailable('main', 'is away', 2500).headers).toEqual(['Retry-After', '3']);
});

test('what was said of a session is no absence', () => {
  expect(awayBecause(answered('invalid_grant'))).toBeUndefined();
  expect(awayBecause(answered('server_error'))).toContain('server_error');
});
