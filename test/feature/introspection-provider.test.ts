/** Opaque tokens of a real OpenID provider (oidc-provider): its endpoint is asked in the way in which it wants to be. */
import { generateKeyPairSync } from 'node:crypto';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Provider } from '../../demo/provider-library.ts';
import { introspection } from '../../src/authn/introspection/introspection.ts';
import { opaqueIssuer } from '../support/introspection-server.ts';
import { oidcStorage } from '../support/oidc-storage.ts';
import { clock, outcome } from '../support/token-issuer.ts';

const RESOURCE = 'urn:jaaz';
// Characters that are spelt differently in a form and in a header.
const SECRET = 'a secret: with/every+kind=of%character&';

let server: Server;
let url: string;
beforeAll(async () => {
  let answer: RequestListener = () => undefined;
  server = createServer((request, response) => answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const machine = { redirect_uris: [], response_types: [], grant_types: ['client_credentials'], scope: 'read write' };
  const { privateKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const features = {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true, allowedPolicy: () => true },
    revocation: { enabled: true, allowedPolicy: () => true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => RESOURCE,
      getResourceServerInfo: () => ({ scope: 'read write', audience: 'jaaz', accessTokenFormat: 'opaque' }),
    },
  };
  const configuration = {
    clients: [
      { ...machine, client_id: 'builder', client_secret: SECRET },
      { ...machine, client_id: 'gate way', client_secret: SECRET },
    ],
    scopes: ['read', 'write'],
    adapter: oidcStorage().adapter,
    cookies: { keys: ['a key of the tests'] },
    jwks: { keys: [{ ...key.export({ format: 'jwk' }), alg: 'ES256', use: 'sig' }] },
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    ttl: { ClientCredentials: 600 },
    features,
  };
  answer = new Provider(url, configuration).callback();
});
afterAll(async () => {
  await new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
});

const basic = (id: string): string => {
  const encoded = [id, SECRET].map((text) => new URLSearchParams({ '': text }).toString().slice(1)).join(':');
  return `Basic ${Buffer.from(encoded).toString('base64')}`;
};

const post = async (path: string, form: Record<string, string>): Promise<Record<string, unknown>> => {
  const headers = { authorization: basic('builder') };
  const response = await fetch(url + path, { method: 'POST', headers, body: new URLSearchParams(form) });
  expect(response.status).toBe(200);
  return JSON.parse((await response.text()) || '{}') as Record<string, unknown>;
};

const open = (clientSecret: string) => {
  const asked = { url: `${url}/token/introspection`, clientId: 'gate way', clientSecret, maxAgeMillis: 30_000 };
  const claims = { user: 'client_id', roles: 'scope' };
  const time = { ...clock(), millis: Date.now() };
  const issuers = [opaqueIssuer('', { issuer: url, claims, introspection: asked })];
  return { reader: introspection({ issuers, now: () => time.millis }), time };
};

test('a token is whose the provider says, until it is revoked there and the answer is too old', async () => {
  const { access_token: token } = await post('/token', { grant_type: 'client_credentials', scope: 'read' });
  if (typeof token !== 'string') throw new Error('no token');
  expect(token).not.toContain('.');
  const { reader, time } = open(SECRET);
  const principal = await reader.verify(token);
  expect(principal).toMatchObject({ owner: 'main|builder', roles: ['read'], expiresAtMillis: time.millis + 30_000 });
  await post('/token/revocation', { token });
  expect(reader.verify(token)).toBe(principal);
  time.millis += 30_000;
  expect(await outcome(reader, token)).toBe('token-inactive 401');
});

test('a token that it never gave is not active', async () => {
  expect(await outcome(open(SECRET).reader, 'A'.repeat(43))).toBe('token-inactive 401');
});

test('with a secret that it does not take, nobody’s token is good, and it is nobody’s fault but ours', async () => {
  const { access_token: token } = await post('/token', { grant_type: 'client_credentials' });
  const { reader } = open('another secret');
  expect(await outcome(reader, String(token))).toBe('introspection-unavailable 503');
  expect(reader.healthy()).toBe(false);
});
