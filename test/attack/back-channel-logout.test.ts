/**
 * Back-channel logout: an address that anybody can post to. It ends nobody's session unless the provider itself has
 * signed that it is over, lately, for this client, once.
 */
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LOGIN_PATHS } from '../../src/model/login.ts';
import { newBrowser } from '../support/oidc-client.ts';
import { LIAR_SECRET, type Liar, openLiar } from '../support/oidc-liar.ts';
import { comeBack, type LoginScene, logInAt, loginScene } from '../support/oidc-logins.ts';
import { openTestProvider } from '../support/oidc-provider.ts';
import { base64url, rejectionOf, signer } from '../support/token-issuer.ts';

const EVENT = 'http://schemas.openid.net/event/backchannel-logout';

let liar: Liar;
let scene: LoginScene;
let aheadMillis = 0;
let count = 0;
const now = (): number => Date.now() + aheadMillis;
const seconds = (): number => Math.floor(now() / 1000);

beforeEach(async () => {
  aheadMillis = 0;
  liar = await openLiar();
  scene = loginScene([liar.settings()], { now });
});

afterEach(async () => {
  scene.close();
  await liar.close();
});

const claims = (changes: object = {}): object => {
  count += 1;
  const events = { [EVENT]: {} };
  const times = { iat: seconds(), exp: seconds() + 120 };
  return { iss: liar.issuer, aud: 'gateway', ...times, jti: `j-${count}`, sid: 's-1', events, ...changes };
};

const token = (changes: object = {}, header: object = {}): string =>
  liar.signer.signText(
    JSON.stringify({ alg: 'ES256', kid: 'k', typ: 'logout+jwt', ...header }),
    JSON.stringify(claims(changes)),
  );

const logOut = (text: string, provider = 'main') => scene.logins.logOutBehind(provider, text);

const refused = async (text: string): Promise<string> => {
  await logInAt(scene.logins, 'x');
  const { reason, status, headers, message } = await rejectionOf(() => logOut(text));
  expect(`${reason} ${status}`).toBe('logout-token-invalid 400');
  expect(headers).toEqual([]);
  expect(scene.sessions.open.size).toBe(1);
  expect(message).not.toContain('eyJ');
  return message;
};

