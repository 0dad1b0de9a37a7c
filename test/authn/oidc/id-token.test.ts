/** ID tokens by a clock that is handed in. What an attacker makes of them is in test/attack/login-id-token. */
import { describe, expect, test } from 'vitest';
import { readKeyDocument } from '../../../src/authn/jwk.ts';
import { verifyIdToken } from '../../../src/authn/oidc/id-token.ts';
import { clock, NOON, rejectionOf, signer } from '../../support/token-issuer.ts';

const key = await signer('k', 'ES256');
const { byId } = await readKeyDocument(Buffer.from(JSON.stringify({ keys: [key.jwk] })), ['ES256'], []);
const find = () => {
  const found = byId.get('k');
  if (found === undefined) throw new Error('no key');
  return found;
};
const time = clock();
const login = { title: '', clientId: 'gateway', clientSecret: undefined, scopes: [], userinfo: false, graceMillis: 0 };
const settings = {
  name: 'main',
  issuer: 'https://issuer.test/',
  clockToleranceSeconds: 5,
  login: { ...login, algorithms: ['ES256'] },
};

const verify = (claims: object, nonce: string | undefined = 'n') =>
  verifyIdToken(key.sign({ aud: 'gateway', nonce: 'n', ...claims }), nonce, {
    settings,
    keys: { find },
    now: time.now,
  });

const reasonOf = async (claims: object, nonce?: string): Promise<string> =>
  (await rejectionOf(() => verify(claims, nonce))).reason;

test('resolves with the claims', async () => {
  expect(await verify({ roles: ['a'], aud: ['gateway'] })).toMatchObject({ sub: 'ann', roles: ['a'] });
  expect(await verify({ aud: ['gateway', 'other'], azp: 'gateway' })).toMatchObject({ sub: 'ann' });
});

describe('the time', () => {
  test.each([
    ['exp', NOON - 4, undefined],
    ['exp', NOON - 5, 'token-expired'],
    ['exp', 1e300, 'token-claims'],
    ['iat', NOON + 65, undefined],
    ['iat', NOON + 66, 'token-not-yet-valid'],
    ['nbf', NOON + 5, undefined],
    ['nbf', NOON + 6, 'token-not-yet-valid'],
    ['nbf', 'soon', 'token-claims'],
  ])('%s of %s: %s', async (name, value, reason) => {
    if (reason === undefined) expect(await verify({ [name]: value })).toBeDefined();
    else expect(await reasonOf({ [name]: value })).toBe(reason);
  });
});

test('the nonce is the one of the login', async () => {
  expect(await reasonOf({ nonce: 'x' })).toBe('token-claims');
  expect(await reasonOf({ nonce: undefined })).toBe('token-claims');
  expect(await reasonOf({}, 'x')).toBe('token-claims');
});

test('a refresh need not bring a nonce', async () => {
  const token = key.sign({ aud: 'gateway' });
  expect(await verifyIdToken(token, undefined, { settings, keys: { find }, now: time.now })).toMatchObject({
    sub: 'ann',
  });
});

test.each([
  [{ iss: 'https://issuer.test' }, 'token-issuer'],
  [{ iss: undefined }, 'token-issuer'],
  [{ aud: 'jaaz' }, 'token-audience'],
  [{ aud: ['gateway', 'jaaz'] }, 'token-audience'],
  [{ azp: 'jaaz' }, 'token-audience'],
  [{ azp: 7 }, 'token-audience'],
  [{ events: {} }, 'token-claims'],
  [{ sub: 7 }, 'token-claims'],
])('refuses %j as %s', async (claims, reason) => {
  expect(await reasonOf(claims)).toBe(reason);
});
