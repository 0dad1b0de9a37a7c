/** The demonstration's provider, spoken to by openid-client as the gateway does, and by a browser without scripts. */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import * as client from 'openid-client';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { rememberAddress } from '../../demo/issuer.ts';
import { type DemoProvider, startDemoProvider } from '../../demo/provider.ts';
import { type PlainBrowser, plainBrowser } from './plain-browser.ts';

const GATEWAY = 'http://127.0.0.1:8080';
const folder = mkdtempSync(join(tmpdir(), 'provider-'));
const reported: Error[] = [];
const told: string[] = [];
const gateway = createServer((request: IncomingMessage, response) => {
  void request.toArray().then((chunks) => {
    told.push(`${request.url} ${Buffer.concat(chunks).toString()}`);
    response.end();
  });
});
const printed = (['log', 'info', 'warn', 'error'] as const).map((name) => vi.spyOn(console, name));
let provider: DemoProvider;
let relying: client.Configuration;

beforeAll(async () => {
  await new Promise<void>((listening) => gateway.listen(0, '127.0.0.1', listening));
  provider = await start();
  provider.admit([`http://127.0.0.1:${(gateway.address() as AddressInfo).port}`, GATEWAY]);
  const { id, secret } = provider.client;
  const insecure = { execute: [client.allowInsecureRequests] };
  relying = await client.discovery(
    new URL(provider.issuer.url),
    id,
    secret,
    client.ClientSecretBasic(secret),
    insecure,
  );
});
afterEach(() => {
  expect(printed.flatMap(({ mock }) => mock.calls)).toEqual([]);
  expect(reported).toEqual([]);
});
afterAll(async () => {
  await provider.close();
  gateway.close();
  rmSync(folder, { recursive: true });
});

const start = (): Promise<DemoProvider> =>
  startDemoProvider({ dataDir: folder, port: 0, report: (error) => reported.push(error) });

const SCOPES = 'openid profile offline_access';

async function begin(parameters: Record<string, string> = {}) {
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const [expectedState, expectedNonce] = [client.randomState(), client.randomNonce()];
  const url = client.buildAuthorizationUrl(relying, {
    redirect_uri: `${GATEWAY}/auth/callback`,
    scope: SCOPES,
    state: expectedState,
    nonce: expectedNonce,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    ...parameters,
  });
  return { url: url.href, checks: { pkceCodeVerifier, expectedState, expectedNonce } };
}

async function logIn(browser: PlainBrowser, user: string) {
  const { url, checks } = await begin();
  await browser.open(url);
  const back = await browser.press('user', user);
  const tokens = await client.authorizationCodeGrant(relying, new URL(back), checks);
  const claims = tokens.claims();
  if (claims === undefined) throw new Error('no ID token');
  return { tokens, claims };
}

test('a login is a page with three buttons, and ends in an ID token with user, name, roles and session', async () => {
  const browser = plainBrowser(GATEWAY);
  const { url } = await begin();
  const page = await browser.open(url);
  expect(page).toContain('This is a demonstration');
  expect(page).not.toContain('<script');
  expect([...page.matchAll(/name="user" value="(\w+)"/g)].map(([, user]) => user)).toEqual(['alice', 'bob', 'admin']);
  const { claims } = await logIn(plainBrowser(GATEWAY), 'alice');
  expect(claims).toMatchObject({ iss: provider.issuer.url, sub: 'alice', name: 'Alice', roles: [] });
  expect(claims.sid).toEqual(expect.stringMatching(/./));
  expect((await logIn(plainBrowser(GATEWAY), 'admin')).claims.roles).toEqual(['admin']);
});

test('its keys are those of the printed tokens', async () => {
  const token = await provider.issuer.issueToken({ user: 'alice', expiresInSeconds: 60 });
  const keys = createRemoteJWKSet(new URL(`${provider.issuer.url}/jwks`));
  const { payload } = await jwtVerify(token, keys, { issuer: provider.issuer.url, audience: 'jaaz' });
  expect(payload.sub).toBe('alice');
});

test('says that it names itself in answers', () => {
  expect(relying.serverMetadata()).toMatchObject({
    authorization_response_iss_parameter_supported: true,
    backchannel_logout_session_supported: true,
    code_challenge_methods_supported: ['S256'],
  });
});

test('who is logged in is not asked again', async () => {
  const browser = plainBrowser(GATEWAY);
  await logIn(browser, 'bob');
  const { url, checks } = await begin();
  const back = await browser.open(url);
  expect((await client.authorizationCodeGrant(relying, new URL(back), checks)).claims()?.sub).toBe('bob');
});

test.each(['consent', 'login'])('prompt=%s is no obstacle', async (prompt) => {
  const browser = plainBrowser(GATEWAY);
  const { url, checks } = await begin({ prompt });
  await browser.open(url);
  const back = await browser.press('user', 'alice');
  const tokens = await client.authorizationCodeGrant(relying, new URL(back), checks);
  expect(tokens.refresh_token).toEqual(expect.any(String));
});

test('another account may follow without logging out first', async () => {
  const browser = plainBrowser(GATEWAY);
  const first = await logIn(browser, 'alice');
  const { url, checks } = await begin({ prompt: 'login' });
  await browser.open(url);
  await browser.press('user', 'bob');
  // The provider ends what alice had, by a form that a script would send.
  const back = await browser.press();
  const second = await client.authorizationCodeGrant(relying, new URL(back), checks);
  expect(second.claims()?.sub).toBe('bob');
  expect(told.at(-1)).toContain('/auth/backchannel-logout/demo logout_token=');
  await expect(client.refreshTokenGrant(relying, first.tokens.refresh_token ?? '')).rejects.toThrow();
});

