/** Logging in at a real OpenID provider, and out again. */
import { afterEach, expect, test } from 'vitest';
import { LOGIN_PATHS } from '../../../src/model/login.ts';
import { newBrowser, walk } from '../../support/oidc-client.ts';
import {
  comeBack,
  type LoginScene,
  logInAt,
  loginScene,
  ORIGIN,
  type SceneOptions,
} from '../../support/oidc-logins.ts';
import {
  type ClientOptions,
  DENIED,
  openTestProvider,
  type SettingsOverrides,
  type TestProvider,
  type TestProviderOptions,
} from '../../support/oidc-provider.ts';
import { rejectionOf } from '../../support/token-issuer.ts';

const opened: Array<{ close(): unknown }> = [];

afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

interface Wanted extends SceneOptions {
  readonly provider?: TestProviderOptions;
  readonly client?: ClientOptions;
  readonly settings?: SettingsOverrides;
}

const open = async ({
  provider: wanted,
  client,
  settings,
  ...options
}: Wanted = {}): Promise<LoginScene & { readonly provider: TestProvider }> => {
  const provider = await openTestProvider(wanted);
  await provider.register(ORIGIN, client);
  const scene = loginScene([provider.settings(client, settings)], options);
  opened.push(provider, scene);
  return { ...scene, provider };
};

test('a login comes to a session of whoever logged in at the provider', async () => {
  const { logins, sessions } = await open();
  const done = await logInAt(logins, 'alice', { returnTo: '/canvas/c-1?tab=2' });
  expect(done).toMatchObject({ returnTo: '/canvas/c-1?tab=2', owner: 'main|alice' });
  expect(done.maxAgeSeconds).toBeGreaterThan(3500);
  const begun = sessions.open.get(done.session);
  expect(begun?.principal).toMatchObject({ owner: 'main|alice', roles: ['member'] });
  expect(begun?.session.providerSessionId).toMatch(/^.{10,}$/);
  expect(begun?.session.refreshAtMillis).toBeUndefined();
});

test('the browser is sent with PKCE, a state and a nonce, and the note shows none of them', async () => {
  const { logins, provider } = await open();
  const begun = await logins.begin({ provider: 'main', returnTo: '/', origin: ORIGIN });
  const url = new URL(begun.location);
  expect(url.origin).toBe(provider.issuer);
  const query = Object.fromEntries(url.searchParams);
  expect(query).toMatchObject({
    client_id: 'gateway',
    response_type: 'code',
    code_challenge_method: 'S256',
    scope: 'openid profile',
    redirect_uri: ORIGIN + LOGIN_PATHS.callback,
    state: begun.state,
  });
  for (const text of [begun.state, query.nonce, query.code_challenge]) {
    expect(text).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(Buffer.from(begun.note, 'base64url').toString('latin1')).not.toContain(text);
  }
  expect(begun.note.length).toBeLessThan(1200);
});

test('no two logins have a state, a nonce or a verifier in common', async () => {
  const { logins } = await open();
  const asked = { provider: 'main', returnTo: '/', origin: ORIGIN };
  const begun = await Promise.all(Array.from({ length: 20 }, () => logins.begin(asked)));
  for (const name of ['state', 'nonce', 'code_challenge'])
    expect(new Set(begun.map(({ location }) => new URL(location).searchParams.get(name))).size).toBe(20);
});

test('a public client logs in', async () => {
  const { logins } = await open({ client: { clientSecret: undefined } });
  expect((await logInAt(logins, 'alice')).owner).toBe('main|alice');
});

test.each(['header', 'body'] as const)('the secret is shown in the %s where the provider says so', async (secretIn) => {
  const { logins, provider } = await open({ provider: { secretIn } });
  const shown: Array<string | undefined> = [];
  provider.intercept(({ url, headers }) => {
    if (url === '/token') shown.push(headers.authorization?.split(' ')[0]);
    return false;
  });
  expect((await logInAt(logins, 'alice')).owner).toBe('main|alice');
  expect(shown).toEqual([secretIn === 'header' ? 'Basic' : undefined]);
});

test('ES256 is accepted where the settings say so', async () => {
  const { logins } = await open({ provider: { algorithm: 'ES256' } });
  expect((await logInAt(logins, 'alice')).owner).toBe('main|alice');
});

test('an algorithm that the settings do not name is refused, although the provider uses it', async () => {
  const { logins, sessions } = await open({ settings: { login: { algorithms: ['ES256'] } } });
  const refused = await rejectionOf(() => logInAt(logins, 'alice'));
  expect(refused).toMatchObject({ reason: 'login-failed' });
  expect(sessions.open.size).toBe(0);
});

test('claims that the ID token lacks are asked of the userinfo endpoint', async () => {
  const { logins, sessions, provider } = await open({ provider: { claimsIn: 'userinfo' } });
  const done = await logInAt(logins, 'root');
  expect(sessions.open.get(done.session)?.principal.roles).toEqual(['admin']);
  expect(provider.asked).toContain('/me');
});

test('the userinfo endpoint is not asked where the settings do not say so', async () => {
  const { logins, sessions, provider } = await open({
    provider: { claimsIn: 'userinfo' },
    settings: { login: { userinfo: false } },
  });
  const done = await logInAt(logins, 'root');
  expect(sessions.open.get(done.session)?.principal.roles).toEqual([]);
  expect(provider.asked).not.toContain('/me');
});

