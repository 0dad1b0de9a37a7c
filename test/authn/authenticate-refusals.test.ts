import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { AuthenticateOptions, Authenticator } from '../../src/authn/authenticate.ts';
import type { Principal } from '../../src/model/principal.ts';
import { Rejection } from '../../src/model/rejection.ts';
import { type HeldSessions, heldSessions, STALE } from '../support/cookies.ts';
import {
  authenticator,
  issuerSettings,
  type KeyServer,
  keyServer,
  match,
  rejectionOf,
  request,
  type Shown,
  type Signer,
  signer,
} from '../support/token-issuer.ts';

let key: Signer;
let server: KeyServer;
let sessions: HeldSessions;
let authn: Authenticator;
const opened: Authenticator[] = [];
const withSessions = (options: Partial<AuthenticateOptions> = {}): Authenticator => {
  const one = authenticator([issuerSettings(server.url)], { sessions, ...options });
  opened.push(one);
  return one;
};
beforeAll(async () => {
  key = await signer('k1');
  server = await keyServer(key.jwk);
});
beforeEach(() => {
  sessions = heldSessions();
  authn = withSessions();
});
afterAll(async () => {
  for (const one of opened) one.close();
  await server.close();
});

const bearer = (user: string): string => `Bearer ${key.sign({ sub: user })}`;
const shows = (headers: Shown['headers'], more: Shown = {}) =>
  request(undefined, { ...more, headers: { ...headers, ...more.headers } });
const NAVIGATION = { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };

describe('a token and a cookie', () => {
  test('of one owner pass together, whatever the page, and the token’s word counts', async () => {
    const headers = { ...sessions.cookieOf('ann', { roles: ['admin'] }), origin: 'https://evil.example' };
    const both = request(bearer('ann'), { method: 'POST', headers });
    for (const _ of ['verified', 'remembered']) {
      const principal = await authn.authenticate(both, match());
      expect(principal).toMatchObject({ owner: 'main|ann', roles: [], sessionId: undefined });
    }
    expect(authn.authenticate(both, match())).not.toBeInstanceOf(Promise);
  });

  test.each(['at once', 'later'] as const)('of two owners are refused, the session being known %s', async (how) => {
    const both = request(bearer('ann'), { headers: sessions.cookieOf('bob') });
    sessions.answer(how);
    for (const _ of ['verified', 'remembered']) {
      expect(await rejectionOf(() => authn.authenticate(both, match()))).toMatchObject({
        reason: 'credentials-differ',
        status: 400,
        headers: [],
        principal: undefined,
      });
    }
  });

  test('of two issuers’ users of one name are of two owners', async () => {
    const both = request(bearer('ann'), { headers: sessions.cookieOf('ann', { issuer: 'second' }) });
    expect(await rejectionOf(() => authn.authenticate(both, match()))).toMatchObject({ reason: 'credentials-differ' });
  });

  test.each([
    ['opens nothing', {}, 'ann'],
    [
      'is revoked',
      { revocations: { revokes: ({ sessionId }: Principal) => (sessionId ? ('token-revoked' as const) : undefined) } },
      'bob',
    ],
  ])('pass by the token where the cookie %s', async (_, options, user) => {
    const one = withSessions(options);
    const headers = user === 'ann' ? STALE : sessions.cookieOf(user);
    expect(await one.authenticate(request(bearer('ann'), { headers }), match())).toMatchObject({ user: 'ann' });
  });

  test('are refused for the token where that is bad, however good the cookie, which is not looked at', async () => {
    const headers = sessions.cookieOf('ann');
    const bad = request(`Bearer ${key.sign({ aud: 'other' })}`, { headers });
    expect(await rejectionOf(() => authn.authenticate(bad, match()))).toMatchObject({ reason: 'token-audience' });
    expect(await rejectionOf(() => authn.authenticate(request('Basic eDp5', { headers }), match()))).toMatchObject({
      reason: 'token-malformed',
    });
    expect(sessions.asked()).toBe(0);
  });

  test('cannot be compared where sessions cannot be read, and do not pass', async () => {
    const both = request(bearer('ann'), { headers: sessions.cookieOf('bob') });
    sessions.answer(new Rejection('sessions-unavailable', 'the store is gone'));
    expect(await rejectionOf(() => authn.authenticate(both, match()))).toMatchObject({
      reason: 'sessions-unavailable',
    });
  });

  test('are judged alike for a socket, whose token comes from elsewhere', async () => {
    const handshake = shows(sessions.cookieOf('bob'), {
      headers: { upgrade: 'websocket', origin: 'https://evil.example' },
    });
    expect(await authn.identify(handshake, key.sign({ sub: 'bob' }))).toMatchObject({
      user: 'bob',
      sessionId: undefined,
    });
    expect(await rejectionOf(() => authn.identify(handshake, key.sign()))).toMatchObject({
      reason: 'credentials-differ',
    });
    expect(await rejectionOf(() => authn.identify(handshake, undefined))).toMatchObject({ reason: 'site-foreign' });
  });
});

