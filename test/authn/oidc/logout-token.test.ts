/** Logout tokens by a clock that is handed in. What an attacker makes of them is in test/attack/back-channel-logout. */
import { expect, test } from 'vitest';
import { keysUnavailable } from '../../../src/authn/challenge.ts';
import { readKeyDocument, type VerificationKey } from '../../../src/authn/jwk.ts';
import { readLogoutToken } from '../../../src/authn/oidc/logout-token.ts';
import { clock, NOON, rejectionOf, signer } from '../../support/token-issuer.ts';

const key = await signer('k', 'ES256');
const { byId } = await readKeyDocument(Buffer.from(JSON.stringify({ keys: [key.jwk] })), ['ES256'], []);
const find = (): VerificationKey => {
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
const terms = { settings, keys: { find }, now: time.now };
const events = { 'http://schemas.openid.net/event/backchannel-logout': {} };

const token = (claims: object = {}): string =>
  key.sign({ aud: 'gateway', jti: 'j', sid: 's', sub: undefined, events, exp: NOON + 120, ...claims });

test('resolves with whose sessions are over since when, and until when the token could come again', async () => {
  expect(await readLogoutToken(token({ sub: 'ann', iat: NOON - 9 }), terms)).toEqual({
    sid: 's',
    sub: 'ann',
    jti: 'j',
    issuedAtMillis: (NOON - 9) * 1000,
    endsAtMillis: (NOON + 125) * 1000,
  });
});

test.each([
  [{ exp: NOON - 4 }, undefined],
  [{ exp: NOON - 5 }, 'it has expired'],
  [{ iat: NOON - 304 }, undefined],
  [{ iat: NOON - 305 }, 'issued too long ago'],
  [{ iat: NOON + 65 }, undefined],
  [{ iat: NOON + 66 }, 'of the future'],
])('the times %j: %s', async (times, expected) => {
  if (expected === undefined) expect((await readLogoutToken(token(times), terms)).sid).toBe('s');
  else {
    const { reason, message } = await rejectionOf(() => readLogoutToken(token(times), terms));
    expect([reason, message]).toEqual(['logout-token-invalid', expect.stringContaining(expected)]);
  }
});

test('one that lives long is remembered no longer than it would be accepted', async () => {
  const { endsAtMillis } = await readLogoutToken(token({ exp: NOON + 86_400, iat: NOON - 10 }), terms);
  expect(endsAtMillis).toBe((NOON + 295) * 1000);
});

test('one that names neither a session nor a user, or is too long to be read, is refused', async () => {
  const refused = async (claims: object): Promise<string> =>
    (await rejectionOf(() => readLogoutToken(token(claims), terms))).message;
  expect(await refused({ sid: undefined })).toContain('so is sub');
  expect(await refused({ more: 'a'.repeat(6200) })).toContain('too long');
});

test('while the keys cannot be had it is nobody’s fault', async () => {
  const away = () => {
    throw keysUnavailable('the keys of main cannot be had', 30_000);
  };
  const refused = await rejectionOf(() => readLogoutToken(token(), { ...terms, keys: { find: away } }));
  expect(refused).toMatchObject({ reason: 'provider-unavailable', status: 503, headers: ['Retry-After', '30'] });
});

test('a refusal holds no challenge, and nothing of the token', async () => {
  const refused = await rejectionOf(() => readLogoutToken(token({ nonce: 'secret' }), terms));
  expect([refused.reason, refused.headers]).toEqual(['logout-token-invalid', []]);
  expect(refused.message).not.toContain('secret');
});
