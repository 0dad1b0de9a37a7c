import { once } from 'node:events';
import { createServer, type Server as HttpServer } from 'node:http';
import { type AddressInfo, createServer as createNetServer } from 'node:net';
import { Server } from 'socket.io';
import { afterEach, describe, expect, test } from 'vitest';
import type { UpstreamEvent } from '../../src/model/event.ts';
import { type BroadcastNotice, connectBroadcast } from '../../src/upstream/broadcast.ts';
import type { Broadcast } from '../../src/upstream/origin.ts';
import { until } from '../support/socket-door.ts';

/** A real Socket.IO server that can be killed, without a word to anybody, and come back on its port. */
const upstream = async (port = 0) => {
  const http = createServer();
  const io = new Server(http, { path: '/socket.io/', maxHttpBufferSize: 1e9 });
  const extensions: unknown[] = [];
  let connections = 0;
  io.on('connection', (socket) => {
    connections += 1;
    extensions.push(socket.request.headers['sec-websocket-extensions']);
    socket.emit('connected', { status: 'connected' });
  });
  http.listen(port, '127.0.0.1');
  await once(http, 'listening');
  return {
    io,
    port: (http.address() as AddressInfo).port,
    extensions,
    connections: () => connections,
    open: () => io.engine.clientsCount,
    kill: () => kill(io, http),
  };
};

const kill = async (io: Server, http: HttpServer): Promise<void> => {
  http.closeAllConnections();
  for (const socket of io.sockets.sockets.values())
    (socket.conn as unknown as { close(now: boolean): void }).close(true);
  await new Promise<void>((resolve) => void http.close(() => resolve()));
};

