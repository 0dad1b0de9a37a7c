import { afterEach, describe, expect, test } from 'vitest';
import { LAST_USER_COOKIE, LEFT_COOKIE, loginCookie, SESSION_COOKIE } from '../../src/model/cookie.ts';
import { Rejection } from '../../src/model/rejection.ts';
import { loginEndpoints } from '../../src/server/login-endpoints.ts';
import { ask, LOGIN_OPTIONS, loginDoor, NAVIGATION, SESSION, STATE, scriptedLogins } from '../support/own-door.ts';

const closing: Array<() => Promise<unknown>> = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const open = async (...given: Parameters<typeof loginDoor>) => {
  const door = await loginDoor(...given);
  closing.push(door.close);
  return door;
};
const TWO = {
  providers: [
    { name: 'one', title: 'First & Co' },
    { name: 'two', title: 'Second' },
  ],
};
const cookie = (...pairs: readonly string[]) => ({ cookie: pairs.join('; ') });
const begun = cookie(`${loginCookie(STATE)}=sealed-note`);
const HOST_COOKIE = /^__Host-[a-z0-9-]+=[A-Za-z0-9_-]*; Path=\/; Secure; HttpOnly; SameSite=Lax; Max-Age=\d+$/i;

describe('GET /auth/login', () => {
  test('with one provider goes there at once, and leaves a sealed note with the browser for ten minutes', async () => {
    const { url, asked } = await open();
    const { status, headers, cookies } = await ask(`${url}/auth/login?return=/canvas/a%3Fb=c`, { headers: NAVIGATION });
    expect([status, headers.location]).toEqual([303, 'https://id.example/authorize?for=test']);
    expect(asked.begun).toEqual([{ provider: 'test', returnTo: '/canvas/a?b=c', origin: url }]);
    expect(cookies).toEqual([`${loginCookie(STATE)}=sealed-note; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=600`]);
    expect(headers).toMatchObject({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' });
  });

  test('with several shows them, each as a link that keeps the page to come back to', async () => {
    const { url, asked } = await open(TWO);
    const { status, text } = await ask(`${url}/auth/login?return=/a%3Fb=c%26d`, { headers: NAVIGATION });
    expect(status).toBe(200);
    expect(text).toContain('href="/auth/login?provider=one&amp;return=%2Fa%3Fb%3Dc%26d"');
    expect(text).toContain('<bdi>First &amp; Co</bdi>');
    expect(text).toContain('href="/auth/login?provider=two&amp;');
    expect(asked.begun).toEqual([]);
  });

  test('with one of several chosen goes there', async () => {
    const { url, asked } = await open(TWO);
    await ask(`${url}/auth/login?provider=two`, { headers: NAVIGATION });
    expect(asked.begun).toEqual([{ provider: 'two', returnTo: undefined, origin: url }]);
  });

  test('goes on for somebody who has a session already', async () => {
    const { url } = await open();
    const headers = { ...NAVIGATION, ...cookie(`${SESSION_COOKIE}=${SESSION}`) };
    expect((await ask(`${url}/auth/login`, { headers })).status).toBe(303);
  });

  test('does not let in again by itself who has just logged out in another window', async () => {
    const { url, asked } = await open();
    const left = { ...NAVIGATION, ...cookie(`${LEFT_COOKIE}=1`) };
    const byScript = await ask(`${url}/auth/login?ended&return=%2F`, { headers: left });
    expect([byScript.status, byScript.headers.location, asked.begun]).toEqual([303, '/auth/logged-out', []]);
    // Who wants to come back does.
    await ask(`${url}/auth/login?return=%2F`, { headers: left });
    await ask(`${url}/auth/login?ended&return=%2F`, { headers: NAVIGATION });
    expect(asked.begun).toHaveLength(2);
  });

  test('names the gateway as the operator does, or as the browser did', async () => {
    const named = await open({}, { publicUrl: 'https://jaaz.example' });
    await ask(`${named.url}/auth/login`, { headers: NAVIGATION });
    expect(named.asked.begun).toMatchObject([{ origin: 'https://jaaz.example' }]);
    const proxied = await open({}, { trustedProxies: ['127.0.0.1'] });
    const headers = { ...NAVIGATION, host: 'Jaaz.Example:443', 'x-forwarded-proto': 'https' };
    await ask(`${proxied.url}/auth/login`, { headers });
    expect(proxied.asked.begun).toMatchObject([{ origin: 'https://jaaz.example' }]);
  });

  test('a link of another site is let in', async () => {
    const { url } = await open();
    const headers = { ...NAVIGATION, 'sec-fetch-site': 'cross-site' };
    expect((await ask(`${url}/auth/login`, { headers })).status).toBe(303);
  });

  test.each([
    ['a picture', { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' }],
    ['a frame', { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' }],
    [
      'a fetch of a page’s own',
      { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' },
    ],
  ])('%s begins no login', async (_what, headers) => {
    const { url, asked, records } = await open();
    const { status, cookies } = await ask(`${url}/auth/login`, { headers });
    expect([status, records[0]?.reason, cookies]).toEqual([403, 'site-foreign', []]);
    expect(asked.begun).toEqual([]);
  });

  test('HEAD begins none either', async () => {
    const { url, asked } = await open();
    expect((await ask(`${url}/auth/login`, { method: 'HEAD' })).status).toBe(404);
    expect(asked.begun).toEqual([]);
  });

  test('logins that were left are forgotten, the oldest first, so that no more than five are under way', async () => {
    const { url } = await open();
    const names = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => `__Host-jaaz-login-${name}`);
    const headers = { ...NAVIGATION, ...cookie('x=y', ...names.map((name) => `${name}=n`)) };
    const { cookies } = await ask(`${url}/auth/login`, { headers });
    const forgotten = cookies.filter((one) => one.endsWith('Max-Age=0'));
    expect(forgotten.map((one) => one.split('=', 1)[0])).toEqual(names.slice(0, 2));
    expect(cookies).toHaveLength(3);
    const few = await ask(`${url}/auth/login`, { headers: { ...NAVIGATION, ...cookie(`${names[0]}=n`) } });
    expect(few.cookies).toHaveLength(1);
  });

  test('nor are there more than a proxy takes: long ones, which any site can have begun, are forgotten sooner', async () => {
    const { url } = await open();
    const names = ['a', 'b', 'c'].map((name) => `__Host-jaaz-login-${name}`);
    const shown = cookie(...names.map((name) => `${name}=${'n'.repeat(3080)}`));
    const { cookies } = await ask(`${url}/auth/login`, { headers: { ...NAVIGATION, ...shown } });
    const forgotten = cookies.filter((one) => one.endsWith('Max-Age=0'));
    expect(forgotten.map((one) => one.split('=', 1)[0])).toEqual(names.slice(0, 2));
  });

  test('a provider that does not answer is told as a page', async () => {
    const begin = () => Promise.reject(new Rejection('provider-unavailable', 'the secret detail'));
    const { url } = await open({ begin });
    const { status, text, cookies } = await ask(`${url}/auth/login`, { headers: NAVIGATION });
    expect([status, cookies]).toEqual([503, []]);
    expect(text).toContain('The login service cannot be reached at the moment.');
    expect(text).not.toContain('secret');
  });
});

describe('GET /auth/callback', () => {
  const back = `/auth/callback?code=c&state=${STATE}&iss=https://id.example`;
  const returning = { ...NAVIGATION, 'sec-fetch-site': 'cross-site' };

  test('begins a session, forgets the note, and goes to the page that was asked for', async () => {
    const { url, asked, records } = await open();
    await ask(`${url}/auth/login?return=/canvas/a`, { headers: NAVIGATION });
    const { status, headers, cookies } = await ask(url + back, { headers: { ...returning, ...begun } });
    expect([status, headers.location, headers['cache-control']]).toEqual([303, '/canvas/a', 'no-store']);
    expect(asked.came).toMatchObject([{ origin: url, note: 'sealed-note', earlier: undefined }]);
    expect(asked.came[0]?.query.get('iss')).toBe('https://id.example');
    for (const one of cookies) expect(one).toMatch(HOST_COOKIE);
    expect(cookies).toContainEqual(expect.stringMatching(`^${SESSION_COOKIE}=${SESSION};.*Max-Age=3600$`));
    expect(cookies).toContainEqual(expect.stringMatching(`^${loginCookie(STATE)}=;.*Max-Age=0$`));
    expect(records.at(-1)).toMatchObject({ route: 'auth.callback', owner: 'test|alice', outcome: 'allowed' });
    expect(JSON.stringify(records)).not.toMatch(new RegExp(`${SESSION}|${STATE}|sealed-note`));
  });

  test('tells which session the browser had, so that it ends', async () => {
    const { url, asked } = await open();
    const headers = { ...returning, ...cookie(`${loginCookie(STATE)}=sealed-note`, `${SESSION_COOKIE}=planted`) };
    await ask(url + back, { headers });
    expect(asked.came[0]?.earlier).toBe('planted');
  });

  test('ends what a logout a moment ago has left with the browser', async () => {
    const { url } = await open();
    const headers = { ...returning, ...cookie(`${loginCookie(STATE)}=sealed-note`, `${LEFT_COOKIE}=1`) };
    const { cookies } = await ask(url + back, { headers });
    expect(cookies).toContainEqual(expect.stringMatching(`^${LEFT_COOKIE}=;.*Max-Age=0$`));
  });

  test('a browser whose last user was another one, or nobody known, forgets what its pages kept', async () => {
    const { url } = await open();
    const first = await ask(url + back, { headers: { ...returning, ...begun } });
    expect(first.headers['clear-site-data']).toBe('"cache", "storage"');
    const last = first.cookies.find((one) => one.startsWith(LAST_USER_COOKIE))?.split(';')[0] ?? '';
    expect(last).toMatch(/=[A-Za-z0-9_-]{43}$/);
    expect(first.cookies.join()).toContain(`${last}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=31536000`);
    const again = await ask(url + back, { headers: { ...returning, cookie: `${begun.cookie}; ${last}` } });
    expect(again.headers['clear-site-data']).toBeUndefined();
    const bob = await open({
      finish: async () => ({ session: 's', maxAgeSeconds: 1, returnTo: '/', owner: 'test|bob' }),
    });
    const changed = await ask(bob.url + back, { headers: { ...returning, cookie: `${begun.cookie}; ${last}` } });
    expect(changed.headers['clear-site-data']).toBe('"cache", "storage"');
  });

  test('what tells the last user says nothing of who it is, and nothing behind another gateway', async () => {
    const user = async (key: Buffer) => {
      const { url } = await open({}, { key });
      const { cookies } = await ask(url + back, { headers: { ...returning, ...begun } });
      return cookies.find((one) => one.startsWith(LAST_USER_COOKIE));
    };
    expect(await user(Buffer.alloc(32, 1))).not.toBe(await user(Buffer.alloc(32, 2)));
    expect(() => loginEndpoints({ ...LOGIN_OPTIONS, ...scriptedLogins(), key: Buffer.alloc(31) })).toThrow(TypeError);
  });

  test.each([
    ['the browser began no login', NAVIGATION],
    ['the note is of another login', { ...NAVIGATION, ...cookie('__Host-jaaz-login-another=sealed-note') }],
    ['the note is there twice', { ...NAVIGATION, ...cookie(begun.cookie, begun.cookie) }],
  ])('begins nothing where %s', async (_what, headers) => {
    const { url, asked } = await open();
    const { status, cookies, text } = await ask(url + back, { headers });
    expect([status, cookies]).toEqual([400, []]);
    expect(text).toContain('Start again');
    expect(asked.came[0]?.note).toBeUndefined();
  });

  test.each(['state-0123456789;Domain=evil', 'a=b', 'é', '', 'short'])(
    'the state %j names no cookie, and none is set for it',
    async (state) => {
      const finish = async () => ({ session: 's', maxAgeSeconds: 1, returnTo: '/', owner: 'test|bob' });
      const { url } = await open({ finish });
      const target = `${url}/auth/callback?code=c&state=${encodeURIComponent(state)}`;
      const { cookies } = await ask(target, { headers: { ...NAVIGATION, ...cookie(`__Host-jaaz-login-${state}=x`) } });
      expect(cookies.map((one) => one.split('=', 1)[0])).toEqual([SESSION_COOKIE, LAST_USER_COOKIE]);
    },
  );

  test('is no picture and no frame', async () => {
    const { url, asked } = await open();
    const headers = { ...begun, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' };
    expect((await ask(url + back, { headers })).status).toBe(403);
    expect((await ask(url + back, { method: 'HEAD', headers: begun })).status).toBe(404);
    expect(asked.came).toEqual([]);
  });
});
