/**
 * Providers that are away, slow, broken or lying. Whoever logs in there is told to try again later, at once or within
 * the limit; nobody else notices; and the client's secret goes nowhere that the provider may not be.
 */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { urlKeySource } from '../../src/store/keys/url.ts';
import { type Liar, openLiar, sendJson } from '../support/oidc-liar.ts';
import { comeBack, type LoginScene, logInAt, loginScene, ORIGIN, type SceneOptions } from '../support/oidc-logins.ts';
import { rejectionOf } from '../support/token-issuer.ts';

const TIMEOUT_MILLIS = 1000;
const MAX_BYTES = 20_000;

let liar: Liar;
let scene: LoginScene;

const open = (options: SceneOptions = {}, login = {}): void => {
  scene?.close();
  const limits = { timeoutMillis: TIMEOUT_MILLIS, maxBytes: MAX_BYTES };
  const source: SceneOptions['source'] = ({ url }) => urlKeySource(url, limits);
  scene = loginScene([liar.settings(login)], { ...limits, source, ...options });
};

beforeEach(async () => {
  liar = await openLiar();
  open();
});

afterEach(async () => {
  scene.close();
  await liar.close();
});

const never = (): void => undefined;
const html = (response: ServerResponse): void => {
  response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>Log in to the network</title>');
};
const huge = (response: ServerResponse): void => {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.write(`{"a":"${'a'.repeat(MAX_BYTES)}`);
  const more = setInterval(() => response.write('a'.repeat(1000)), 5);
  response.once('close', () => clearInterval(more));
};
/** A byte now and then, for ever: each of them comes in time. */
const dripping = (response: ServerResponse): void => {
  response.writeHead(200, { 'content-type': 'application/json' });
  const more = setInterval(() => response.write(' '), 20);
  response.once('close', () => clearInterval(more));
};
const elsewhere = (response: ServerResponse): void => {
  response.writeHead(302, { location: `${liar.issuer}/elsewhere` }).end();
};
const cut = (response: ServerResponse): void => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
  response.write('{');
  setImmediate(() => response.destroy());
};
const status = (code: number) => (response: ServerResponse) => sendJson(response, { error: 'server_error' }, code);
const raw = (body: string) => (response: ServerResponse) =>
  void response.writeHead(200, { 'content-type': 'application/json' }).end(body);

const ways: ReadonlyArray<readonly [string, (response: ServerResponse) => void]> = [
  ['never answers', never],
  ['answers with a page', html],
  ['answers without end', huge],
  ['drips', dripping],
  ['sends elsewhere', elsewhere],
  ['breaks off', cut],
  ['answers with 500', status(500)],
  ['answers with 503', status(503)],
  ['answers with 429', status(429)],
  ['answers with a list', raw('[]')],
  ['answers with half an object', raw('{"issuer":')],
  ['answers with nothing', raw('')],
  ['names a member twice', raw('{"issuer":"a","issuer":"b"}')],
];

const refusedWithin = async (call: () => unknown): Promise<string> => {
  const started = performance.now();
  const refused = await rejectionOf(call);
  expect(performance.now() - started).toBeLessThan(TIMEOUT_MILLIS + 2000);
  expect(refused).toMatchObject({ reason: 'provider-unavailable', status: 503 });
  expect(refused.headers).toEqual(['Retry-After', expect.stringMatching(/^\d+$/)]);
  expect(liar.asked).not.toContain('/elsewhere');
  return refused.message;
};

const begin = () => scene.logins.begin({ provider: 'main', returnTo: '/', origin: ORIGIN });

describe.each(ways)('a provider that %s', (_name, answer) => {
  test('for its metadata', async () => {
    liar.lies = { answers: { '/.well-known/openid-configuration': answer } };
    expect(await refusedWithin(begin)).toMatch(/^main /);
    expect(scene.notices).toHaveLength(1);
    expect(scene.notices[0]).toMatch(/^provider-failed: /);
  });

  test('for its tokens', async () => {
    const { came } = await comeBack(scene.logins, 'x');
    liar.lies = { answers: { '/token': answer } };
    await refusedWithin(() => scene.logins.finish(came));
    expect(scene.sessions.open.size).toBe(0);
  });

  test('for its keys', async () => {
    const { came } = await comeBack(scene.logins, 'x');
    liar.lies = { answers: { '/keys': answer } };
    await refusedWithin(() => scene.logins.finish(came));
  });

  test('for claims of the user', async () => {
    open({}, { userinfo: true });
    const { came } = await comeBack(scene.logins, 'x');
    liar.lies = { answers: { '/me': answer } };
    await refusedWithin(() => scene.logins.finish(came));
    expect(scene.sessions.open.size).toBe(0);
  });
});

