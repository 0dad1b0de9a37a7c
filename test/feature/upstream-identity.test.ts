/** Who is calling, as the server behind a real gateway learns it: with Debian's FastAPI, and the middleware of the docs. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { KEYS_PATH } from '../../src/authn/assertion/assertion.ts';
import { eventually } from '../support/eventually.ts';
import { type FastApiUpstream, startFastApi } from '../support/fastapi-upstream.ts';
import { policyFrom } from '../support/stages.ts';
import { startWorld, type World } from '../support/world.ts';

const POLICY = `
version: 1
name: behind
resources: { canvas: { id: '[a-z0-9]{1,9}' } }
routes:
  - { id: read, match: 'GET /api/canvas/{page}', query: [q] }
  - { id: rename, match: 'POST /api/canvas/{page}/rename', body: { json: 1KiB } }
  - { id: open, match: 'GET /api/canvas/{page}/open', access: public, forward-to: /api/canvas/open }
sockets:
  - { id: ws, path: /ws, protocol: websocket, token: [header], opaque: true, idle: 1m }
`;

/** A key signs for two seconds here. */
const ASSERTION = {
  ...({ header: 'x-jaaz-assertion', algorithm: 'ES256', audience: 'jaaz' } as const),
  ...{ lifetimeMillis: 2_000, rotateMillis: 2_000 },
};

const directory = mkdtempSync(join(tmpdir(), 'upstream-identity-'));
let world: World;
let upstream: FastApiUpstream;
/** The server must know where the gateway's keys are before there is a gateway. */
let way: Server;

beforeAll(async () => {
  way = createServer((_request, response) => {
    void fetch(world.gateway.url + KEYS_PATH)
      .then((answer) => answer.text())
      .then((text) => response.end(text));
  });
  await new Promise<void>((resolve) => way.listen(0, '127.0.0.1', resolve));
  upstream = await startFastApi(directory, `http://127.0.0.1:${(way.address() as AddressInfo).port}/`);
  world = await startWorld({
    upstreamUrl: upstream.url,
    policy: policyFrom(POLICY),
    config: { upstream: { url: upstream.url, assertion: ASSERTION } },
  });
}, 60_000);
afterAll(async () => {
  await world.close();
  await upstream.stop();
  way.close();
  rmSync(directory, { recursive: true });
});

const call = async (
  target: string,
  { user = 'alice', roles = ['editor'], ...init }: RequestInit & { user?: string; roles?: string[] } = {},
) => {
  const headers = new Headers(init.headers);
  if (user !== '') headers.set('authorization', `Bearer ${await world.issuer.token(user, { roles })}`);
  const response = await fetch(world.gateway.url + target, { ...init, headers });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? {} : JSON.parse(text) };
};

