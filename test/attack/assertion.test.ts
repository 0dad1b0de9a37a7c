/**
 * Whoever reaches the server behind the gateway directly, or has seen an assertion pass, must not be somebody there: the
 * middleware of docs/upstream-identity.md, run under Debian's FastAPI as the page has it, takes none but the right one.
 */
import { createHmac, createPublicKey, sign as signBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Assertions } from '../../src/authn/assertion/assertion.ts';
import { openSigningKeys, type SigningKey } from '../../src/authn/assertion/keys.ts';
import { memorySigningKeys } from '../../src/store/memory/signing-keys.ts';
import { type FastApiUpstream, startFastApi } from '../support/fastapi-upstream.ts';
import { freshSealer, keySetOf, openAssertions, somebody } from '../support/signing.ts';
import { base64url } from '../support/token-issuer.ts';
import { exchange, portOf, requestText } from '../support/wire.ts';

const TARGET = '/api/canvas/c1';
const directory = mkdtempSync(join(tmpdir(), 'assertion-'));
const ground = { store: memorySigningKeys(), sealer: freshSealer(), now: Date.now };
let keys: Server;
let upstream: FastApiUpstream;
let ours: Assertions;
let key: SigningKey;

beforeAll(async () => {
  ours = await openAssertions(ground);
  const times = { rotateMillis: 86_400_000, leadMillis: 600_000, keepMillis: 1 };
  key = (await openSigningKeys({ ...ground, algorithm: 'ES256', times })).current();
  keys = createServer((_request, response) => response.end(JSON.stringify(keySetOf(ours))));
  await new Promise<void>((resolve) => keys.listen(0, '127.0.0.1', resolve));
  upstream = await startFastApi(directory, `http://127.0.0.1:${(keys.address() as AddressInfo).port}/`);
}, 60_000);
afterAll(async () => {
  ours.close();
  await upstream.stop();
  keys.close();
  rmSync(directory, { recursive: true });
});

const signed = (by: Assertions = ours, more: object = {}): string =>
  by.sign({ principal: somebody(), method: 'GET', target: TARGET, requestId: 'r', ...more });

const ask = async (assertions: readonly string[], { method = 'GET', target = TARGET, headers = {} } = {}) => {
  const all = new Headers(headers);
  for (const one of assertions) all.append('x-jaaz-assertion', one);
  const response = await fetch(upstream.url + target, { method, headers: all });
  return { status: response.status, text: await response.text() };
};