describe('metadata', () => {
  test.each([
    ['another issuer', { issuer: 'https://evil.example' }],
    ['an issuer with a slash more', () => ({ issuer: `${liar.issuer}/` })],
    ['no issuer', { issuer: undefined }],
    ['no authorization endpoint', { authorization_endpoint: undefined }],
    ['an authorization endpoint that is a script', { authorization_endpoint: 'javascript:alert(1)' }],
    ['an authorization endpoint without https', { authorization_endpoint: 'http://evil.example/auth' }],
    ['a token endpoint without https', { token_endpoint: 'http://evil.example/token' }],
    ['a token endpoint that is a file', { token_endpoint: 'file:///etc/passwd' }],
    ['a token endpoint with a password', { token_endpoint: 'https://user:pass@evil.example/token' }],
    ['keys without https', { jwks_uri: 'http://evil.example/keys' }],
    ['keys in a number', { jwks_uri: 7 }],
    ['an end of sessions that is a script', { end_session_endpoint: 'javascript:alert(1)' }],
    ['no way to show a secret', { token_endpoint_auth_methods_supported: ['private_key_jwt'] }],
    ['no code flow', { response_types_supported: ['id_token'] }],
    ['a text where a list should be', { response_types_supported: 'code' }],
  ])('with %s sends nobody anywhere', async (_name, metadata) => {
    liar.lies = { metadata: typeof metadata === 'function' ? metadata() : metadata };
    await refusedWithin(begin);
  });

  test('without PKCE does for a client with a secret and for no other', async () => {
    liar.lies = { metadata: { code_challenge_methods_supported: ['plain'] } };
    expect((await logInAt(scene.logins, 'x')).owner).toBe('main|mallory');
    open({}, { clientSecret: undefined });
    await refusedWithin(begin);
  });
});

test('a provider without https is not asked, unless it is on this host', async () => {
  const plain = loginScene([{ ...liar.settings(), issuer: 'http://liar.example' }]);
  const refused = await rejectionOf(() => plain.logins.begin({ provider: 'main', returnTo: '/', origin: ORIGIN }));
  expect(refused).toMatchObject({ reason: 'provider-unavailable', message: expect.stringContaining('not https') });
  plain.close();
});

test('a provider that is down does not hold up another one', async () => {
  const other = await openLiar();
  const both = loginScene([liar.settings(), other.settings({}, { name: 'other' })], { timeoutMillis: 10_000 });
  liar.lies = { answers: { '/.well-known/openid-configuration': never } };
  const waiting = rejectionOf(() => both.logins.begin({ provider: 'main', returnTo: '/', origin: ORIGIN }));
  expect((await logInAt(both.logins, 'x', { provider: 'other' })).owner).toBe('other|mallory');
  await liar.close();
  expect((await waiting).reason).toBe('provider-unavailable');
  both.close();
  await other.close();
});

test('a provider that nobody serves is refused at once, asked ever more slowly, and used when it is back', async () => {
  let aheadMillis = 0;
  const now = () => Date.now() + aheadMillis;
  open({ now, discoveryTimes: { pauseMillis: 1000, longestPauseMillis: 8000 } });
  liar.lies = { answers: { '/.well-known/openid-configuration': status(503) } };
  const asked = () => liar.asked.length;
  await Promise.all(Array.from({ length: 10 }, () => rejectionOf(begin)));
  expect(asked()).toBe(1);
  for (let count = 0; count < 10; count += 1) await rejectionOf(begin);
  expect(asked()).toBe(1);
  const waits: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    const waited = asked();
    let seconds = 0;
    while (asked() === waited) {
      aheadMillis += 1000;
      seconds += 1;
      await rejectionOf(begin);
    }
    waits.push(seconds);
  }
  expect(waits).toEqual([1, 2, 4, 8, 8]);
  liar.lies = {};
  aheadMillis += 8000;
  expect((await logInAt(scene.logins, 'x')).owner).toBe('main|mallory');
});

test('nothing of a token or a code stands in what the record is told', async () => {
  const { came } = await comeBack(scene.logins, 'x');
  const tokens = { access_token: 'the-access-token', token_type: 'mac', id_token: 'eyJ.eyJ.x' };
  liar.lies = { answers: { '/token': (response) => sendJson(response, tokens) } };
  const refused = await rejectionOf(() => scene.logins.finish(came));
  const told = JSON.stringify([refused.message, refused.cause, scene.notices]);
  for (const secret of ['the-access-token', 'eyJ', came.query.get('code') ?? '-']) expect(told).not.toContain(secret);
});

test('a provider that names another server as its token endpoint still gets no redirect followed from it', async () => {
  const reached: string[] = [];
  const server = createServer((request, response) => {
    reached.push(request.url ?? '');
    response.end('{}');
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const location = `http://127.0.0.1:${(server.address() as AddressInfo).port}/steal`;
  const { came } = await comeBack(scene.logins, 'x');
  liar.lies = { answers: { '/token': (response) => response.writeHead(307, { location }).end() } };
  expect((await rejectionOf(() => scene.logins.finish(came))).reason).toBe('provider-unavailable');
  expect(reached).toEqual([]);
  await new Promise((resolve) => server.close(resolve));
});