/** Where an upstream will be: every connection is cut and counted. */
const refusing = async () => {
  let attempts = 0;
  const server = createNetServer((socket) => {
    attempts += 1;
    socket.destroy();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    attempts: () => attempts,
    stop: () => new Promise<void>((resolve) => void server.close(() => resolve())),
  };
};

type Upstream = Awaited<ReturnType<typeof upstream>>;
const running: Upstream[] = [];
const listening: Broadcast[] = [];

const start = async (port?: number): Promise<Upstream> => {
  const server = await upstream(port);
  running.push(server);
  return server;
};

const listen = (port: number, now?: () => number) => {
  const events: UpstreamEvent[] = [];
  const gaps: number[] = [];
  const notices: BroadcastNotice[] = [];
  const broadcast = connectBroadcast({
    url: `http://127.0.0.1:${port}`,
    path: '/socket.io/',
    notice: (notice) => notices.push(notice),
    reconnectMinMillis: 20,
    reconnectMaxMillis: 100,
    ...(now === undefined ? {} : { now }),
  });
  listening.push(broadcast);
  broadcast.onEvent((event) => events.push(event));
  broadcast.onGap((since) => gaps.push(since));
  return { broadcast, events, gaps, notices, kinds: () => notices.map(({ kind }) => kind) };
};

afterEach(async () => {
  for (const broadcast of listening.splice(0)) broadcast.close();
  for (const server of running.splice(0)) await server.kill();
});

describe('the broadcast', () => {
  test('hands out every event in the order in which it was heard', async () => {
    const server = await start();
    const { broadcast, events } = listen(server.port);
    await until(() => broadcast.connected());
    for (let n = 0; n < 500; n += 1) server.io.emit('session_update', { n });
    await until(() => events.length === 501);
    expect(events[0]).toEqual({ name: 'connected', payload: { status: 'connected' } });
    expect(events.slice(1).map(({ payload }) => payload.n)).toEqual(Array.from({ length: 500 }, (_, n) => n));
  });

  test('does not offer compression', async () => {
    const server = await start();
    const { broadcast } = listen(server.port);
    await until(() => broadcast.connected());
    expect(server.extensions).toEqual([undefined]);
  });

  test('takes a message of 110 million bytes', async () => {
    const server = await start();
    const { broadcast, events } = listen(server.port);
    await until(() => broadcast.connected());
    server.io.emit('session_update', { text: 'x'.repeat(110_000_000) });
    await until(() => events.length === 2);
    expect(String(events[1]?.payload.text)).toHaveLength(110_000_000);
  });

  test('drops what is no single object, and says so', async () => {
    const server = await start();
    const { broadcast, events, notices } = listen(server.port);
    await until(() => broadcast.connected() && events.length === 1);
    server.io.emit('a', 'text');
    server.io.emit('b', [1]);
    server.io.emit('c', null);
    server.io.emit('d');
    server.io.emit('e', {}, {});
    server.io.emit('f', Buffer.from('x'));
    server.io.emit('g', { fine: true });
    await until(() => events.length === 2);
    expect(notices.filter(({ kind }) => kind === 'payload-dropped').map(({ detail }) => detail)).toEqual([
      ...['a', 'b', 'c', 'd', 'e', 'f'],
    ]);
  });

  test('outlives a listener that throws', async () => {
    const server = await start();
    const { broadcast, events, kinds } = listen(server.port);
    broadcast.onEvent(() => {
      throw new Error('listener');
    });
    await until(() => events.length === 1);
    server.io.emit('g', {});
    await until(() => events.length === 2);
    expect(kinds().filter((kind) => kind === 'listener-failed')).toHaveLength(2);
    expect(broadcast.connected()).toBe(true);
  });
});

describe('an upstream that goes away', () => {
  test('is found again when it is back, with one connection and the gap', async () => {
    let clock = 1_000;
    const first = await start();
    const { broadcast, events, gaps, kinds } = listen(first.port, () => clock);
    await until(() => events.length === 1);
    clock = 2_000;
    first.io.emit('session_update', { n: 1 });
    await until(() => events.length === 2);
    clock = 3_000;
    await first.kill();
    running.length = 0;
    await until(() => !broadcast.connected());
    clock = 9_000;
    const second = await start(first.port);
    await until(() => gaps.length === 1 && broadcast.connected());
    expect(gaps).toEqual([2_000]);
    second.io.emit('session_update', { n: 2 });
    await until(() => events.at(-1)?.payload.n === 2);
    expect(second.connections()).toBe(1);
    expect(second.open()).toBe(1);
    expect(kinds()).toEqual(['broadcast-connected', 'broadcast-lost', 'broadcast-connected']);
  });

  test('is waited for when it was never there, without a gap', async () => {
    const closedDoor = await refusing();
    const { broadcast, gaps } = listen(closedDoor.port);
    await until(() => closedDoor.attempts() >= 3);
    expect(broadcast.connected()).toBe(false);
    await closedDoor.stop();
    const server = await start(closedDoor.port);
    await until(() => broadcast.connected());
    expect(server.connections()).toBe(1);
    expect(gaps).toEqual([]);
  });

  test('is asked again when it ends or refuses the namespace', async () => {
    const server = await start();
    const { broadcast, gaps, kinds } = listen(server.port);
    await until(() => broadcast.connected());
    let refusals = 2;
    server.io.use((_, next) => {
      refusals -= 1;
      next(refusals >= 0 ? new Error('Unable to connect') : undefined);
    });
    server.io.disconnectSockets();
    await until(() => broadcast.connected() && gaps.length === 1);
    expect(kinds().filter((kind) => kind === 'broadcast-refused')).toHaveLength(2);
    expect(server.open()).toBe(1);
  });

  test('is left alone after close', async () => {
    const [left, asked] = [await refusing(), await refusing()];
    const { broadcast } = listen(left.port);
    await until(() => left.attempts() >= 2);
    broadcast.close();
    const attempts = left.attempts();
    listen(asked.port);
    await until(() => asked.attempts() >= 6);
    expect(left.attempts()).toBe(attempts);
    await Promise.all([left.stop(), asked.stop()]);
  });
});

test.each(['ftp://127.0.0.1', 'ws://127.0.0.1', 'nonsense'])('refuses the upstream %s', (url) => {
  expect(() => connectBroadcast({ url, path: '/socket.io/', notice: () => undefined })).toThrow(TypeError);
});
