import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startGateway } from '../src/gateway.ts';
import { createLog } from '../src/telemetry/log.ts';
import { eventually } from './support/eventually.ts';
import { jaazClient, openEar } from './support/jaaz-client.ts';
import { jaazPolicy } from './support/policies.ts';
import { startWorld, type World } from './support/world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

const clientOf = async (user: string) => jaazClient({ url: world.gateway.url, token: await world.issuer.token(user) });
const creating = (canvas: string, session: string) => ({
  ...{ canvas_id: canvas, session_id: session, name: 'n', messages: [{ role: 'user', content: 'a cat' }] },
});

describe('two users of one server', () => {
  test('see their own, and nothing of each other', async () => {
    const [alice, bob] = [await clientOf('alice'), await clientOf('bob')];
    expect((await alice.post('/api/canvas/create', creating('a-canvas', 'a-session'))).status).toBe(200);
    expect((await bob.post('/api/canvas/create', creating('b-canvas', 'b-session'))).status).toBe(200);
    expect((await bob.post('/api/canvas/create', creating('a-canvas', 'c-session'))).code).toBe('resource-taken');
    await eventually(async () => JSON.parse((await alice.get('/api/canvas/list')).text).length === 1);
    expect(JSON.parse((await alice.get('/api/canvas/list')).text)).toMatchObject([{ id: 'a-canvas' }]);
    expect((await bob.get('/api/canvas/a-canvas')).text).toBe('null');
    expect((await bob.get('/api/chat_session/a-session')).text).toBe('[]');
    expect((await bob.remove('/api/canvas/a-canvas/delete')).code).toBe('resource-hidden');
    expect((await alice.remove('/api/canvas/a-canvas/delete')).status).toBe(200);
    const again = await bob.post('/api/canvas/create', creating('a-canvas', 'd-session'));
    expect([again.status, again.code]).toEqual([409, 'resource-taken']);
    const requestId = again.headers.get('x-request-id');
    const record = () => world.audit().find((written) => written.requestId === requestId);
    await eventually(() => record() !== undefined);
    expect(record()).toMatchObject({ status: 409, reason: 'resource-deleted' });
    expect((await alice.get('/api/chat_session/a-session')).text).toBe('[]');
  });

  test('leave one record for each request, and no token in it', async () => {
    const alice = await clientOf('alice');
    const path = '/api/settings/exists';
    const records = () => world.audit().filter((record) => record.path === path || record.path === '/unlisted');
    await alice.get(path);
    await alice.get('/unlisted');
    await jaazClient({ url: world.gateway.url, token: undefined }).get(path);
    await eventually(() => records().length === 3);
    expect(records()).toMatchObject([
      { outcome: 'allowed', owner: 'test|alice', route: 'settings.exists' },
      { outcome: 'refused', reason: 'route-unknown' },
      { outcome: 'refused', reason: 'token-missing' },
    ]);
    const token = await world.issuer.token('alice');
    expect(readFileSync(String(world.config.audit?.file), 'utf8')).not.toContain(token.split('.')[2]);
  });

  test('are counted where only the operator looks', async () => {
    const text = await (await fetch(`${world.gateway.adminUrl}/metrics`)).text();
    expect(text).toMatch(
      /gateway_decisions_total\{kind="request",route="canvas\.list",outcome="allowed",reason="none"\} \d/,
    );
    for (const path of ['/metrics', '/readyz', '/livez']) {
      expect((await fetch(world.gateway.url + path)).status).toBe(404);
    }
  });
});

test('readiness follows the upstream', async () => {
  await eventually(async () => (await fetch(`${world.gateway.adminUrl}/readyz`)).status === 200);
});

test('closing lets an answer finish, and ends sockets', async () => {
  const other = await startWorld({ stepMillis: 20 });
  const token = await other.issuer.token('alice');
  const alice = jaazClient({ url: other.gateway.url, token });
  await alice.post('/api/canvas/create', creating('c', 's'));
  const ear = await openEar({ url: other.gateway.url, token });
  const chat = alice.post('/api/chat', { ...creating('c', 's'), messages: [{ content: 'a' }, { content: 'b' }] });
  await eventually(() => other.upstream.requests.some(({ path }) => path === '/api/chat'));
  const closed = other.gateway.close(20_000);
  expect((await chat).status).toBe(200);
  await closed;
  await eventually(() => !ear.socket.connected);
  ear.close();
  await other.close();
});

describe('a gateway that cannot start', () => {
  const openFiles = (folder: string): string[] =>
    readdirSync('/proc/self/fd').flatMap((fd) => {
      try {
        const path = readlinkSync(`/proc/self/fd/${fd}`);
        return path.startsWith(folder) ? [path] : [];
      } catch {
        return [];
      }
    });
  const starting = async (more: (folder: string) => object) => {
    const folder = mkdtempSync(join(tmpdir(), 'no-start-'));
    const config = { ...world.config, ledger: { sqlite: join(folder, 'l.db') }, ...more(folder) };
    const log = createLog({ level: 'error', file: join(tmpdir(), 'no-start.log') });
    const failure = await startGateway({ config, policy: jaazPolicy(), log }).then(
      () => undefined,
      (error: unknown) => error,
    );
    const left = openFiles(folder);
    rmSync(folder, { recursive: true });
    return { failure, left };
  };

  test('because the admin port is taken has given up the public one, and its files', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as AddressInfo;
    const free = createServer();
    await new Promise<void>((resolve) => free.listen(0, '127.0.0.1', resolve));
    const listenPort = (free.address() as AddressInfo).port;
    await new Promise((resolve) => free.close(resolve));
    const { failure, left } = await starting(() => ({
      listen: { ...world.config.listen, port: listenPort },
      admin: { host: '127.0.0.1', port },
    }));
    expect(failure).toMatchObject({ code: 'EADDRINUSE' });
    expect(left).toEqual([]);
    const socket = connect(listenPort, '127.0.0.1');
    const refused = await new Promise((resolve) => socket.once('error', resolve).once('connect', resolve));
    expect(refused).toMatchObject({ code: 'ECONNREFUSED' });
    await new Promise((resolve) => taken.close(resolve));
  });

  test.runIf(existsSync('/proc/self/fd'))('because the audit file is none has closed its ledger', async () => {
    const { failure, left } = await starting((folder) => {
      mkdirSync(join(folder, 'audit'));
      return { audit: { file: join(folder, 'audit') } };
    });
    expect(failure).toMatchObject({ code: 'EISDIR' });
    expect(left).toEqual([]);
  });

  test('because an issuer is not usable has closed its ledger', async () => {
    const { failure, left } = await starting(() => ({ issuers: [{ ...world.issuer.settings, algorithms: ['none'] }] }));
    expect(failure).toBeInstanceOf(Error);
    expect(left).toEqual([]);
  });
});