test('a real provider that ends its session ends ours, by its own call', async () => {
  const provider = await openTestProvider();
  const ended: number[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const form = new URLSearchParams(Buffer.concat(chunks).toString());
      real.logins
        .logOutBehind((request.url ?? '').slice(LOGIN_PATHS.backChannelLogout.length), form.get('logout_token') ?? '')
        .then(
          (sessions) => {
            ended.push(sessions);
            response.writeHead(200).end();
          },
          (error: unknown) => response.writeHead(400).end(String(error)),
        );
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  await provider.register(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const real = loginScene([provider.settings()]);
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const browser = newBrowser();
  const sessions = [];
  for (const user of ['alice', 'bob'])
    sessions.push(
      await real.logins.finish(
        (await comeBack(real.logins, user, { origin, browser: user === 'alice' ? browser : newBrowser() })).came,
      ),
    );
  const page = await browser.open(new URL('/session/end', provider.issuer).href);
  const form = { xsrf: /name="xsrf" value="([^"]+)"/.exec(page.text)?.[1] ?? '', logout: 'yes' };
  await browser.open(new URL('/session/end/confirm', provider.issuer).href, { method: 'POST', form });
  expect(ended).toEqual([1]);
  expect([...real.sessions.open.keys()]).toEqual([sessions[1]?.session]);
  real.close();
  await provider.close();
  await new Promise((resolve) => server.close(resolve));
});

describe('what is accepted', () => {
  test('a token of a session ends that session alone', async () => {
    const first = await logInAt(scene.logins, 'x');
    liar.lies = { claims: { sid: 's-2' } };
    await logInAt(scene.logins, 'x');
    expect(await logOut(token({ sid: 's-2', sub: 'mallory' }))).toBe(1);
    expect([...scene.sessions.open.keys()]).toEqual([first.session]);
  });

  test('a token of a user ends all of that user', async () => {
    await logInAt(scene.logins, 'x');
    await logInAt(scene.logins, 'x');
    liar.lies = { claims: { sub: 'another' } };
    const other = await logInAt(scene.logins, 'x');
    expect(await logOut(token({ sid: undefined, sub: 'mallory' }))).toBe(2);
    expect([...scene.sessions.open.keys()]).toEqual([other.session]);
  });

  test.each([undefined, 'JWT', 'logout+jwt', 'application/logout+jwt', 'LOGOUT+JWT'])('of the type %s', async (typ) => {
    await logInAt(scene.logins, 'x');
    expect(await logOut(token({}, { typ }))).toBe(1);
  });

  test('a token of nobody who is here ends nothing', async () => {
    expect(await logOut(token())).toBe(0);
  });
});

describe('what is refused', () => {
  test.each([
    ['another audience', { aud: 'other' }],
    ['a further audience', { aud: ['gateway', 'other'] }],
    ['another issuer', { iss: 'https://issuer.example' }],
    ['no issuer', { iss: undefined }],
    ['a nonce', { nonce: 'n' }],
    ['a nonce that is null', { nonce: null }],
    ['no events', { events: undefined }],
    ['empty events', { events: {} }],
    ['events in a list', { events: [EVENT] }],
    ['an event that is no object', { events: { [EVENT]: true } }],
    ['another event', { events: { 'http://schemas.openid.net/event/other': {} } }],
    ['a further event', { events: { [EVENT]: {}, 'http://schemas.openid.net/event/other': {} } }],
    ['neither sub nor sid', { sid: undefined }],
    ['a sid that is a number', { sid: 1 }],
    ['a sid that is empty', { sid: '' }],
    ['a sub that is a list', { sid: undefined, sub: ['mallory'] }],
    ['no jti', { jti: undefined }],
    ['a jti that is a number', { jti: 1 }],
    ['no exp', { exp: undefined }],
    ['no iat', { iat: undefined }],
    ['an endless exp', { exp: Number.MAX_VALUE }],
  ])('%s', async (_name, changes) => {
    await refused(token(changes));
  });

  test.each([
    ['one that has expired', () => ({ exp: seconds() - 10 })],
    [
      'one of an hour ago that is said to be good for a day',
      () => ({ iat: seconds() - 3600, exp: seconds() + 86_400 }),
    ],
    ['one of the future', () => ({ iat: seconds() + 600, exp: seconds() + 700 })],
  ])('%s', async (_name, changes) => {
    await refused(token(changes()));
  });

  test.each(['at+jwt', 'secevent+jwt', 7])('the type %s', async (typ) => {
    await refused(token({}, { typ }));
  });

  test('the ID token of the very session', async () => {
    const { session } = await logInAt(scene.logins, 'x');
    const idToken = scene.sessions.open.get(session)?.proven.tokens.idToken ?? '';
    await scene.sessions.end(session);
    await refused(idToken);
  });

  test('a key that is not the provider’s', async () => {
    const other = await signer('k', 'ES256');
    await refused(other.signText(JSON.stringify({ alg: 'ES256', kid: 'k' }), JSON.stringify(claims())));
  });

  test('none, and HS256 with the client secret', async () => {
    const text = (value: object): string => base64url(JSON.stringify(value));
    await refused(`${text({ alg: 'none', typ: 'logout+jwt' })}.${text(claims())}.`);
    const input = `${text({ alg: 'HS256', typ: 'logout+jwt' })}.${text(claims())}`;
    scene.sessions.open.clear();
    await refused(`${input}.${createHmac('sha256', LIAR_SECRET).update(input).digest('base64url')}`);
  });

  test('a claim that stands twice', async () => {
    const text = JSON.stringify(claims()).replace('{', '{"sid":"s-2",');
    await refused(liar.signer.signText(JSON.stringify({ alg: 'ES256', kid: 'k' }), text));
  });

  test.each(['', 'x', 'a.b.c', '..', 'a'.repeat(10_000)])('%j', async (text) => {
    await refused(text);
  });

  test('a name that no provider has', async () => {
    expect((await rejectionOf(() => logOut(token(), 'other'))).reason).toBe('provider-unknown');
  });
});

describe('a token that comes again', () => {
  test('is refused', async () => {
    // Of an earlier second: whoever logs in now does so after it.
    const text = token({ iat: seconds() - 1 });
    await logOut(text);
    expect(await refused(text)).toContain('came before');
  });

  test('is too old when it has been forgotten', async () => {
    const text = token();
    await logOut(text);
    aheadMillis = 125_000;
    liar.lies = { claims: { iat: seconds(), exp: seconds() + 300 } };
    expect(await refused(text)).toContain('expired');
  });

  test('is heard when the first one came to nothing, because sessions could not be read', async () => {
    await logInAt(scene.logins, 'x');
    const text = token();
    const failing = loginScene([liar.settings()], { now });
    failing.sessions.fail();
    expect((await rejectionOf(() => failing.logins.logOutBehind('main', text))).reason).toBe('sessions-unavailable');
    expect((await rejectionOf(() => failing.logins.logOutBehind('main', text))).reason).toBe('sessions-unavailable');
    failing.close();
  });

  test('of another provider under the same jti is another one', async () => {
    const other = await openLiar();
    const both = loginScene([liar.settings(), other.settings({}, { name: 'other' })], { now });
    const of = (one: Liar) =>
      one.signer.signText(
        JSON.stringify({ alg: 'ES256', kid: 'k' }),
        JSON.stringify(claims({ iss: one.issuer, jti: 'j' })),
      );
    expect(await both.logins.logOutBehind('main', of(liar))).toBe(0);
    expect(await both.logins.logOutBehind('other', of(other))).toBe(0);
    expect((await rejectionOf(() => both.logins.logOutBehind('other', of(other)))).message).toContain('came before');
    both.close();
    await other.close();
  });
});

test("one provider's token does nothing at the address of another", async () => {
  const other = await openLiar();
  const both = loginScene([liar.settings(), other.settings({}, { name: 'other' })], { now });
  await logInAt(both.logins, 'x');
  expect((await rejectionOf(() => both.logins.logOutBehind('other', token()))).reason).toBe('logout-token-invalid');
  expect(both.sessions.open.size).toBe(1);
  both.close();
  await other.close();
});

test('a token of a user is refused where users are not called by their sub, and the record says so', async () => {
  scene.close();
  scene = loginScene([liar.settings({}, { claims: { user: 'email', roles: undefined } })], { now });
  liar.lies = { claims: { email: 'mallory@example.com' } };
  expect(await refused(token({ sid: undefined, sub: 'mallory' }))).toContain('names no session (sid)');
  expect(await logOut(token({ sub: 'mallory' }))).toBe(1);
});

test('while the keys cannot be had a token is put off, not refused', async () => {
  liar.lies = { answers: { '/keys': (response) => response.writeHead(500).end() } };
  expect(await rejectionOf(() => logOut(token()))).toMatchObject({ reason: 'provider-unavailable', status: 503 });
});

test('a flood of tokens under unknown key ids has the keys read again once in a while', async () => {
  await logOut(token());
  for (let number = 0; number < 50; number += 1)
    await rejectionOf(() => logOut(token({}, { kid: `unknown-${number}` })));
  expect(liar.asked.filter((path) => path === '/keys').length).toBeLessThanOrEqual(2);
});

test('a key that the provider has begun to use is read when it is first seen', async () => {
  await logOut(token({ iat: seconds() - 1 }));
  const next = await signer('next', 'ES256');
  liar.lies = { keys: [liar.signer.jwk, next.jwk] };
  aheadMillis = 31_000;
  await logInAt(scene.logins, 'x');
  expect(await logOut(next.signText(JSON.stringify({ alg: 'ES256', kid: 'next' }), JSON.stringify(claims())))).toBe(1);
});
