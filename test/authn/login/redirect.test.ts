import { describe, expect, test } from 'vitest';
import { canLogIn, loginNeeded } from '../../../src/authn/login/redirect.ts';
import { request, type Shown } from '../../support/token-issuer.ts';

const DOCUMENT = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
const asked = (headers: Shown['headers'] = {}, method = 'GET') =>
  request(undefined, { headers: { ...headers }, method });

describe('a browser can be sent to log in', () => {
  test.each([
    ['that opens a page', DOCUMENT],
    ['that says nothing of where the page goes', { 'sec-fetch-mode': 'navigate' }],
    ['that is too old to say', { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }],
  ])('%s', (_, headers) => {
    expect(canLogIn(asked(headers), { access: 'user' })).toBe(true);
    expect(canLogIn(asked(headers), { access: 'page' })).toBe(true);
  });

  test.each([
    ['for a script’s request', { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty', accept: 'text/html' }],
    ['for a picture', { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image', accept: 'image/*' }],
    ['for a frame', { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe', accept: 'text/html' }],
    ['for what says its place alone', { 'sec-fetch-dest': 'document', accept: 'text/html' }],
    ['for a program', { accept: '*/*' }],
    ['for a program that says nothing', {}],
  ])('and not %s', (_, headers) => {
    expect(canLogIn(asked(headers), { access: 'user' })).toBe(false);
    expect(canLogIn(asked(headers), { access: 'page' })).toBe(false);
  });

  test('by GET, and of a page by HEAD, and never by what acts', () => {
    for (const access of ['page', 'user'] as const) {
      for (const method of ['POST', 'PUT', 'DELETE']) expect(canLogIn(asked(DOCUMENT, method), { access })).toBe(false);
      expect(canLogIn(asked(DOCUMENT, 'HEAD'), { access })).toBe(access === 'page');
    }
  });
});

describe('the way to log in', () => {
  const NOTHING: ReadonlySet<string> = new Set();
  const locationOf = (shown: Shown, route = { query: NOTHING, tokenInQuery: false }): string | undefined => {
    const { reason, status, headers, message } = loginNeeded(request(undefined, shown), route);
    expect([reason, status, headers.length, headers[0]]).toEqual(['login-needed', 303, 2, 'location']);
    expect(message).not.toContain('secret');
    return headers[1];
  };
  const returnOf = (location = ''): string | null => new URL(location, 'https://g.example').searchParams.get('return');

  test('leads back to the page, its query and all', () => {
    expect(locationOf({ path: '/' })).toBe('/auth/login?return=%2F');
    const location = locationOf({ path: '/canvas/1', query: { sessionId: 'a&b=c#?', q: 'ä %' } });
    expect(returnOf(location)).toBe('/canvas/1?sessionId=a%26b%3Dc%23%3F&q=%C3%A4%20%25');
  });

  test.each([
    ['is no parameter', { query: NOTHING, tokenInQuery: false }],
    ['is a credential', { query: NOTHING, tokenInQuery: true }],
    ['is a credential that is forwarded by mistake', { query: new Set(['token']), tokenInQuery: true }],
  ])('holds no token where that %s', (_, route) => {
    expect(returnOf(locationOf({ path: '/p', query: { a: '1', token: 'secret' } }, route))).toBe('/p?a=1');
    expect(returnOf(locationOf({ path: '/p', query: { token: 'secret' } }, route))).toBe('/p');
  });

  test('holds what the upstream calls a token, and is the page’s own', () => {
    const route = { query: new Set(['token']), tokenInQuery: false };
    expect(returnOf(locationOf({ path: '/invited', query: { token: 't-1' } }, route))).toBe('/invited?token=t-1');
  });

  test('grows no longer than an address may be', () => {
    const long = 'x'.repeat(2_001);
    expect(locationOf({ path: '/p', query: { q: long } })).toBe('/auth/login?return=%2Fp');
    expect(locationOf({ path: `/${long}` })).toBe('/auth/login');
  });
});