/** With the gateway's own key, which no attacker has: whatever else the middleware looks at is looked at by itself. */
const forge = (claims: object = {}, header: object = {}): string => {
  const now = Math.floor(Date.now() / 1000);
  const good = { iss: 'jaaz-gateway', aud: 'jaaz', sub: 'corp|mallory', iat: now, exp: now + 60, jti: 'r' };
  const head = { alg: 'ES256', typ: 'jaaz-assertion+jwt', kid: key.id, ...header };
  const input = `${base64url(JSON.stringify(head))}.${base64url(JSON.stringify({ ...good, htm: 'GET', target: TARGET, ...claims }))}`;
  const { privateKey } = key;
  return `${input}.${signBytes('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
};

test('the right one passes, and the server knows who is calling, in its request, its agent and its tools', async () => {
  const { status, text } = await ask([signed(ours, { principal: somebody('Zoë', ['editor'], 'acme') })]);
  expect(status).toBe(200);
  const { user, agent, tool } = JSON.parse(text);
  expect(user).toMatchObject({ sub: 'corp|Zoë', user: 'Zoë', roles: ['editor'], tenant: 'acme', jti: 'r' });
  expect([agent, tool]).toEqual(['corp|Zoë', 'corp|Zoë']);
  expect((await ask([forge()])).status).toBe(200);
});

describe('is answered with 401', () => {
  test('what has no assertion, whatever else it says', async () => {
    const headers = { 'x-user-id': 'corp|alice', 'x-user-roles': 'admin', authorization: `Bearer ${signed()}` };
    expect(await ask([], { headers })).toEqual({ status: 401, text: '' });
  });

  test.each<[string, () => string]>([
    ['nothing', () => ''],
    ['no token', () => 'a.b.c'],
    ['a token without its signature', () => `${signed().split('.').slice(0, 2).join('.')}.`],
  ])('%s', async (_, token) => expect((await ask([token()])).status).toBe(401));

  test('two of them, also where both are good', async () => {
    for (const pair of [
      [signed(), forge({}, { kid: 'x' })],
      [signed(), signed()],
    ]) {
      const headers = ['Host: x', ...pair.map((one) => `x-jaaz-assertion: ${one}`)];
      const text = requestText(`GET ${TARGET} HTTP/1.1`, headers);
      const { answers } = await exchange(portOf(upstream.url), text, { answers: 1 });
      expect(answers.map(({ status }) => status)).toEqual([401]);
    }
  });

  test.each([
    ['another path', { target: '/api/canvas/c2' }],
    ['the same path and a query', { target: `${TARGET}?a=b` }],
    ['another method', { method: 'HEAD' }],
    ['an operation on it', { method: 'POST', target: `${TARGET}/rename` }],
    ['a path that is decoded to the same with more behind it', { target: `${TARGET}%0a` }],
  ])('one that is replayed on %s', async (_, to) => {
    const token = signed();
    expect((await ask([token])).status).toBe(200);
    expect((await ask([token], to)).status).toBe(401);
  });

  test('one whose query was another', async () => {
    const token = signed(ours, { target: `${TARGET}?q=mine` });
    expect((await ask([token], { target: `${TARGET}?q=mine` })).status).toBe(200);
    expect((await ask([token], { target: `${TARGET}?q=yours` })).status).toBe(401);
    expect((await ask([token])).status).toBe(401);
  });

  test('one that has expired', async () => {
    const now = Date.now() - 120_000;
    const stale = await openAssertions({ ...ground, now: () => now });
    expect((await ask([signed(stale)])).status).toBe(401);
    stale.close();
  });

  test.each([
    ['audience', { audience: 'other' }],
    ['issuer', { issuer: 'https://other.example' }],
    ['key', { store: memorySigningKeys() }],
  ])('one with another %s', async (_, more) => {
    const other = await openAssertions({ ...ground, ...more });
    expect((await ask([signed(other)])).status).toBe(401);
    other.close();
  });

  test('one that another key signed under the name of ours', async () => {
    const other = await openAssertions({ ...ground, store: memorySigningKeys() });
    const [, payload] = signed(other).split('.');
    const head = base64url(JSON.stringify({ alg: 'ES256', typ: 'jaaz-assertion+jwt', kid: key.id }));
    expect((await ask([`${head}.${payload}.${signed(other).split('.')[2]}`])).status).toBe(401);
    other.close();
  });

  test.each([
    ['another type', {}, { typ: 'at+jwt' }],
    ['no type', {}, { typ: undefined }],
    ['no method', { htm: undefined }, {}],
    ['no target', { target: undefined }, {}],
    ['no user', { sub: undefined }, {}],
    ['no end', { exp: undefined }, {}],
    ['no audience', { aud: undefined }, {}],
    ['no issuer', { iss: undefined }, {}],
    ['a beginning that is yet to come', { iat: Math.floor(Date.now() / 1000) + 3_600 }, {}],
    ['no key named', {}, { kid: undefined }],
    ['the key within', {}, { kid: 'x', jwk: { kty: 'EC' } }],
  ])('one with %s', async (_, claims, header) => {
    expect((await ask([forge(claims, header)])).status).toBe(401);
  });

  test('one that says that it needs no signature', async () => {
    for (const alg of ['none', 'None', 'NONE']) {
      const [, payload] = forge().split('.');
      const head = base64url(JSON.stringify({ alg, typ: 'jaaz-assertion+jwt', kid: key.id }));
      expect((await ask([`${head}.${payload}.`])).status, alg).toBe(401);
    }
  });

  test('one that takes the public key for a secret', async () => {
    const publicKey = createPublicKey(key.privateKey);
    const forms = [
      publicKey.export({ format: 'pem', type: 'spki' }),
      JSON.stringify(publicKey.export({ format: 'jwk' })),
    ];
    for (const secret of forms) {
      const [, payload] = forge().split('.');
      const head = base64url(JSON.stringify({ alg: 'HS256', typ: 'jaaz-assertion+jwt', kid: key.id }));
      const mac = createHmac('sha256', secret).update(`${head}.${payload}`).digest('base64url');
      expect((await ask([`${head}.${payload}.${mac}`])).status).toBe(401);
    }
  });
});
