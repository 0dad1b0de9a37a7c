/**
 * Connection state recovery as a way to what is another's: Socket.IO's own hands the packets of a session to whoever shows
 * its `pid`, and by default without asking the middlewares again.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';
import { io, type Socket } from 'socket.io-client';
import { afterEach, describe, expect, test } from 'vitest';
import type { Principal } from '../../src/model/principal.ts';
import { type TestHistory, testHistory } from '../support/history.ts';
import { connected, type Door, identifyByTable, openDoor, principal, refusal, until } from '../support/socket-door.ts';

/** What a client keeps of its session. */
const stateOf = (client: Socket): { pid: string; offset: string } => {
  const { _pid: pid, _lastOffset: offset } = client as unknown as { _pid: string; _lastOffset: string };
  return { pid, offset };
};

test('Socket.IO’s own recovery gives a session to whoever shows its pid', async () => {
  const http = createServer();
  const server = new Server(http, { connectionStateRecovery: { maxDisconnectionDuration: 10_000 } });
  server.use((socket, next) => next(socket.handshake.auth.token === 'alice-token' ? undefined : new Error('no')));
  server.on('connection', (socket) => void socket.join('alice'));
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const alice = io(url, { transports: ['websocket'], forceNew: true, auth: { token: 'alice-token' } });
  const first = new Promise((resolve) => alice.once('secret', resolve));
  await connected(alice);
  await until(() => server.sockets.adapter.rooms.has('alice'));
  server.to('alice').emit('secret', 'one');
  await first;
  const state = stateOf(alice);
  alice.io.engine.close();
  alice.io.reconnection(false);
  await until(() => server.sockets.sockets.size === 0);
  server.to('alice').emit('secret', 'two');
  const mallory = io(url, { transports: ['websocket'], forceNew: true, auth: state });
  expect(await new Promise((resolve) => mallory.once('secret', resolve))).toBe('two');
  for (const client of [alice, mallory]) client.disconnect();
  await server.close();
});

let door: Door;
let memory: TestHistory;
const tokens = new Map<string, Principal>();
afterEach(async () => {
  await door?.stop();
  memory?.missed.close();
});

const BROWSER = { extraHeaders: { 'user-agent': 'Mozilla/5.0' } };

const listen = (client: Socket): unknown[] => {
  const heard: unknown[] = [];
  client.on('session_update', ({ n }) => heard.push(n));
  client.on('gateway', (notice) => heard.push(notice));
  return heard;
};

const tell = (n: number, user = 'alice', session = `${user}-s`): number =>
  door.channels.send(
    `demo|${user}`,
    { name: 'session_update', payload: { n } },
    memory.session(session, `demo|${user}`),
  );

const LOST = { type: 'history', recovered: false };

/** Alice has heard event 1, is away, and misses event 2. Returns her client's state, and how she comes back. */
const aliceIsAway = async () => {
  memory = testHistory();
  tokens.clear();
  for (const user of ['alice', 'bob']) tokens.set(`${user}-token`, principal(user));
  door = await openDoor({ history: memory.history, identify: identifyByTable(tokens) });
  const alice = door.client({ token: 'alice-token' }, BROWSER);
  const heard = listen(alice);
  await connected(alice);
  tell(1);
  await until(() => heard.length === 1);
  const state = stateOf(alice);
  alice.io.engine.close();
  await until(() => door.count() === 0);
  tell(2);
  return { alice, heard, state };
};

/** Who connects so, and what they have heard when an event of their own has come. */
const comes = async (user: string, auth: object): Promise<{ client: Socket; heard: unknown[] }> => {
  const client = door.client({ token: `${user}-token`, ...auth }, BROWSER);
  const heard = listen(client);
  await connected(client);
  await until(() => door.count() > 0);
  tell(99, user);
  await until(() => heard.includes(99));
  return { client, heard };
};

describe('the pid of another', () => {
  test('brings nothing of what is hers, and takes nothing from her', async () => {
    const { alice, heard, state } = await aliceIsAway();
    await comes('bob', {});
    const bob = await comes('bob', state);
    expect(bob.heard).toEqual([LOST, 99]);
    expect(bob.client.recovered).toBe(false);
    const { pid } = stateOf(bob.client);
    expect([pid, pid.slice(0, 22)]).not.toEqual([state.pid, state.pid.slice(0, 22)]);
    alice.connect();
    await until(() => heard.length === 3);
    expect(heard).toEqual([1, 2, { type: 'history', recovered: true, missed: 1 }]);
  });

  test.each([
    ['with an offset from far before', (offset: string) => String(Number(offset) - 1)],
    ['with an offset of the future', (offset: string) => String(Number(offset) + 1)],
    ['with none', () => undefined],
  ])('brings nothing %s', async (_, change) => {
    const { state } = await aliceIsAway();
    const bob = await comes('bob', { pid: state.pid, offset: change(state.offset) });
    expect(bob.heard).toEqual([LOST, 99]);
  });

  test('is no credential: without a token, or with a forged one, nobody gets in', async () => {
    const { state } = await aliceIsAway();
    expect((await refusal(door.client(state, BROWSER))).data).toMatchObject({ code: 'token-missing' });
    const forged = door.client({ ...state, token: 'forged' }, BROWSER);
    expect((await refusal(forged)).data).toMatchObject({ code: 'token-signature' });
    expect(memory.returned).toEqual([]);
  });
});

describe('what was hers', () => {
  test('is not sent to a user whose token is good no more', async () => {
    const { state } = await aliceIsAway();
    tokens.delete('alice-token');
    const raw = door.raw('EIO=4&transport=websocket', { 'user-agent': 'Mozilla/5.0' });
    await until(() => raw.packets.length === 1);
    raw.socket.send(`40${JSON.stringify({ token: 'alice-token', ...state })}`);
    await raw.closed;
    expect(raw.packets.slice(1)).toEqual([expect.stringContaining('44{')]);
  });

  test('and is another’s now, or nobody’s, is not sent to her', async () => {
    const { alice, heard } = await aliceIsAway();
    tell(3, 'alice', 'given-away');
    tell(4, 'alice', 'deleted');
    tell(5);
    memory.owners.set('session:given-away', 'demo|bob');
    memory.owners.delete('session:deleted');
    alice.connect();
    await until(() => heard.length === 4);
    expect(heard).toEqual([1, 2, 5, { type: 'history', recovered: true, missed: 2 }]);
    expect(memory.returned).toEqual([{ recovered: true, missed: 2, refused: 2 }]);
  });
});

test.each([
  ['objects', { pid: { $ne: '' }, offset: { $gt: '' } }],
  ['lists', { pid: [['x']], offset: ['1'] }],
  ['numbers', { pid: 1, offset: 1e308 }],
  ['nothing', { pid: null, offset: null }],
  ['long texts', { pid: 'A'.repeat(40_000), offset: '9'.repeat(40_000) }],
  ['names of the language', { pid: '__proto__', offset: 'constructor' }],
  ['control characters', { pid: '\u0000.\n', offset: '\u0000' }],
])('a pid and an offset that are %s are no error, and give nothing', async (_, auth) => {
  await aliceIsAway();
  const alice = await comes('alice', auth);
  expect(alice.heard).toEqual([LOST, 99]);
  expect(door.records.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
});
