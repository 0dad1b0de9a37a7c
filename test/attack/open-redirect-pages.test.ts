/** CWE-601: a link to the login that leads to a page of somebody else's, which asks for the password once more. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loginCookie } from '../../src/model/cookie.ts';
import { ask, loginDoor, NAVIGATION, STATE } from '../support/own-door.ts';

let door: Awaited<ReturnType<typeof loginDoor>>;
beforeAll(async () => {
  door = await loginDoor();
});
afterAll(() => door.close());

/** Each of them leads a browser away that is sent there as it is. */
const HOSTILE = [
  'https://evil.example/',
  '//evil.example/',
  '///evil.example/',
  '/\\evil.example/',
  '\\\\evil.example/',
  'https:evil.example',
  ' //evil.example/',
  '/.//evil.example/..//evil.example',
  '/x/..//evil.example/',
  '//evil.example@127.0.0.1:1/',
  'javascript:alert(1)',
  'data:text/html,x',
];

const arrivesAt = async (target: string): Promise<URL> => {
  await ask(`${door.url}/auth/login?return=${encodeURIComponent(target)}`, { headers: NAVIGATION });
  const { status, headers } = await ask(`${door.url}/auth/callback?code=c&state=${STATE}`, {
    headers: { ...NAVIGATION, cookie: `${loginCookie(STATE)}=sealed-note` },
  });
  expect(status).toBe(303);
  return new URL(String(headers.location), `${door.url}/auth/callback`);
};

describe('after logging in', () => {
  test('one comes back to the page that was asked for', async () => {
    expect((await arrivesAt('/canvas/a?sessionId=b')).href).toBe(`${door.url}/canvas/a?sessionId=b`);
  });

  test.each(HOSTILE)('nobody is sent to %s', async (target) => {
    expect((await arrivesAt(target)).origin).toBe(new URL(door.url).origin);
  });

  test('nor to what would log out, or begin again', async () => {
    for (const target of ['/auth/logout', '/auth/login?return=//evil.example', '/auth/callback?code=x']) {
      expect((await arrivesAt(target)).pathname, target).toBe('/');
    }
  });
});

test('a line break in the address begins no header', async () => {
  const { status, headers } = await ask(`${door.url}/auth/login?return=/%0d%0aset-cookie:a=b`, { headers: NAVIGATION });
  expect([status, headers['set-cookie']]).toEqual([400, undefined]);
});

test('the links of the choice lead back to the login, whatever is asked', async () => {
  const providers = [
    { name: 'one', title: 'One' },
    { name: 'two', title: 'Two' },
  ];
  const choice = await loginDoor({ providers });
  for (const target of HOSTILE) {
    const { text } = await ask(`${choice.url}/auth/login?return=${encodeURIComponent(target)}`, {
      headers: NAVIGATION,
    });
    for (const [, link = ''] of text.matchAll(/href="([^"]*)"/g)) expect(link).toMatch(/^\/auth\/login\?provider=/);
  }
  await choice.close();
});

test('logging out leads to the gateway’s own page, whatever the address asks for', async () => {
  const query = 'return=https://evil.example&post_logout_redirect_uri=https://evil.example';
  const headers = { 'sec-fetch-site': 'same-origin' };
  const { headers: told } = await ask(`${door.url}/auth/logout?${query}`, { method: 'POST', headers });
  expect(told.location).toBe('/auth/logged-out');
});
