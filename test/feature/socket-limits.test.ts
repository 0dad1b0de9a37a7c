/** The limits of sockets that gateway.yaml sets, on the whole gateway: each holds, and each says so. */
import { once } from 'node:events';
import { io, type Socket } from 'socket.io-client';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import WebSocket from 'ws';
import { eventually } from '../support/eventually.ts';
import { chatBody, jaazClient } from '../support/jaaz-client.ts';
import { jaazPolicy, withoutLimits } from '../support/policies.ts';
import { poller } from '../support/poller.ts';
import { startWorld, type World } from '../support/world.ts';

const LIMITS = {
  perUser: 2,
  perAddress: 4,
  packetsPerSecond: 1,
  burst: 10,
  waitingBytes: 3 << 20,
  connectMillis: 300,
};

let world: World;
let token: string;
let open: Array<{ close(): void }> = [];

beforeAll(async () => {
  const polling = ['token: [auth, header]', 'token: [auth, header]\n    transports: [websocket, polling]'] as const;
  const config = { sockets: LIMITS };
  world = await startWorld({ stepMillis: 0, config, policy: jaazPolicy(...withoutLimits, polling) });
  token = await world.issuer.token('alice');
});
afterEach(async () => {
  for (const one of open.splice(0)) one.close();
  open = [];
  await eventually(async () => (await gatewaySockets()) === 0);
});
afterAll(() => world.close());

const gatewaySockets = async (): Promise<number> => {
  const text = await (await fetch(`${world.gateway.adminUrl}/metrics`)).text();
  return Number(/^gateway_sockets(?:\{\})? (\d+)$/m.exec(text)?.[1]);
};

const port = (): number => Number(new URL(world.gateway.url).port);

/** Resolves with the client when it is connected; rejects with its CONNECT_ERROR. */
const connect = async (shown = token): Promise<Socket> => {
  const client = io(world.gateway.url, {
    transports: ['websocket'],
    forceNew: true,
    reconnection: false,
    auth: { token: shown },
  });
  open.push(client);
  await new Promise<void>((resolve, reject) => {
    client.once('connected', () => resolve());
    client.once('connect_error', reject);
  });
  return client;
};

/** A WebSocket that says nothing by itself, and how it ended. */
const dial = async (...packets: string[]) => {
  const socket = new WebSocket(`${world.gateway.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
  open.push({ close: () => socket.terminate() });
  socket.on('error', () => undefined);
  const closed = once(socket, 'close').then(([code, reason]) => [code, String(reason)]);
  await once(socket, 'open');
  for (const packet of packets) socket.send(packet);
  return { socket, closed };
};

test('of a user: another socket is refused with a code, and another user’s is not', async () => {
  await connect();
  await connect();
  await expect(connect()).rejects.toMatchObject({
    message: 'Too many connections are open.',
    data: { code: 'sockets-limited', message: 'Too many connections are open.' },
  });
  await connect(await world.issuer.token('bob'));
});

test('of an address: another socket is refused with a status, a code and a sentence', async () => {
  const [carol, bob] = [await world.issuer.token('carol'), await world.issuer.token('bob')];
  for (const one of [token, token, bob, carol]) await connect(one);
  const polls = poller(port());
  const { status, code, body } = await polls.ask({ token });
  expect([status, code, JSON.parse(body).detail]).toEqual([429, 'sockets-limited', 'Too many connections are open.']);
  polls.close();
  const socket = new WebSocket(`${world.gateway.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
  const [, response] = await once(socket, 'unexpected-response');
  expect([response.statusCode, response.headers['content-type']]).toEqual([429, 'application/problem+json']);
});

test('of packets: who sends more than the burst is ended with a code', async () => {
  const { socket, closed } = await dial(`40{"token":"${token}"}`);
  await eventually(async () => (await gatewaySockets()) === 1);
  for (let n = 0; n < 12; n += 1) socket.send('42["ping",1]');
  expect(await closed).toEqual([4429, 'rate-limited']);
});

test('of what waits: who does not read is ended, and who does hears all', async () => {
  const client = jaazClient({ url: world.gateway.url, token });
  await client.post('/api/canvas/create', chatBody({ canvas: 'c', session: 's', prompt: 'hello' }));
  const heard: string[] = [];
  const reader = await connect();
  reader.on('session_update', ({ note }) => note !== undefined && heard.push(note));
  const { socket } = await dial(`40{"token":"${token}"}`);
  await eventually(async () => (await gatewaySockets()) === 2);
  socket.pause();
  const text = 'x'.repeat(1 << 20);
  const slow = () => world.audit().some(({ reason }) => reason === 'receiver-slow');
  let sent = 0;
  while (!slow() && sent < 40) {
    sent += 1;
    world.upstream.broadcast('session_update', {
      session_id: 's',
      canvas_id: null,
      type: 'delta',
      note: `${sent}`,
      text,
    });
    await eventually(() => heard.length === sent);
  }
  expect(slow()).toBe(true);
  expect(reader.connected).toBe(true);
});

test('of time: who does not say who it is is ended', async () => {
  const { closed } = await dial();
  const began = performance.now();
  await closed;
  expect(performance.now() - began).toBeLessThan(5_000);
});
