/**
 * Mix-up (RFC 9207, RFC 9700 section 4.4): an answer of one provider where that of another is awaited. Two providers
 * share one callback.
 */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LOGIN_PATHS } from '../../src/model/login.ts';
import { type Liar, openLiar } from '../support/oidc-liar.ts';
import { comeBack, type LoginScene, logInAt, loginScene, ORIGIN } from '../support/oidc-logins.ts';
import { openTestProvider, type TestProvider } from '../support/oidc-provider.ts';
import { rejectionOf } from '../support/token-issuer.ts';

let honest: TestProvider;
let liar: Liar;
let scene: LoginScene;

beforeEach(async () => {
  honest = await openTestProvider();
  await honest.register(ORIGIN, { alias: 'honest' });
  liar = await openLiar();
  scene = loginScene([honest.settings({ alias: 'honest' }), liar.settings({}, { name: 'liar' })]);
});

afterEach(async () => {
  scene.close();
  await honest.close();
  await liar.close();
});

test('both providers log in by themselves, and one name at both is two owners', async () => {
  liar.lies = { claims: { sub: 'alice' } };
  expect((await logInAt(scene.logins, 'alice', { provider: 'honest' })).owner).toBe('honest|alice');
  expect((await logInAt(scene.logins, 'alice', { provider: 'liar' })).owner).toBe('liar|alice');
});

test("the honest provider's code is not sent to the liar, who had the browser log in there", async () => {
  // The browser began at the liar, which passed it on to the honest provider with the gateway's own state.
  const begun = await scene.logins.begin({ provider: 'liar', returnTo: '/', origin: ORIGIN });
  const state = new URL(begun.location).searchParams.get('state') ?? '';
  const victim = await comeBack(scene.logins, 'alice', { provider: 'honest' });
  const query = new Map(victim.query).set('state', state);
  const refused = await rejectionOf(() => scene.logins.finish({ ...victim.came, query, note: begun.note }));
  expect(refused).toMatchObject({ reason: 'login-failed' });
  expect(refused.message).toContain('iss');
  expect(liar.forms).toEqual([]);
});

test('an answer that does not say whose it is is refused where its provider says that it always does', async () => {
  const { came } = await comeBack(scene.logins, 'alice', { provider: 'honest' });
  const query = new Map(came.query);
  query.delete('iss');
  expect((await rejectionOf(() => scene.logins.finish({ ...came, query }))).message).toContain(
    '"iss" (issuer) missing',
  );
  expect(honest.asked).not.toContain('/token');
});

test.each(['https://evil.example', ''])('an answer that says %j is refused', async (iss) => {
  const { came } = await comeBack(scene.logins, 'alice', { provider: 'honest' });
  const refused = await rejectionOf(() => scene.logins.finish({ ...came, query: new Map(came.query).set('iss', iss) }));
  expect(refused.reason).toBe('login-failed');
  expect(honest.asked).not.toContain('/token');
});

test('a wrong name is refused of a provider too that need not give any', async () => {
  liar.lies = {
    metadata: { authorization_response_iss_parameter_supported: undefined },
    callback: (query) => query.set('iss', honest.issuer),
  };
  expect((await rejectionOf(() => logInAt(scene.logins, 'x', { provider: 'liar' }))).reason).toBe('login-failed');
  liar.lies = { ...liar.lies, callback: (query) => query.delete('iss') };
  expect((await logInAt(scene.logins, 'x', { provider: 'liar' })).owner).toBe('liar|mallory');
});

test("a liar's ID token that names the honest provider logs nobody in", async () => {
  liar.lies = { claims: { iss: honest.issuer, sub: 'alice' } };
  expect((await rejectionOf(() => logInAt(scene.logins, 'x', { provider: 'liar' }))).reason).toBe('login-failed');
  expect(scene.sessions.open.size).toBe(0);
});

test("a liar's metadata that names the honest provider is not believed", async () => {
  liar.lies = { metadata: { issuer: honest.issuer } };
  const refused = await rejectionOf(() => scene.logins.begin({ provider: 'liar', returnTo: '/', origin: ORIGIN }));
  expect(refused).toMatchObject({ reason: 'provider-unavailable', status: 503 });
  expect(refused.message).toContain('another issuer');
});

test('an error of one provider does not end the login at another', async () => {
  const begun = await scene.logins.begin({ provider: 'honest', returnTo: '/', origin: ORIGIN });
  const query = new Map([
    ['error', 'access_denied'],
    ['state', begun.state],
    ['iss', liar.issuer],
  ]);
  const came = { origin: ORIGIN, query, note: begun.note, earlier: undefined };
  expect((await rejectionOf(() => scene.logins.finish(came))).reason).toBe('login-failed');
  expect(LOGIN_PATHS.callback).toBe('/auth/callback');
});
