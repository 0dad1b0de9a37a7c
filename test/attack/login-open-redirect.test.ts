/** The page to come back to after a login, asked for by a link that somebody else has made. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Liar, openLiar } from '../support/oidc-liar.ts';
import { type LoginScene, logInAt, loginScene, ORIGIN } from '../support/oidc-logins.ts';

let liar: Liar;
let scene: LoginScene;

beforeAll(async () => {
  liar = await openLiar();
  scene = loginScene([liar.settings()]);
});

afterAll(async () => {
  scene.close();
  await liar.close();
});

const foreign = [
  'https://evil.example',
  'https://evil.example/',
  'HTTPS://evil.example/',
  '//evil.example',
  '//evil.example/%2f..',
  '///evil.example',
  '////evil.example',
  '/\\evil.example',
  '\\\\evil.example',
  '\\/evil.example',
  '/\t/evil.example',
  '/\n/evil.example',
  '/\r\n/evil.example',
  '\t//evil.example',
  ' //evil.example',
  '/ /evil.example',
  '/.//evil.example',
  '/..//evil.example',
  '/a/..//evil.example',
  '/./\\evil.example',
  '/%2e//evil.example',
  '/%2e%2e//evil.example',
  '/%2f/evil.example',
  '/%2fevil.example',
  '/%5cevil.example',
  '/%5C%5Cevil.example',
  'javascript:alert(1)',
  'JaVaScRiPt:alert(1)',
  'data:text/html,x',
  'evil.example',
  '@evil.example',
  ':80',
  '?next=//evil.example',
  '#//evil.example',
  '',
  '/a\u0000b',
  '/a\r\nLocation: https://evil.example',
  '/a\u0085b',
  '/%',
  '/a%2',
  '/a%zz',
  '/a%20b',
  '/auth/logout',
  '/auth',
  '/auth/',
  '/AUTH/logout',
  '/x/../auth/logout',
  '/%61uth/logout',
  '/auth%2flogout',
  '/auth/login?return=//evil.example',
  `/${'a'.repeat(2000)}`,
  // Six times as long once it is escaped: it would not fit into the cookie.
  `/${'ä'.repeat(700)}`,
];

test.each(foreign)('%j becomes /', async (returnTo) => {
  expect((await logInAt(scene.logins, 'x', { returnTo })).returnTo).toBe('/');
});

test.each([
  ['/', '/'],
  ['/canvas/c-1', '/canvas/c-1'],
  ['/canvas/c-1?a=b&c=d#e', '/canvas/c-1?a=b&c=d#e'],
  ['/?next=//evil.example', '/?next=//evil.example'],
  ['/#//evil.example', '/#//evil.example'],
  ['/authors', '/authors'],
  ['/a/../b', '/b'],
  ['/ä?ö', '/%C3%A4?%C3%B6'],
  ['/@evil.example', '/@evil.example'],
  ['/?a=%20b%2f', '/?a=%20b%2f'],
  ['/a//b', '/a//b'],
])('%j is a page of this host', async (returnTo, expected) => {
  const done = await logInAt(scene.logins, 'x', { returnTo });
  expect(done.returnTo).toBe(expected);
  expect(new URL(done.returnTo, ORIGIN).origin).toBe(ORIGIN);
});