describe('who shows nothing', () => {
  test('is nobody, and refused where somebody is needed', async () => {
    expect(authn.identify(request(), undefined)).toBeUndefined();
    expect(await rejectionOf(() => authn.identify(request(), undefined, { required: true }))).toMatchObject({
      reason: 'token-missing',
      status: 401,
    });
  });

  test('is let in to a page where nobody can log in, and only there', async () => {
    const page = match({ access: 'page' });
    expect(withSessions({ sessions: undefined }).authenticate(request('Nonsense'), page)).toBeUndefined();
    expect(await rejectionOf(() => authn.authenticate(request(), page))).toMatchObject({
      reason: 'token-missing',
      status: 401,
    });
    expect(authn.authenticate(shows(sessions.cookieOf('ann')), page)).toMatchObject({ user: 'ann' });
    expect(await authn.authenticate(request(bearer('ann')), page)).toMatchObject({ user: 'ann' });
    expect(authn.authenticate(request('Nonsense'), match({ access: 'public' }))).toBeUndefined();
  });

  test.each([
    ['page', 'GET', {}],
    ['page', 'HEAD', {}],
    ['user', 'GET', {}],
    ['page', 'GET', STALE],
    ['user', 'GET', STALE],
  ] as const)(
    'is sent to log in where a browser opens what is for a %s with %s and %j',
    async (access, method, cookie) => {
      for (const how of ['at once', 'later'] as const) {
        sessions.answer(how);
        const opens = shows(cookie, { method, path: '/canvas/1', query: { a: 'b c' }, headers: NAVIGATION });
        expect(await rejectionOf(() => authn.authenticate(opens, match({ access })))).toMatchObject({
          reason: 'login-needed',
          status: 303,
          headers: ['location', '/auth/login?return=%2Fcanvas%2F1%3Fa%3Db%2520c'],
        });
      }
    },
  );

  test('is never sent to log in by a program, with a token, or where nobody can log in', async () => {
    const reasonOf = async (shown: Shown, authorization?: string, one = authn) =>
      (await rejectionOf(() => one.authenticate(request(authorization, shown), match()))).reason;
    const headers = NAVIGATION;
    expect(await reasonOf({ headers: { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' } })).toBe('token-missing');
    expect(await reasonOf({ headers, method: 'POST' })).toBe('token-missing');
    expect(await reasonOf({ headers: { ...headers, ...STALE, 'sec-fetch-dest': 'iframe' } })).toBe('session-ended');
    expect(await reasonOf({ headers: { ...headers, ...STALE } }, 'Bearer a.b.c')).toBe('token-malformed');
    expect(await reasonOf({ headers }, undefined, withSessions({ sessions: undefined }))).toBe('token-missing');
  });
});

describe('a challenge', () => {
  const metadata = { urlFor: () => 'https://gateway.example/metadata' };
  const NAMED = ', resource_metadata="https://gateway.example/metadata"';

  test('says where the metadata are, whatever is refused', async () => {
    const one = withSessions({ metadata });
    const challenges = [
      await rejectionOf(() => one.authenticate(request(), match())),
      await rejectionOf(() => one.authenticate(request('Basic eDp5'), match())),
      await rejectionOf(() => one.authenticate(request(bearer('ann')), match({ roles: ['admin'] }))),
      await rejectionOf(() => one.authenticate(shows(STALE), match())),
      await rejectionOf(() => one.identify(request(), 'a.b.c')),
      await rejectionOf(() => one.identify(request(), undefined, { required: true })),
    ].map(({ headers }) => headers[1]?.slice('Bearer realm="jaaz-gateway"'.length));
    const invalid = `, error="invalid_token"${NAMED}`;
    expect(challenges).toEqual([NAMED, invalid, `, error="insufficient_scope"${NAMED}`, NAMED, invalid, NAMED]);
  });

  test('is in no redirect, and in no refusal that asks for no token', async () => {
    const one = withSessions({ metadata });
    const toLogin = await rejectionOf(() => one.authenticate(shows(NAVIGATION), match()));
    expect(toLogin.headers).toEqual(['location', '/auth/login?return=%2Fapi%2Fcanvas%2Flist']);
    const both = request(bearer('ann'), { headers: sessions.cookieOf('bob') });
    expect((await rejectionOf(() => one.authenticate(both, match()))).headers).toEqual([]);
  });
});
