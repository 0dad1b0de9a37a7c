import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { AuthenticateOptions, Authenticator } from '../../src/authn/authenticate.ts';
import type { Principal } from '../../src/model/principal.ts';
import { Rejection } from '../../src/model/rejection.ts';
import { type HeldSessions, heldSessions, STALE } from '../support/cookies.ts';
import {
  authenticator,
  clock,
  issuerSettings,
  type KeyServer,
  keyServer,
  match,
  NOON,
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

const shows = (headers: Shown['headers'], more: Shown = {}) =>
  request(undefined, { ...more, headers: { ...headers, ...more.headers } });
const OWN_PAGE = { 'sec-fetch-site': 'same-origin' };
const NAVIGATION = { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };

describe('a session cookie', () => {
  test('names its user, without a promise where the session is known', () => {
    expect(authn.authenticate(shows(sessions.cookieOf('ann')), match())).toMatchObject({
      owner: 'main|ann',
      sessionId: 's-ann',
      tokenId: undefined,
    });
  });

  test('names its user where the session has to be looked up', async () => {
    const cookie = sessions.cookieOf('ann');
    sessions.answer('later');
    const principal = authn.authenticate(shows(cookie), match());
    expect(principal).toBeInstanceOf(Promise);
    expect(await principal).toMatchObject({ owner: 'main|ann' });
  });

  test('that opens nothing is an ended session, and of no other cookie is it one', async () => {
    for (const how of ['at once', 'later'] as const) {
      sessions.answer(how);
      expect(await rejectionOf(() => authn.authenticate(shows(STALE), match()))).toMatchObject({
        reason: 'session-ended',
        status: 401,
        headers: ['WWW-Authenticate', 'Bearer realm="jaaz-gateway"'],
      });
    }
    const other = shows({ cookie: 'jaaz-session=x; __Host-jaaz-session-2=y' });
    expect(await rejectionOf(() => authn.authenticate(other, match()))).toMatchObject({ reason: 'token-missing' });
  });

  test('is nothing that anybody looks at where nobody can log in', async () => {
    const without = withSessions({ sessions: undefined });
    const cookie = sessions.cookieOf('ann');
    expect(await rejectionOf(() => without.authenticate(shows(cookie), match()))).toMatchObject({
      reason: 'token-missing',
    });
    expect(sessions.asked()).toBe(0);
  });

  test('lets in to what asks for a role that its user has, and to nothing else', async () => {
    const admins = match({ roles: ['admin'] });
    expect(authn.authenticate(shows(sessions.cookieOf('ann', { roles: ['admin'] })), admins)).toMatchObject({
      user: 'ann',
    });
    expect(await rejectionOf(() => authn.authenticate(shows(sessions.cookieOf('bob')), admins))).toMatchObject({
      reason: 'role-missing',
      status: 403,
      principal: { owner: 'main|bob' },
    });
  });

  test('of a session that is revoked opens nothing', async () => {
    const revokes = ({ sessionId }: Principal) => (sessionId === 's-ann' ? 'token-revoked' : undefined);
    const one = withSessions({ revocations: { revokes } });
    expect(await rejectionOf(() => one.authenticate(shows(sessions.cookieOf('ann')), match()))).toMatchObject({
      reason: 'session-ended',
      status: 401,
      principal: undefined,
    });
    expect(one.authenticate(shows(sessions.cookieOf('bob')), match())).toMatchObject({ user: 'bob' });
  });

  test('is refused, and no session looked for, where a page of another site sends it', async () => {
    const foreign = shows(sessions.cookieOf('ann'), { method: 'POST', headers: { origin: 'https://evil.example' } });
    expect(await rejectionOf(() => authn.authenticate(foreign, match()))).toMatchObject({
      reason: 'site-foreign',
      status: 403,
    });
    expect(sessions.asked()).toBe(0);
  });

  test('acts from a page that is listed, and from no other', async () => {
    const one = withSessions({ site: { url: undefined, origins: ['https://app.example'] } });
    const from = (origin: string) =>
      shows(sessions.cookieOf('ann'), { method: 'DELETE', headers: { 'sec-fetch-site': 'cross-site', origin } });
    expect(one.authenticate(from('https://app.example'), match())).toMatchObject({ user: 'ann' });
    expect(await rejectionOf(() => one.authenticate(from('https://app2.example'), match()))).toMatchObject({
      reason: 'site-foreign',
    });
  });

  test('is judged as of a handshake where it is one: told so, or because it asks for a WebSocket', async () => {
    const cookie = sessions.cookieOf('ann');
    const polls = shows(cookie);
    expect(authn.identify(polls, undefined)).toMatchObject({ user: 'ann' });
    for (const call of [
      () => authn.identify(polls, undefined, { handshake: true }),
      () => authn.identify(shows(cookie, { headers: { upgrade: 'websocket' } }), undefined),
    ])
      expect(await rejectionOf(call)).toMatchObject({ reason: 'site-foreign' });
    expect(authn.identify(shows(cookie, { headers: OWN_PAGE }), undefined, { handshake: true })).toMatchObject({
      user: 'ann',
    });
  });

  test.each(['sessions-unavailable', 'provider-unavailable'] as const)(
    'is no ended session when it cannot be read: %s',
    async (reason) => {
      const cookie = sessions.cookieOf('ann');
      sessions.answer(new Rejection(reason, 'the store is gone'));
      expect(
        await rejectionOf(() => authn.authenticate(shows(cookie, { headers: NAVIGATION }), match())),
      ).toMatchObject({
        reason,
        status: 503,
      });
    },
  );
});

describe('as time goes on', () => {
  const ended = { reason: 'session-ended', status: 401 };

  test('a session is prolonged by what is known of it by then, and neither into revocation nor to another user', async () => {
    let revoked = '';
    const one = withSessions({
      revocations: { revokes: ({ user }) => (user === revoked ? 'token-revoked' : undefined) },
    });
    const [ann, bob] = [sessions.cookieOf('ann'), sessions.cookieOf('bob')].map(
      (cookie) => one.identify(shows(cookie), undefined) as Principal,
    ) as [Principal, Principal];
    sessions.renew('ann', { roles: ['admin'] });
    expect(one.prolong(ann)).toMatchObject({ owner: 'main|ann', roles: ['admin'] });
    expect(one.prolong(bob)).toBeUndefined();
    sessions.answer('later');
    expect(await one.prolong(ann)).toMatchObject({ owner: 'main|ann' });
    sessions.renew('ann', { issuer: 'second' });
    expect(await one.prolong(ann)).toBeUndefined();
    sessions.renew('ann', {});
    revoked = 'ann';
    expect(await one.prolong(ann)).toBeUndefined();
  });

  test('a JSON Web Token is never prolonged', async () => {
    expect(authn.prolong(await authn.verify(key.sign()))).toBeUndefined();
  });

  test('a session that was idle while a body came goes on, and one that has reached its end does not', async () => {
    const time = clock();
    const one = withSessions({ now: time.now, sessionLifetimeMillis: 3600_000 });
    const terms = { issuedAtMillis: (NOON - 60) * 1000, expiresAtMillis: (NOON + 10) * 1000 };
    const ann = one.identify(shows(sessions.cookieOf('ann', terms)), undefined) as Principal;
    time.seconds = NOON + 11;
    expect(() => one.recheck(ann)).not.toThrow();
    time.seconds = NOON + 3540;
    expect(await rejectionOf(async () => one.recheck(ann))).toMatchObject(ended);
  });

  test('a session without a known end is over when it would have to be prolonged', async () => {
    const time = clock();
    const one = withSessions({ now: time.now });
    const terms = { expiresAtMillis: (NOON + 10) * 1000 };
    const ann = one.identify(shows(sessions.cookieOf('ann', terms)), undefined) as Principal;
    expect(() => one.recheck(ann)).not.toThrow();
    time.seconds = NOON + 10;
    expect(await rejectionOf(async () => one.recheck(ann))).toMatchObject(ended);
  });

  test('a session that was revoked while a body came does not go on', async () => {
    let revoked = false;
    const one = withSessions({ revocations: { revokes: () => (revoked ? 'token-revoked' : undefined) } });
    const ann = one.identify(shows(sessions.cookieOf('ann')), undefined) as Principal;
    revoked = true;
    expect(await rejectionOf(async () => one.recheck(ann))).toMatchObject(ended);
  });
});