describe('a request', () => {
  test('reaches a server that demands an assertion, which then knows who is calling', async () => {
    const { status, headers, body } = await call('/api/canvas/c1?q=a+b%26c&unknown=1');
    expect(status).toBe(200);
    expect(body).toMatchObject({ canvas: 'c1', agent: 'test|alice', tool: 'test|alice' });
    expect(body.user).toMatchObject({
      ...{ iss: 'jaaz-gateway', aud: 'jaaz', sub: 'test|alice', user: 'alice', roles: ['editor'] },
      ...{ jti: headers.get('x-request-id'), htm: 'GET', target: '/api/canvas/c1?q=a%20b%26c' },
    });
    expect(body.headers).toMatchObject({ 'x-user-id': 'test|alice', 'x-user-roles': 'editor' });
  });

  test('with a body does, too', async () => {
    const init = { method: 'POST', body: '{"name":"x"}', headers: { 'content-type': 'application/json' } };
    const { status, body } = await call('/api/canvas/c1/rename', init);
    expect([status, body.user.htm, body.user.target]).toEqual([200, 'POST', '/api/canvas/c1/rename']);
  });

  test('of nobody carries none, and such a server refuses it', async () => {
    expect((await call('/api/canvas/c1/open', { user: '' })).status).toBe(401);
    expect((await call('/api/canvas/c1/open', { user: 'alice' })).status).toBe(401);
  });

  test('brings none of its own, and no other word of who it is', async () => {
    const stolen = (await call('/api/canvas/c1', { user: 'bob' })).body.assertion as string;
    const spellings = ['X-Jaaz-Assertion', 'x_jaaz_assertion', 'X-JAAZ_Assertion'];
    const theirs = [
      'X-User-Id',
      'x_user_id',
      'X-User-Roles',
      'x_user_roles',
      'X-User_Roles',
      'X-User-Tenant',
      'x_user_tenant',
    ];
    const headers = new Headers({ cookie: '__Host-jaaz-session=secret; __Host-jaaz-user=1; other=2' });
    for (const name of spellings) headers.set(name, stolen);
    for (const name of theirs) headers.set(name, 'evil');
    const { status, body } = await call('/api/canvas/c1', { roles: [], headers });
    expect([status, body.user.sub, body.user.roles]).toEqual([200, 'test|alice', []]);
    const text = JSON.stringify(body.headers);
    expect(text).not.toContain('evil');
    expect(text).not.toContain(stolen);
    expect(text).not.toContain('secret');
    const names = Object.keys(body.headers).filter((name) => /user|jaaz|cookie|author/.test(name));
    expect(names.sort()).toEqual(['user-agent', 'x-jaaz-assertion', 'x-user-id']);
  });

  test('has an assertion that is good for no other one, and not past the gateway for long', async () => {
    const { assertion } = (await call('/api/canvas/c1')).body;
    const replay = (target: string, method = 'GET') =>
      fetch(upstream.url + target, { method, headers: { 'x-jaaz-assertion': assertion } }).then(({ status }) => status);
    expect(await replay('/api/canvas/c2')).toBe(401);
    expect(await replay('/api/canvas/c1/rename', 'POST')).toBe(401);
    const asked = (await call('/api/canvas/c1?q=x')).body.assertion;
    const other = await fetch(`${upstream.url}/api/canvas/c1%3Fq=x`, { headers: { 'x-jaaz-assertion': asked } });
    // There it would be the canvas "c1?q=x".
    expect([other.status, await other.text()]).toEqual([401, '']);
    // Its lifetime of two seconds, and five for clocks that differ.
    await eventually(async () => (await replay('/api/canvas/c1')) === 401, 15_000);
  }, 20_000);
});

test('a raw WebSocket reaches such a server by an assertion for its handshake', async () => {
  const headers = { authorization: `Bearer ${await world.issuer.token('alice')}`, 'x-jaaz-assertion': 'evil' };
  const socket = new WebSocket(`${world.gateway.url.replace('http', 'ws')}/ws`, { headers });
  const message = await new Promise<string>((resolve, reject) => {
    socket.on('message', (data) => resolve(String(data)));
    socket.on('error', reject);
  });
  expect(JSON.parse(message)).toMatchObject({ sub: 'test|alice', htm: 'GET', target: '/ws' });
  await expect(
    new Promise((resolve, reject) => {
      const direct = new WebSocket(`${upstream.url.replace('http', 'ws')}/ws`);
      direct.on('open', resolve);
      direct.on('error', reject);
    }),
  ).rejects.toThrow('403');
});

test('keys change while requests come, and not one is refused', async () => {
  const kids = new Set<unknown>();
  const statuses = new Set<number>();
  await eventually(async () => {
    const { status, body } = await call('/api/canvas/c1');
    statuses.add(status);
    kids.add(decodeProtectedHeader(body.assertion ?? '').kid);
    return kids.size >= 4;
  }, 25_000);
  expect([...statuses]).toEqual([200]);
}, 30_000);

test('the keys are public, for everybody, and public halves only', async () => {
  const response = await fetch(world.gateway.url + KEYS_PATH);
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/jwk-set+json']);
  expect(response.headers.get('cache-control')).toMatch(/^public, max-age=\d+$/);
  const { keys } = (await response.json()) as { keys: object[] };
  for (const key of keys) expect(Object.keys(key).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
  const { assertion } = (await call('/api/canvas/c1')).body;
  expect(keys).toContainEqual(expect.objectContaining({ kid: decodeProtectedHeader(assertion).kid }));
  expect(decodeJwt(assertion).sub).toBe('test|alice');
  expect((await fetch(world.gateway.url + KEYS_PATH, { method: 'POST' })).status).not.toBe(200);
});
