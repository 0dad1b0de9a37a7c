/** A back-channel logout that comes while a login of the same user is being completed: there is no session to end yet. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Liar, openLiar } from '../support/oidc-liar.ts';
import { comeBack, type LoginScene, logInAt, loginScene } from '../support/oidc-logins.ts';
import { rejectionOf } from '../support/token-issuer.ts';

const EVENT = 'http://schemas.openid.net/event/backchannel-logout';

let liar: Liar;
let scene: LoginScene;
let count = 0;

beforeEach(async () => {
  liar = await openLiar();
  scene = loginScene([liar.settings({ userinfo: true })]);
});

afterEach(async () => {
  scene.close();
  await liar.close();
});

const seconds = (): number => Math.floor(Date.now() / 1000);

/** Ends at the provider what the claims name, `laterSeconds` from now by its clock. */
const logOut = async (named: object, laterSeconds = 0): Promise<number> => {
  count += 1;
  const times = { iat: seconds() + laterSeconds, exp: seconds() + 120 };
  const claims = { iss: liar.issuer, aud: 'gateway', jti: `j-${count}`, events: { [EVENT]: {} }, ...times, ...named };
  const header = JSON.stringify({ alg: 'ES256', kid: 'k', typ: 'logout+jwt' });
  return await scene.logins.logOutBehind('main', liar.signer.signText(header, JSON.stringify(claims)));
};

/** Completes a login; the provider has given its ID token when `meanwhile` is done. */
const logInWhile = async (meanwhile: () => Promise<unknown>) => {
  const { came } = await comeBack(scene.logins, 'x');
  liar.lies = {
    answers: {
      '/me': (response) =>
        void meanwhile().then(() =>
          response.writeHead(200, { 'content-type': 'application/json' }).end('{"sub":"mallory"}'),
        ),
    },
  };
  return await scene.logins.finish(came);
};

test.each([
  ['of its session at the provider', { sid: 's-1' }],
  ['of its user', { sub: 'mallory' }],
])('a logout %s leaves no session behind', async (_, named) => {
  expect(await rejectionOf(() => logInWhile(() => logOut(named)))).toMatchObject({ reason: 'login-failed' });
  expect(scene.sessions.open.size).toBe(0);
  expect(await scene.sessions.endAll({ issuer: 'main', user: 'mallory' }, 0)).toBe(0);
});

test.each([
  ['another session at the provider', { sid: 's-2' }],
  ['another user', { sub: 'bob' }],
])('a logout of %s lets the login be', async (_, named) => {
  expect((await logInWhile(() => logOut(named))).owner).toBe('main|mallory');
});

test('whoever logs in after the logout is in again', async () => {
  await logOut({ sub: 'mallory' }, -60);
  await logOut({ sid: 's-1' }, -60);
  expect((await logInAt(scene.logins, 'x')).owner).toBe('main|mallory');
});
