/** CSRF against logging out: a page of another site ends the session of whoever looks at it. */
import { afterEach, expect, test } from 'vitest';
import { SESSION_COOKIE } from '../../src/model/cookie.ts';
import { ask, FORM, loginDoor, SESSION } from '../support/own-door.ts';

const doors: Array<Awaited<ReturnType<typeof loginDoor>>> = [];
afterEach(() => Promise.all(doors.splice(0).map(({ close }) => close())));

const post = async (headers: Readonly<Record<string, string>>, publicUrl?: string) => {
  const door = await loginDoor({}, { publicUrl });
  doors.push(door);
  const cookie = `${SESSION_COOKIE}=${SESSION}`;
  const got = await ask(`${door.url}/auth/logout`, { method: 'POST', headers: { ...FORM, cookie, ...headers } });
  return { ...got, ended: door.asked.out.length, reason: door.records[0]?.reason, url: door.url };
};

test('a form of the gateway’s own page ends it', async () => {
  expect(await post({ 'sec-fetch-site': 'same-origin' })).toMatchObject({ status: 303, ended: 1 });
  expect(await post({ origin: 'https://jaaz.example' }, 'https://jaaz.example')).toMatchObject({
    status: 303,
    ended: 1,
  });
});

test.each([
  [
    'a form of another site',
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
  ],
  ['a form of a sibling host', { 'sec-fetch-site': 'same-site', origin: 'https://other.example' }],
  ['a sandboxed frame', { origin: 'null' }],
  ['an older browser on another site', { origin: 'https://evil.example' }],
  ['what does not say where it comes from', {}],
])('%s does not, and nothing is forgotten', async (_what, headers) => {
  const got = await post(headers);
  expect(got).toMatchObject({ status: 403, ended: 0, reason: 'site-foreign', cookies: [] });
  expect(got.headers['clear-site-data']).toBeUndefined();
});

test('neither does a picture, whose request is a GET', async () => {
  const door = await loginDoor();
  doors.push(door);
  const headers = { cookie: `${SESSION_COOKIE}=${SESSION}`, 'sec-fetch-dest': 'image', 'sec-fetch-mode': 'no-cors' };
  const { cookies } = await ask(`${door.url}/auth/logout`, { headers });
  expect([cookies, door.asked.out]).toEqual([[], []]);
});