test('a refresh token is good once, and one that is shown again ends the others', async () => {
  const { tokens } = await logIn(plainBrowser(GATEWAY), 'alice');
  const first = tokens.refresh_token ?? '';
  const again = await client.refreshTokenGrant(relying, first);
  expect(again.claims()).toMatchObject({ sub: 'alice', roles: [] });
  expect(again.refresh_token).not.toBe(first);
  await expect(client.refreshTokenGrant(relying, first)).rejects.toMatchObject({ error: 'invalid_grant' });
  await expect(client.refreshTokenGrant(relying, again.refresh_token ?? '')).rejects.toMatchObject({
    error: 'invalid_grant',
  });
});

test('a logout here is told to the gateway, ends the refresh token, and leads to the gateway’s page', async () => {
  const browser = plainBrowser(GATEWAY);
  const { tokens, claims } = await logIn(browser, 'alice');
  const leaving = client.buildEndSessionUrl(relying, {
    id_token_hint: tokens.id_token ?? '',
    post_logout_redirect_uri: `${GATEWAY}/auth/logged-out`,
    state: 'kept',
  });
  expect(await browser.open(leaving.href)).toContain('<strong>Alice</strong>');
  expect(await browser.press('logout', 'yes')).toBe(`${GATEWAY}/auth/logged-out?state=kept`);
  const [path = '', token = ''] = told.at(-1)?.split(' logout_token=') ?? [];
  expect(path).toBe('/auth/backchannel-logout/demo');
  const keys = createRemoteJWKSet(new URL(`${provider.issuer.url}/jwks`));
  const { payload } = await jwtVerify(token, keys, { issuer: provider.issuer.url, typ: 'logout+jwt' });
  expect(payload).toMatchObject({ sid: claims.sid, aud: 'jaaz-gateway' });
  await expect(client.refreshTokenGrant(relying, tokens.refresh_token ?? '')).rejects.toMatchObject({
    error: 'invalid_grant',
  });
  const { url } = await begin();
  expect(await browser.open(url)).toContain('Who do you want to be?');
});

test('who does not want to log in is sent back with that', async () => {
  const browser = plainBrowser(GATEWAY);
  await browser.open((await begin()).url);
  const back = new URL(await browser.press('user', ''));
  expect(back.searchParams.get('error')).toBe('access_denied');
  expect(back.searchParams.get('iss')).toBe(provider.issuer.url);
});

test.each([
  ['another address to return to', { redirect_uri: 'http://127.0.0.1:1/auth/callback' }, 'redirect_uri'],
  ['another client', { client_id: 'other' }, 'client is invalid'],
])('%s is refused on a page', async (_name, parameters, words) => {
  const page = await plainBrowser(GATEWAY).open((await begin(parameters)).url);
  expect(page).toContain('<h1>That did not work</h1>');
  expect(page).toContain(words);
});

test('without PKCE there is no login', async () => {
  const url = new URL((await begin()).url);
  url.searchParams.delete('code_challenge');
  url.searchParams.delete('code_challenge_method');
  const back = new URL(await plainBrowser(GATEWAY).open(url.href));
  expect(back.searchParams.get('error_description')).toMatch(/PKCE/);
});

test('a login page is of the browser that began, and takes its own accounts only', async () => {
  const browser = plainBrowser(GATEWAY);
  await browser.open((await begin()).url);
  const response = await fetch(browser.at());
  expect(response.status).toBe(400);
  expect(await response.text()).toContain('This login is over');
  expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(await browser.press('user', 'mallory')).toContain('There is no such account.');
});

test('its cookies are signed, and pages of other origins do not read its tokens', async () => {
  const begun = await fetch((await begin()).url, { redirect: 'manual' });
  expect(begun.headers.getSetCookie().map((line) => line.split('=')[0])).toContain('_interaction.sig');
  const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: 'x' });
  const { id, secret } = provider.client;
  const headers = { origin: GATEWAY, authorization: `Basic ${btoa(`${id}:${secret}`)}` };
  const asked = await fetch(`${provider.issuer.url}/token`, { method: 'POST', body, headers });
  expect(asked.headers.get('access-control-allow-origin')).toBeNull();
});

test('keys, secrets and the key set are the same at the next start, and nobody else reads the secrets', async () => {
  const again = await start();
  expect(again.client.secret).toBe(provider.client.secret);
  expect(again.issuer.signingKey).toEqual(provider.issuer.signingKey);
  await again.close();
  for (const name of ['client-secret.txt', 'cookie-key.txt', 'private-key.json']) {
    expect(statSync(join(folder, 'demo-issuer', name)).mode & 0o777).toBe(0o600);
  }
});

test('goes back to the port of the last time, and takes another where that is taken', async () => {
  const dataDir = join(folder, 'other');
  const { port } = new URL(provider.issuer.url);
  rememberAddress(dataDir, provider.issuer.url);
  for (const given of [0, undefined]) {
    const other = await startDemoProvider({ dataDir, port: given });
    expect(new URL(other.issuer.url).port).not.toBe(port);
    await other.close();
  }
  const first = await startDemoProvider({ dataDir, port: 0 });
  rememberAddress(dataDir, first.issuer.url);
  await first.close();
  const second = await startDemoProvider({ dataDir });
  expect(second.issuer.url).toBe(first.issuer.url);
  await second.close();
});

test('a port that is asked for by its number is that one or none', async () => {
  const port = Number(new URL(provider.issuer.url).port);
  await expect(startDemoProvider({ dataDir: folder, port })).rejects.toMatchObject({ code: 'EADDRINUSE', port });
});
