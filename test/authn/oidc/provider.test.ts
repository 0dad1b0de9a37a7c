/** One provider over time: its metadata and keys change, it goes away and comes back. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { type Liar, openLiar, sendJson } from '../../support/oidc-liar.ts';
import { comeBack, type LoginScene, logInAt, loginScene } from '../../support/oidc-logins.ts';
import { rejectionOf, signer } from '../../support/token-issuer.ts';

const METADATA = '/.well-known/openid-configuration';

let liar: Liar;
let scene: LoginScene;
let aheadMillis = 0;

beforeEach(async () => {
  aheadMillis = 0;
  liar = await openLiar();
  scene = loginScene([liar.settings({}, { clockToleranceSeconds: 600 })], {
    now: () => Date.now() + aheadMillis,
    discoveryTimes: { refreshMillis: 60_000, staleMillis: 600_000 },
  });
});

afterEach(async () => {
  scene.close();
  await liar.close();
});

const times = (path: string): number => liar.asked.filter((asked) => asked === path).length;

test('the metadata and the keys are read once for many logins', async () => {
  for (let count = 0; count < 5; count += 1) await logInAt(scene.logins, 'x');
  expect([times(METADATA), times('/keys'), times('/token')]).toEqual([1, 1, 5]);
});

test('endpoints that have moved are used when the metadata has been read again', async () => {
  await logInAt(scene.logins, 'x');
  liar.lies = { metadata: { end_session_endpoint: `${liar.issuer}/other-end` } };
  aheadMillis = 61_000;
  const out = async () =>
    (await scene.logins.logOut((await logInAt(scene.logins, 'x')).session, 'https://jaaz.example'))?.location ?? '';
  await eventually(async () => (await out()).includes('/other-end'));
  expect(times(METADATA)).toBe(2);
});

test('keys that have moved are read from where they are', async () => {
  await logInAt(scene.logins, 'x');
  const next = await signer('next', 'ES256');
  liar.lies = {
    metadata: { jwks_uri: `${liar.issuer}/next-keys` },
    answers: { '/next-keys': (response) => sendJson(response, { keys: [next.jwk] }) },
    idToken: (header, claims) => next.signText(JSON.stringify({ ...header, kid: 'next' }), JSON.stringify(claims)),
  };
  aheadMillis = 61_000;
  await eventually(async () => {
    const done = await logInAt(scene.logins, 'x').catch(() => undefined);
    return done !== undefined;
  });
  expect(times('/next-keys')).toBe(1);
});

test('while it is away, what was read goes on being good for sending people there', async () => {
  await logInAt(scene.logins, 'x');
  liar.lies = { answers: { [METADATA]: (response) => response.writeHead(503).end() } };
  aheadMillis = 61_000;
  expect((await logInAt(scene.logins, 'x')).owner).toBe('main|mallory');
  await eventually(() => scene.notices.some((notice) => notice === 'provider-failed: answered with 503'));
  aheadMillis = 601_000;
  expect((await rejectionOf(() => comeBack(scene.logins, 'x'))).reason).toBe('provider-unavailable');
});

test('nothing is asked before somebody logs in, and nothing after it was closed', async () => {
  expect(liar.asked).toEqual([]);
  scene.close();
  expect((await rejectionOf(() => comeBack(scene.logins, 'x'))).reason).toBe('provider-unavailable');
  expect(liar.asked).toEqual([]);
});

describe('the name of the session at the provider', () => {
  test.each([
    ['s-1', 's-1'],
    ['', undefined],
    [7, undefined],
    ['a'.repeat(256), undefined],
  ])('%j', async (sid, expected) => {
    liar.lies = { claims: { sid } };
    const { session } = await logInAt(scene.logins, 'x');
    expect(scene.sessions.open.get(session)?.session.providerSessionId).toBe(expected);
  });
});
