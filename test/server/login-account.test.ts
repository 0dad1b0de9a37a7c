/** The endpoints of those who are logged in, and of how that ends. */
import { afterEach, describe, expect, test } from 'vitest';
import { LEFT_COOKIE, SESSION_COOKIE } from '../../src/model/cookie.ts';
import { Rejection } from '../../src/model/rejection.ts';
import { ALICE, ask, FORM, loginDoor, NAVIGATION, SESSION } from '../support/own-door.ts';

const closing: Array<() => Promise<unknown>> = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const open = async (...given: Parameters<typeof loginDoor>) => {
  const door = await loginDoor(...given);
  closing.push(door.close);
  return door;
};
const cookie = (...pairs: readonly string[]) => ({ cookie: pairs.join('; ') });

describe('GET /auth/logout', () => {
  test('asks with a form, and ends nothing', async () => {
    const { url, asked } = await open();
    const headers = { ...NAVIGATION, ...cookie(`${SESSION_COOKIE}=${SESSION}`) };
    const { status, text, cookies } = await ask(`${url}/auth/logout`, { headers });
    expect([status, cookies, asked.out]).toEqual([200, [], []]);
    expect(text).toContain('<form method="post" action="/auth/logout"><button type="submit">Log out</button></form>');
  });

  test.each(['/auth/logout', '/auth/me'])(
    'its form may lead to the provider from %s too, and from no page without one',
    async (path) => {
      const { url } = await open({}, { formTargets: ['https:', 'http://127.0.0.1:9000'] });
      const policyOf = async (target: string) => {
        const headers = { ...NAVIGATION, ...cookie(`${SESSION_COOKIE}=${SESSION}`) };
        const { text, headers: told } = await ask(url + target, { headers });
        return { form: text.includes('<form'), policy: String(told['content-security-policy']) };
      };
      const asking = await policyOf(path);
      expect(asking.form).toBe(true);
      expect(asking.policy).toContain("form-action 'self' https: http://127.0.0.1:9000;");
      const over = await policyOf('/auth/logged-out');
      expect(over.form).toBe(false);
      expect(over.policy).toContain("form-action 'self';");
    },
  );
});

describe('POST /auth/logout', () => {
  const own = { 'sec-fetch-site': 'same-origin', ...FORM, ...cookie(`${SESSION_COOKIE}=${SESSION}`) };

  test('ends the session, and the browser forgets it and what pages kept', async () => {
    const { url, asked, records } = await open();
    const { status, headers, cookies } = await ask(`${url}/auth/logout`, { method: 'POST', headers: own, body: '' });
    expect([status, headers.location]).toEqual([303, '/auth/logged-out']);
    expect(asked.out).toEqual([[SESSION, url]]);
    expect(cookies).toEqual([
      `${SESSION_COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0`,
      `${LEFT_COOKIE}=1; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=120`,
    ]);
    // Not "cookies", which would reach every host of the same site.
    expect(headers['clear-site-data']).toBe('"cache", "storage"');
    expect(records.at(-1)).toMatchObject({ route: 'auth.logout', owner: 'test|alice' });
  });

  test('goes on to the provider where that has a place for it', async () => {
    const location = 'https://id.example/end?id_token_hint=x';
    const { url } = await open({ logOut: async () => ({ owner: 'test|alice', location }) });
    expect((await ask(`${url}/auth/logout`, { method: 'POST', headers: own })).headers.location).toBe(location);
  });

  test('without a session is logged out as well', async () => {
    const { url, asked } = await open();
    const { status, headers } = await ask(`${url}/auth/logout`, {
      method: 'POST',
      headers: { 'sec-fetch-site': 'same-origin' },
    });
    expect([status, headers.location, asked.out]).toEqual([303, '/auth/logged-out', []]);
  });

  test('does not say that it is done when it is not', async () => {
    const logOut = () => Promise.reject(new Rejection('sessions-unavailable', 'x'));
    const { url } = await open({ logOut });
    const { status, cookies } = await ask(`${url}/auth/logout`, {
      method: 'POST',
      headers: { ...own, ...NAVIGATION, 'sec-fetch-site': 'same-origin' },
    });
    expect([status, cookies]).toEqual([503, []]);
  });
});

