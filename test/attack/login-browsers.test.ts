/**
 * Logging in at the whole gateway, with two browsers, a real provider, and what an attacker can do with links: have
 * somebody else's browser open them.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SESSION_COOKIE } from '../../src/model/cookie.ts';
import { LOGIN_PATHS } from '../../src/model/login.ts';
import { type Browser, logIn, newBrowser, walk } from '../support/oidc-client.ts';
import { openTestProvider, type TestProvider } from '../support/oidc-provider.ts';
import { startWorld, type World } from '../support/world.ts';

let provider: TestProvider;
let world: World;
let url = '';

beforeAll(async () => {
  provider = await openTestProvider({ refreshTokens: true });
  world = await startWorld({ config: { issuers: [provider.settings()] } });
  url = world.gateway.url;
  await provider.register(url);
});

afterAll(async () => {
  await world.close();
  await provider.close();
});

const owner = async (browser: Browser): Promise<unknown> => {
  const { status, text } = await browser.open(url + LOGIN_PATHS.me, {
    headers: {
      accept: 'application/json',
      'sec-fetch-mode': 'cors',
      'sec-fetch-site': 'same-origin',
      'sec-fetch-dest': 'empty',
    },
  });
  return status === 200 ? (JSON.parse(text) as { owner: string }).owner : status;
};

const sessionOf = (browser: Browser): string | undefined =>
  browser
    .cookies(url)
    .split('; ')
    .find((cookie) => cookie.startsWith(`${SESSION_COOKIE}=`));

const isCallback = (place: URL): boolean => place.pathname === LOGIN_PATHS.callback;

test('a login ends on the page that was asked for, and the API knows who it is', async () => {
  const browser = newBrowser();
  const { answer, cookie } = await logIn(url, 'alice', { browser, path: '/auth/login?return=/canvas/c-1' });
  expect(new URL(answer.url).pathname).toBe('/canvas/c-1');
  expect(cookie).toContain(SESSION_COOKIE);
  expect(await owner(browser)).toBe('main|alice');
});

test("the attacker's callback does not log the victim's browser in", async () => {
  const [mallory, victim] = [newBrowser(), newBrowser()];
  const { url: callback } = await walk(`${url}/auth/login`, { user: 'mallory', browser: mallory, until: isCallback });
  const opened = await victim.open(callback.href);
  expect(opened.status).toBe(400);
  expect(sessionOf(victim)).toBeUndefined();
  expect(await owner(victim)).toBe(401);
  // Nor where the victim is on the way to log in, too.
  await victim.open(`${url}/auth/login`);
  expect((await victim.open(callback.href)).status).toBe(400);
  expect(await owner(victim)).toBe(401);
});

test('a callback that is opened again, or after its browser forgot the login, opens nothing', async () => {
  const browser = newBrowser();
  const { url: callback } = await walk(`${url}/auth/login`, { user: 'alice', browser, until: isCallback });
  const before = browser.cookies(url);
  expect((await browser.open(callback.href)).status).toBe(303);
  const thief = newBrowser();
  for (const cookie of before.split('; ')) {
    const [name = '', value] = cookie.split('=');
    thief.setCookie(url, name, value);
  }
  expect((await thief.open(callback.href)).status).toBe(400);
  expect((await browser.open(callback.href)).status).toBe(400);
  expect(await owner(thief)).toBe(401);
  expect(await owner(browser)).toBe('main|alice');
});

test('a session that was planted in a browser is not what its user logs in to', async () => {
  const [mallory, victim] = [newBrowser(), newBrowser()];
  await logIn(url, 'mallory', { browser: mallory });
  const planted = sessionOf(mallory);
  victim.setCookie(url, SESSION_COOKIE, planted?.slice(SESSION_COOKIE.length + 1));
  expect(await owner(victim)).toBe('main|mallory');
  await logIn(url, 'alice', { browser: victim });
  expect(await owner(victim)).toBe('main|alice');
  expect(sessionOf(victim)).not.toBe(planted);
  expect(await owner(mallory)).toBe(401);
});

test.each(['https://evil.example/', '//evil.example/', '/%5cevil.example', '/.//evil.example'])(
  'a link that asks to come back to %s comes back to the first page',
  async (target) => {
    const { url: end } = await walk(`${url}/auth/login?return=${encodeURIComponent(target)}`, {
      user: 'alice',
      until: (place) => !isCallback(place) && place.origin === url && !place.pathname.startsWith('/auth/login'),
    });
    expect(end.href).toBe(`${url}/`);
  },
);

test('the provider’s own logout ends the session here', async () => {
  const [alice, bob] = [newBrowser(), newBrowser()];
  await logIn(url, 'alice', { browser: alice });
  await logIn(url, 'bob', { browser: bob });
  const page = await alice.open(new URL('/session/end', provider.issuer).href);
  const form = { xsrf: /name="xsrf" value="([^"]+)"/.exec(page.text)?.[1] ?? '', logout: 'yes' };
  await alice.open(new URL('/session/end/confirm', provider.issuer).href, { method: 'POST', form });
  expect([await owner(alice), await owner(bob)]).toEqual([401, 'main|bob']);
});