test('a session with a refresh token is to be asked about before its access token ends', async () => {
  const { logins, sessions } = await open({ provider: { refreshTokens: true, accessTokenSeconds: 600 } });
  const before = Date.now();
  const { session, proven } = sessions.open.get((await logInAt(logins, 'alice')).session) ?? {};
  expect(proven?.tokens.refreshToken).toMatch(/^.{20,}$/);
  expect(proven?.tokens.idToken).toMatch(/^eyJ/);
  expect((session?.refreshAtMillis ?? 0) - before).toBeGreaterThanOrEqual(570_000);
  expect((session?.refreshAtMillis ?? 0) - before).toBeLessThan(600_000);
});

test('a session goes on as long as the provider says so, with the roles that it says', async () => {
  let aheadMillis = 0;
  let roles = ['member'];
  const { logins, sessions, provider } = await open({
    provider: { refreshTokens: true, accessTokenSeconds: 600, claims: () => ({ roles }) },
    now: () => Date.now() + aheadMillis,
    settings: { clockToleranceSeconds: 600 },
  });
  const { session } = await logInAt(logins, 'alice');
  roles = ['admin'];
  expect((await sessions.principalOf(session))?.roles).toEqual(['member']);
  aheadMillis = 600_000;
  const many = await Promise.all(Array.from({ length: 20 }, () => sessions.principalOf(session)));
  expect(many.map((principal) => principal?.roles)).toEqual(Array.from({ length: 20 }, () => ['admin']));
  expect(provider.asked.filter((path) => path === '/token')).toHaveLength(2);
  await provider.revokeAll();
  aheadMillis = 1_200_000;
  expect(await sessions.principalOf(session)).toBeUndefined();
});

test('the session that the browser had ends when another one begins', async () => {
  const { logins, sessions } = await open();
  const first = await logInAt(logins, 'alice');
  const { came } = await comeBack(logins, 'bob');
  const second = await logins.finish({ ...came, earlier: first.session });
  expect([...sessions.open.keys()]).toEqual([second.session]);
});

test('a login whose session cannot be kept is refused as that', async () => {
  const { logins, sessions } = await open();
  const { came } = await comeBack(logins, 'alice');
  sessions.fail();
  expect(await rejectionOf(() => logins.finish(came))).toMatchObject({ reason: 'sessions-unavailable', status: 503 });
});

test('who is refused by the provider is told so, and the record says why', async () => {
  const { logins } = await open();
  const refused = await rejectionOf(() => logInAt(logins, DENIED));
  expect(refused).toMatchObject({ reason: 'login-denied', status: 403 });
  expect(refused.message).toContain('the user said no');
});

test('a tenant that is not let in is refused', async () => {
  const { logins } = await open({
    provider: { claims: () => ({ org: 'evil' }) },
    settings: { claims: { user: 'sub', roles: undefined, tenant: 'org' }, tenants: new Set(['good']) },
  });
  expect(await rejectionOf(() => logInAt(logins, 'alice'))).toMatchObject({ reason: 'tenant-refused', status: 403 });
});

test('a login without the claim that names users fails, and challenges for no token', async () => {
  const { logins } = await open({ settings: { claims: { user: 'employee', roles: undefined } } });
  const refused = await rejectionOf(() => logInAt(logins, 'alice'));
  expect(refused).toMatchObject({ reason: 'login-failed', status: 400, headers: [] });
  expect(refused.message).toContain('employee');
});

test('a provider that nobody has named is refused', async () => {
  const { logins } = await open();
  for (const provider of ['other', '', '__proto__', 'main|'])
    expect(await rejectionOf(() => logins.begin({ provider, returnTo: '/', origin: ORIGIN })), provider).toMatchObject({
      reason: 'provider-unknown',
      status: 404,
    });
});

test('logging out ends the session here and leads to the provider, which asks and sends the browser back', async () => {
  const { logins, sessions } = await open();
  const browser = newBrowser();
  const done = await logInAt(logins, 'alice', { browser });
  const out = await logins.logOut(done.session, ORIGIN);
  expect(out?.owner).toBe('main|alice');
  expect(sessions.open.size).toBe(0);
  const page = await browser.open(out?.location ?? '');
  expect(page.status).toBe(200);
  const xsrf = /name="xsrf" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
  const form = { xsrf, logout: 'yes' };
  const confirmed = await browser.open(new URL('/session/end/confirm', page.url).href, { method: 'POST', form });
  expect(confirmed.headers.get('location')).toBe(ORIGIN + LOGIN_PATHS.loggedOut);
  expect(await logins.logOut(done.session, ORIGIN)).toBeUndefined();
});

test('logging out goes on here while the provider is away', async () => {
  const { logins, provider, sessions } = await open({ discoveryTimes: { staleMillis: 1 } });
  const done = await logInAt(logins, 'alice');
  await provider.close();
  expect(await logins.logOut(done.session, ORIGIN)).toMatchObject({ owner: 'main|alice', location: undefined });
  expect(sessions.open.size).toBe(0);
});

test('a callback that could not be verified because the provider was away may be tried again', async () => {
  const { logins, provider } = await open();
  const { came } = await comeBack(logins, 'alice');
  provider.intercept((request, response) => {
    if (request.url !== '/token') return false;
    response.writeHead(503).end();
    return true;
  });
  expect(await rejectionOf(() => logins.finish(came))).toMatchObject({ reason: 'provider-unavailable', status: 503 });
  provider.intercept(undefined);
  expect((await logins.finish(came)).owner).toBe('main|alice');
});

test('the walk of the tests logs in without help', async () => {
  const { logins } = await open();
  const { location } = await logins.begin({ provider: 'main', returnTo: '/', origin: ORIGIN });
  const { answer } = await walk(location, { user: 'alice', until: ({ host }) => host === new URL(ORIGIN).host });
  expect(answer?.status).toBe(303);
});