describe('GET /auth/logged-out', () => {
  test('says so, and offers to log in again', async () => {
    const { url } = await open();
    const { status, text } = await ask(`${url}/auth/logged-out?state=x`, { headers: NAVIGATION });
    expect(status).toBe(200);
    expect(text).toContain('<h1>You are logged out</h1>');
    expect(text).toContain('href="/auth/login"');
  });
});

describe('GET /auth/me', () => {
  const known = cookie(`${SESSION_COOKIE}=${SESSION}`);

  test('tells a program who is calling', async () => {
    const { url, records } = await open();
    const { status, headers, text } = await ask(`${url}/auth/me`, { headers: known });
    expect([status, headers['content-type'], headers['cache-control']]).toEqual([200, 'application/json', 'no-store']);
    expect(JSON.parse(text)).toEqual({
      owner: 'test|alice',
      user: 'alice',
      issuer: 'test',
      roles: ['artist'],
      session: 'a-session-id',
      expiresAt: '2030-01-01T00:00:00.000Z',
    });
    expect(text).not.toContain(SESSION);
    expect(records.at(-1)?.owner).toBe('test|alice');
  });

  test('takes a token that is good for longer than there are dates', async () => {
    const { url } = await open({}, { identify: () => ({ ...ALICE, expiresAtMillis: 1e300 }) });
    expect(JSON.parse((await ask(`${url}/auth/me`)).text).expiresAt).toBe('+275760-09-13T00:00:00.000Z');
  });

  test('tells a program that nobody is, and never sends it to log in', async () => {
    const { url } = await open();
    const { status, text, headers } = await ask(`${url}/auth/me`, { headers: { 'sec-fetch-mode': 'cors' } });
    expect([status, JSON.parse(text).code, headers['www-authenticate']]).toEqual([401, 'token-missing', 'Bearer']);
    expect(headers.location).toBeUndefined();
  });

  test('shows a person who one is, with a way to log out', async () => {
    const { url } = await open();
    const { status, text } = await ask(`${url}/auth/me`, { headers: { ...NAVIGATION, ...known } });
    expect(status).toBe(200);
    for (const shown of ['alice', '<bdi>Test</bdi>', 'artist', 'a-session-id', 'action="/auth/logout"']) {
      expect(text).toContain(shown);
    }
  });

  test('sends a person whom it does not know to log in, also where a session has ended', async () => {
    const { url } = await open();
    const nobody = await ask(`${url}/auth/me`, { headers: NAVIGATION });
    expect([nobody.status, nobody.headers.location]).toEqual([303, '/auth/login?return=%2Fauth%2Fme']);
    const identify = () => {
      throw new Rejection('session-ended', 'x');
    };
    const ended = await open({}, { identify });
    expect((await ask(`${ended.url}/auth/me`, { headers: NAVIGATION })).status).toBe(303);
    expect((await ask(`${ended.url}/auth/me`)).status).toBe(401);
  });

  test('what is no question of who one is, is not hidden by a login', async () => {
    const identify = () => {
      throw new Rejection('sessions-unavailable', 'x');
    };
    const { url } = await open({}, { identify });
    expect((await ask(`${url}/auth/me`, { headers: NAVIGATION })).status).toBe(503);
  });
});

describe('POST /auth/backchannel-logout', () => {
  test('hands the token to the provider’s issuer, without a cookie and without a word about a page', async () => {
    const { url, asked } = await open();
    const { status, headers, text } = await ask(`${url}/auth/backchannel-logout/test`, {
      method: 'POST',
      headers: FORM,
      body: 'logout_token=a.b.c',
    });
    expect([status, headers['cache-control'], text]).toEqual([200, 'no-store', '']);
    expect(asked.behind).toEqual([['test', 'a.b.c']]);
  });

  test.each([
    ['no token', 'other=1', 400, 'logout-token-invalid'],
    ['two of them', 'logout_token=a&logout_token=b', 400, 'body-duplicate-key'],
  ])('%s is refused', async (_what, body, status, code) => {
    const { url, asked } = await open();
    const got = await ask(`${url}/auth/backchannel-logout/test`, { method: 'POST', headers: FORM, body });
    expect([got.status, JSON.parse(got.text).code, asked.behind]).toEqual([status, code, []]);
    expect(got.headers['cache-control']).toBe('no-store');
  });
});
