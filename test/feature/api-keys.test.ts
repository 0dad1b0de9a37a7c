/** API keys from the command that makes one to the command that ends it, through two whole gateways on one ledger. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import WebSocket from 'ws';
import { commandLine } from '../support/command-line.ts';
import { eventually } from '../support/eventually.ts';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts';
import { type SilentUpstream, startSilentUpstream } from '../support/silent-upstream.ts';
import { portOf } from '../support/wire.ts';

let upstream: SilentUpstream;
let one: GatewayProcess;
/** On the same ledger, started last, so that the admin token is its own. */
let other: GatewayProcess;
beforeAll(async () => {
  upstream = await startSilentUpstream();
  one = await startGatewayProcess(upstream.url);
  const ledger = { sqlite: join(one.directory, 'ownership.db') };
  other = await startGatewayProcess(upstream.url, undefined, { ledger });
});
afterAll(async () => {
  await other.stop();
  await one.stop();
  await upstream.close();
});

interface Told {
  readonly id: string;
  readonly owner: string;
  readonly roles: readonly string[];
}

/** Runs a command against the gateway that started last. */
const run = async <T>(...words: string[]): Promise<T> => {
  const place = ['--config', join(other.directory, 'gateway.yaml'), '--admin-port', String(portOf(other.adminUrl()))];
  const { code, out, err } = await commandLine(...words, ...place, '--json');
  expect([code, err]).toEqual([0, '']);
  return JSON.parse(out) as T;
};

const key = <T>(...words: string[]): Promise<T> => run<T>('key', ...words);

const create = (...words: string[]) => key<{ readonly key: Told; readonly secret: string }>('create', ...words);

/** Returns the code with which a request is refused, or `served`. */
const asked = async (gateway: GatewayProcess, token: string, path = '/api/list_models'): Promise<string> => {
  const answer = await fetch(gateway.url() + path, { headers: { authorization: `Bearer ${token}` } });
  const body = (await answer.json()) as { code?: string };
  return answer.status < 300 ? 'served' : `${answer.status} ${body.code}`;
};

const openSocket = async (gateway: GatewayProcess, token: string) => {
  const url = `ws://127.0.0.1:${portOf(gateway.url())}/socket.io/?EIO=4&transport=websocket`;
  const socket = new WebSocket(url, { perMessageDeflate: false });
  const packets: string[] = [];
  const state = { closed: false };
  socket.on('message', (data) => packets.push(String(data)));
  socket.on('error', () => undefined);
  socket.on('open', () => socket.send(`40${JSON.stringify({ token })}`));
  socket.on('close', () => {
    state.closed = true;
  });
  await eventually(() => packets.some((packet) => packet.startsWith('40') || packet.startsWith('44')));
  return { packets, isClosed: () => state.closed };
};

test('a key that was made is good at every gateway, for requests and sockets, until it is revoked', async () => {
  const { key: made, secret } = await create('ci', '--role', 'reader', '--note', 'builds');
  expect(made).toMatchObject({ owner: 'service|ci', roles: ['reader'] });
  expect(await asked(other, secret)).toBe('served');
  await eventually(async () => (await asked(one, secret)) === 'served', 1000);
  expect((await key<{ keys: Told[] }>('list')).keys).toMatchObject([{ id: made.id, owner: 'service|ci' }]);
  const sockets = [await openSocket(one, secret), await openSocket(other, secret)];
  for (const { packets } of sockets) expect(packets.some((packet) => packet.startsWith('40{'))).toBe(true);
  expect(await key('revoke', made.id)).toMatchObject({ ended: 1 });
  await eventually(() => sockets.every(({ isClosed }) => isClosed()), 1500);
  for (const gateway of [one, other]) {
    await eventually(async () => (await asked(gateway, secret)) !== 'served', 1000);
    await eventually(async () => (await asked(gateway, secret)) === '401 token-key-unknown', 1000);
  }
  expect((await key<{ keys: Told[] }>('list')).keys).toEqual([]);
});

test('a role of the policy opens what it opens, to keys that have it', async () => {
  const [admin, nobody] = [await create('ops', '--role', 'admin'), await create('ops')];
  expect(await asked(other, nobody.secret, '/api/config')).toBe('403 role-missing');
  // The answer is the upstream's own.
  expect(await asked(other, admin.secret, '/api/config')).toBe('404 undefined');
});

test('an account is revoked as a user is, with all keys that it has so far', async () => {
  const [one, two] = [await create('batch'), await create('batch')];
  await run('revoke', 'user', 'service|batch');
  for (const { secret } of [one, two]) expect(await asked(other, secret)).toBe('401 token-revoked');
  const later = await create('batch');
  expect(await asked(other, later.secret)).toBe('served');
});

test('a key outlives the process, and a revocation too', async () => {
  const [kept, gone] = [await create('cron'), await create('cron')];
  await key('revoke', gone.key.id);
  await other.kill();
  await other.restart();
  expect(await asked(other, kept.secret)).toBe('served');
  expect(await asked(other, gone.secret)).toBe('401 token-key-unknown');
});

test('the audit says who was let in and what was done, and neither it nor the log nor the ledger holds a key', async () => {
  const { key: made, secret } = await create('audited');
  expect(await asked(other, secret)).toBe('served');
  const read = () => readFileSync(join(other.directory, 'audit.ndjson'), 'utf8');
  await eventually(() => read().includes('service|audited') && read().includes(`made the API key ${made.id}`));
  const ledger = readFileSync(join(one.directory, 'ownership.db'), 'latin1');
  for (const text of [read(), JSON.stringify(other.log()), ledger]) expect(text).not.toContain(secret.slice(17, 60));
});
