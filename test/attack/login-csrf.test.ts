/**
 * Login CSRF, code injection and replay: a callback counts only in the browser that began it, once, with the answer that
 * the provider gave to it. Against a real provider; each attack has what an attacker can have: own codes, links, copies.
 */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { LoginCame } from '../../src/model/login.ts';
import { type Came, comeBack, type LoginScene, loginScene, ORIGIN } from '../support/oidc-logins.ts';
import { openTestProvider, type TestProvider } from '../support/oidc-provider.ts';
import { rejectionOf } from '../support/token-issuer.ts';

let provider: TestProvider;
let scene: LoginScene;

beforeEach(async () => {
  provider = await openTestProvider();
  await provider.register(ORIGIN);
  scene = loginScene([provider.settings()]);
});

afterEach(async () => {
  scene.close();
  await provider.close();
});

const come = (user: string): Promise<Came> => comeBack(scene.logins, user);

const refused = async (came: LoginCame): Promise<string> => {
  const before = scene.sessions.open.size;
  const { reason, status, message } = await rejectionOf(() => scene.logins.finish(came));
  expect(scene.sessions.open.size).toBe(before);
  expect(`${reason} ${status}`).toBe('login-failed 400');
  expect(message).not.toContain(came.query.get('code') ?? 'no code');
  return message;
};

const tokensAsked = (): number => provider.asked.filter((path) => path === '/token').length;

test("the attacker's callback, opened in a browser that has begun no login, logs nobody in", async () => {
  const { came } = await come('mallory');
  expect(await refused({ ...came, note: undefined })).toContain('has begun no login');
  expect(tokensAsked()).toBe(0);
});

test("the attacker's callback, opened in a browser that has begun another login, logs nobody in", async () => {
  const mallory = await come('mallory');
  const victim = await come('alice');
  expect(await refused({ ...mallory.came, note: victim.begun.note })).toContain('the state is of another login');
  expect(tokensAsked()).toBe(0);
});

test('a stolen code, put into a callback of the attacker, is worth nothing: it is bound to the verifier and the nonce', async () => {
  const victim = await come('alice');
  const mallory = await come('mallory');
  const query = new Map(mallory.query).set('code', victim.query.get('code') ?? '');
  await refused({ ...mallory.came, query });
  expect(tokensAsked()).toBe(1);
});

test.each([
  ['no state', (query: Map<string, string>) => query.delete('state')],
  ['an empty state', (query: Map<string, string>) => query.set('state', '')],
  ['another state', (query: Map<string, string>) => query.set('state', 'A'.repeat(43))],
  ['no code', (query: Map<string, string>) => query.delete('code')],
  ['an invented code', (query: Map<string, string>) => query.set('code', 'A'.repeat(43))],
  ['an ID token of its own', (query: Map<string, string>) => query.set('id_token', 'a.b.c')],
  ['a token of its own', (query: Map<string, string>) => query.set('token', 'abc')],
  ['a signed response of its own', (query: Map<string, string>) => query.set('response', 'a.b.c')],
])('a callback with %s is refused', async (_name, change) => {
  const { came } = await come('alice');
  const query = new Map(came.query);
  change(query);
  await refused({ ...came, query });
});

test('a callback that comes again is refused, and costs the first session nothing', async () => {
  const { came } = await come('alice');
  const done = await scene.logins.finish(came);
  expect(await refused(came)).toContain('came before');
  expect(tokensAsked()).toBe(1);
  expect([...scene.sessions.open.keys()]).toEqual([done.session]);
});

test('of two callbacks that come at once one is refused', async () => {
  const { came } = await come('alice');
  const results = await Promise.allSettled([scene.logins.finish(came), scene.logins.finish(came)]);
  expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  expect(scene.sessions.open.size).toBe(1);
});

test('a callback that comes again at another replica is refused by the provider', async () => {
  const secret = Buffer.alloc(32, 7);
  const [one, other] = [loginScene([provider.settings()], { secret }), loginScene([provider.settings()], { secret })];
  const { came } = await comeBack(one.logins, 'alice');
  await other.logins.finish(came);
  expect(await rejectionOf(() => one.logins.finish(came))).toMatchObject({
    reason: 'login-failed',
    message: expect.stringContaining('invalid_grant'),
  });
  expect(one.sessions.open.size).toBe(0);
  one.close();
  other.close();
});

test('a login that was begun under one address does not end under another', async () => {
  const { came } = await come('alice');
  expect(await refused({ ...came, origin: 'http://evil.localhost:9999' })).toContain('another address');
  expect(tokensAsked()).toBe(0);
});

test('a session that was planted in the browser ends when somebody logs in there', async () => {
  const planted = await scene.logins.finish((await come('mallory')).came);
  const done = await scene.logins.finish({ ...(await come('alice')).came, earlier: planted.session });
  expect(done.session).not.toBe(planted.session);
  expect([...scene.sessions.open.values()].map(({ principal }) => principal.owner)).toEqual(['main|alice']);
});
