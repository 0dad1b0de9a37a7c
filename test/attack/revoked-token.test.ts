/**
 * A token that was taken back goes on being used: for requests, for which its verdict is remembered; on a socket that was
 * open; at another process of the same ledger; after a restart.
 */
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
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

interface Revoked {
  readonly revocation: { readonly id: string };
  readonly ended: number;
}

const revoke = async (...words: string[]): Promise<Revoked> => {
  const place = ['--config', join(other.directory, 'gateway.yaml'), '--admin-port', String(portOf(other.adminUrl()))];
  const { code, out, err } = await commandLine('revoke', ...words, ...place, '--json');
  expect([code, err]).toEqual([0, '']);
  return JSON.parse(out);
};

const made: string[] = [];
const revokeFor = async (...words: string[]): Promise<number> => {
  const { revocation, ended } = await revoke(...words);
  made.push(revocation.id);
  return ended;
};

afterEach(async () => {
  for (const id of made.splice(0)) await revoke('undo', id);
  for (const gateway of [one, other])
    await eventually(async () => (await asked(gateway, await gateway.issuer.token('alice'))) === 'served');
});

/** Returns the code with which a request is refused, or `served`. */
const asked = async (gateway: GatewayProcess, token: string): Promise<string> => {
  const answer = await fetch(`${gateway.url()}/api/list_models`, { headers: { authorization: `Bearer ${token}` } });
  const { status } = answer;
  const body = (await answer.json()) as { code?: string };
  return status < 300 ? 'served' : `${status} ${body.code}`;
};

/** A socket that its client has authenticated, and how it is closed. */
const openSocket = async (gateway: GatewayProcess, token: string) => {
  const url = `ws://127.0.0.1:${portOf(gateway.url())}/socket.io/?EIO=4&transport=websocket`;
  const socket = new WebSocket(url, { perMessageDeflate: false });
  const packets: string[] = [];
  socket.on('message', (data) => packets.push(String(data)));
  socket.on('error', () => undefined);
  socket.on('open', () => socket.send(`40${JSON.stringify({ token })}`));
  const state = { closed: undefined as string | undefined };
  socket.on('close', (code, reason) => {
    state.closed = `${code} ${reason}`;
  });
  await eventually(() => packets.some((packet) => packet.startsWith('40') || packet.startsWith('44')));
  return { socket, packets, closed: () => state.closed };
};

/** How many sockets a gateway has ended because of revocations, or for another reason, and how many within a second. */
const lag = async (gateway: GatewayProcess, because = 'revocation'): Promise<{ all: number; inTime: number }> => {
  const text = await (await fetch(`${gateway.adminUrl()}/metrics`)).text();
  const value = (name: string): number => {
    const line = text.split('\n').find((one) => one.startsWith(`gateway_socket_authority_lag_seconds_${name} `));
    return Number(line?.split(' ').at(-1) ?? 0);
  };
  return { all: value(`count{because="${because}"}`), inTime: value(`bucket{le="1",because="${because}"}`) };
};

test('a user who is revoked is out everywhere within a second, and nobody else is', async () => {
  const [alice, bob] = [await one.issuer.token('alice'), await one.issuer.token('bob')];
  const before = await Promise.all([one, other].map((gateway) => lag(gateway)));
  for (const gateway of [one, other]) expect(await asked(gateway, alice)).toBe('served');
  const hers = await Promise.all([openSocket(one, alice), openSocket(other, alice), openSocket(other, alice)]);
  const his = await Promise.all([openSocket(one, bob), openSocket(other, bob)]);

  expect(await revokeFor('user', 'test|alice', '--note', 'left')).toBe(2);
  expect(await asked(other, alice)).toBe('401 token-revoked');
  await eventually(() => hers.every(({ closed }) => closed() !== undefined));
  expect(hers.map(({ closed }) => closed())).toEqual(Array(3).fill('4401 token-revoked'));
  expect(await asked(one, alice)).toBe('401 token-revoked');

  const after = await Promise.all([one, other].map((gateway) => lag(gateway)));
  expect(after.map(({ all }, index) => all - (before[index]?.all ?? 0))).toEqual([1, 2]);
  expect(after.every(({ all, inTime }) => all === inTime)).toBe(true);
  expect(his.map(({ closed }) => closed())).toEqual([undefined, undefined]);
  for (const gateway of [one, other]) expect(await asked(gateway, bob)).toBe('served');
  for (const { socket } of his) socket.terminate();
});

test('a token that merely expires takes its socket along too, within the same bound', async () => {
  const before = await lag(one, 'expiry');
  const { closed } = await openSocket(one, await one.issuer.token('carol', { expiresInSeconds: 2 }));
  await eventually(() => closed() !== undefined);
  expect(closed()).toBe('4401 authority-expired');
  const after = await lag(one, 'expiry');
  expect([after.all - before.all, after.inTime - before.inTime]).toEqual([1, 1]);
});

test('no new socket is opened with a revoked token', async () => {
  const alice = await one.issuer.token('alice');
  await revokeFor('user', 'test|alice');
  const { packets } = await openSocket(other, alice);
  expect(packets.at(-1)).toContain('"code":"token-revoked"');
});

test('a token that was issued later is good', async () => {
  await revokeFor('user', 'test|alice');
  const early = await one.issuer.token('alice');
  await eventually(async () => (await asked(other, await one.issuer.token('alice'))) === 'served');
  await eventually(async () => (await asked(one, early)) === '401 token-revoked');
});

test('a restart forgets nothing', async () => {
  const alice = await one.issuer.token('alice');
  await revokeFor('user', 'test|alice', '--until', '1h');
  await one.kill();
  await one.restart();
  expect(await asked(one, alice)).toBe('401 token-revoked');
  // It has taken the admin token over.
  await other.kill();
  await other.restart();
  expect(await asked(other, alice)).toBe('401 token-revoked');
});

test('everything that was issued before a moment is out, whoever’s it is', async () => {
  const [alice, bob] = [await one.issuer.token('alice'), await one.issuer.token('bob')];
  const sockets = await Promise.all([openSocket(one, alice), openSocket(other, bob)]);
  const ended = await revokeFor('issued-before', new Date(Date.now() + 2000).toISOString(), '--issuer', 'test');
  expect(ended).toBe(1);
  await eventually(() => sockets.every(({ closed }) => closed() === '4401 token-revoked'));
  for (const token of [alice, bob]) expect(await asked(one, token)).toBe('401 token-revoked');
});

test('who may be revoked is nobody’s business: users, strangers and the public listener are refused', async () => {
  const type = { 'content-type': 'application/json' };
  const body = JSON.stringify({ user: 'test|bob' });
  const authorization = `Bearer ${await one.issuer.token('alice')}`;
  const post = async (url: string, headers: object) =>
    (await fetch(`${url}/revocations`, { method: 'POST', body, headers: { ...type, ...headers } })).status;
  expect(await post(other.adminUrl(), { authorization })).toBe(401);
  expect(await post(other.adminUrl(), {})).toBe(401);
  expect((await fetch(`${other.adminUrl()}/revocations`)).status).toBe(401);
  expect(await post(other.url(), { authorization })).toBe(404);
  expect(await asked(other, await one.issuer.token('bob'))).toBe('served');
});
