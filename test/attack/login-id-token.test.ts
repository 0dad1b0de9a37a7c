/** ID tokens that name somebody who has not logged in: forged, swapped, of another client, of another time. */
import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LIAR_SECRET, type Liar, openLiar } from '../support/oidc-liar.ts';
import { type LoginScene, logInAt, loginScene } from '../support/oidc-logins.ts';
import { base64url, rejectionOf, signer } from '../support/token-issuer.ts';

let liar: Liar;
let scene: LoginScene;

beforeEach(async () => {
  liar = await openLiar();
  scene = loginScene([liar.settings()]);
});

afterEach(async () => {
  scene.close();
  await liar.close();
});

const text = (value: object): string => base64url(JSON.stringify(value));

const refused = async (): Promise<string> => {
  const { reason, message } = await rejectionOf(() => logInAt(scene.logins, 'mallory'));
  expect(scene.sessions.open.size).toBe(0);
  expect(message).not.toMatch(/eyJ|an-access-token/);
  return reason;
};

test('the good one logs in', async () => {
  expect((await logInAt(scene.logins, 'mallory')).owner).toBe('main|mallory');
});

describe('the signature', () => {
  test.each(['none', 'None', 'NONE'])('refuses one signed with %s, although the provider lists it', async (alg) => {
    liar.lies = {
      metadata: { id_token_signing_alg_values_supported: ['none', 'None', 'NONE', 'ES256'] },
      idToken: (header, claims) => `${text({ ...header, alg })}.${text(claims)}.`,
    };
    expect(await refused()).toBe('login-failed');
  });

  test.each([
    ['the client secret', () => LIAR_SECRET],
    ['the public key', (jwk: object) => JSON.stringify(jwk)],
  ])('refuses one signed with HS256 and %s', async (_name, secret) => {
    liar.lies = {
      metadata: { id_token_signing_alg_values_supported: ['HS256', 'ES256'] },
      idToken: (header, claims) => {
        const input = `${text({ ...header, alg: 'HS256' })}.${text(claims)}`;
        return `${input}.${createHmac('sha256', secret(liar.signer.jwk)).update(input).digest('base64url')}`;
      },
    };
    expect(await refused()).toBe('login-failed');
  });

  test('refuses one of a key that the provider does not publish, under the name of one that it does', async () => {
    const other = await signer('k', 'ES256');
    liar.lies = { idToken: (header, claims) => other.signText(JSON.stringify(header), JSON.stringify(claims)) };
    expect(await refused()).toBe('login-failed');
  });

  test('refuses one whose claims were changed after it was signed', async () => {
    liar.lies = {
      idToken(header, claims) {
        const [head, , signature] = liar.signer.signText(JSON.stringify(header), JSON.stringify(claims)).split('.');
        return `${head}.${text({ ...claims, sub: 'admin' })}.${signature}`;
      },
    };
    expect(await refused()).toBe('login-failed');
  });

  test.each([
    ['jwk', {}],
    ['jku', 'https://evil.example/keys'],
    ['x5u', 'https://evil.example/cert'],
    ['crit', ['exp']],
  ])('refuses one that brings %s', async (name, value) => {
    liar.lies = { header: { [name]: value } };
    expect(await refused()).toBe('login-failed');
  });

  test.each(['at+jwt', 'logout+jwt', 7])('refuses one of the type %s', async (typ) => {
    liar.lies = { header: { typ } };
    expect(await refused()).toBe('login-failed');
  });

  test('a key that the provider cannot be asked for is no fault of who logs in', async () => {
    liar.lies = { answers: { '/keys': (response) => response.writeHead(500).end() } };
    expect(await refused()).toBe('provider-unavailable');
  });
});

describe('the claims', () => {
  const now = () => Math.floor(Date.now() / 1000);
  test.each([
    ['another audience', () => ({ aud: 'other' })],
    ['another audience in a list', () => ({ aud: ['other'] })],
    ['no audience', () => ({ aud: undefined })],
    ['a further audience and no azp', () => ({ aud: ['gateway', 'other'] })],
    ['the azp of another client', () => ({ azp: 'other' })],
    ['the azp of another client beside a further audience', () => ({ aud: ['gateway', 'other'], azp: 'other' })],
    ['another issuer', () => ({ iss: 'https://issuer.example' })],
    ['an issuer with a slash more', () => ({ iss: `${liar.issuer}/` })],
    ['another nonce', () => ({ nonce: 'another' })],
    ['no nonce', () => ({ nonce: undefined })],
    ['an end that has passed', () => ({ exp: now() - 60 })],
    ['no end', () => ({ exp: undefined })],
    ['an end that is no number', () => ({ exp: String(now() + 300) })],
    ['a beginning in the future', () => ({ nbf: now() + 600 })],
    ['an issue in the future', () => ({ iat: now() + 600 })],
    ['no issue', () => ({ iat: undefined })],
    ['a subject that is a number', () => ({ sub: 1 })],
    ['an empty subject', () => ({ sub: '' })],
    ['no subject', () => ({ sub: undefined })],
    ['a subject with a line end', () => ({ sub: 'a\nb' })],
    ['an event', () => ({ events: {} })],
  ])('refuses %s', async (_name, claims) => {
    liar.lies = { claims: claims() };
    expect(await refused()).toBe('login-failed');
  });

  test('refuses a claim that stands twice', async () => {
    liar.lies = {
      idToken: (header, claims) =>
        liar.signer.signText(JSON.stringify(header), JSON.stringify(claims).replace('{', '{"sub":"admin",')),
    };
    expect(await refused()).toBe('login-failed');
  });

  test.each([undefined, '', 'x', 'a.b.c', 'a.b.c.d.e', '..', 7, null, {}])(
    'refuses %j as an ID token',
    async (token) => {
      liar.lies = { tokens: { id_token: token } };
      expect(await refused()).toBe('login-failed');
    },
  );

  test('refuses the ID token of an earlier login', async () => {
    let earlier: string | undefined;
    liar.lies = {
      idToken(header, claims) {
        earlier ??= liar.signer.signText(JSON.stringify(header), JSON.stringify(claims));
        return earlier;
      },
    };
    const done = await logInAt(scene.logins, 'mallory');
    await scene.logins.logOut(done.session, 'http://x');
    expect(await refused()).toBe('login-failed');
  });

  test('refuses claims of the userinfo endpoint that are of another user', async () => {
    scene.close();
    scene = loginScene([liar.settings({ userinfo: true })]);
    liar.lies = { userinfo: { sub: 'admin', roles: ['admin'] } };
    expect(await refused()).toBe('login-failed');
  });

  test('the userinfo endpoint cannot replace what the ID token says', async () => {
    scene.close();
    scene = loginScene([liar.settings({ userinfo: true })]);
    liar.lies = { claims: { roles: ['member'] }, userinfo: { roles: ['admin'], sid: 'of-another' } };
    const { session } = await logInAt(scene.logins, 'mallory');
    expect(scene.sessions.open.get(session)).toMatchObject({
      principal: { roles: ['member'] },
      session: { providerSessionId: 's-1' },
    });
  });
});
