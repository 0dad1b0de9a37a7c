/** Upstreams that can be killed, refuse or fall silent, and the broadcast that listens to them. */
import { once } from 'node:events';
import { createServer, type Server as HttpServer } from 'node:http';
import { type AddressInfo, connect, createServer as createNetServer, type Socket as NetSocket } from 'node:net';
import { Server } from 'socket.io';
import type { UpstreamEvent } from '../../src/model/event.ts';
import { type BroadcastNotice, connectBroadcast } from '../../src/upstream/broadcast.ts';
import type { Broadcast } from '../../src/upstream/origin.ts';

/** A real Socket.IO server that can be killed, without a word to anybody, and another one come in its place. */
const upstream = async (port = 0, options: object = {}) => {
  const http = createServer();
  const io = new Server(http, { path: '/socket.io/', maxHttpBufferSize: 1e9, ...options });
  const extensions: unknown[] = [];
  let connections = 0;
  let beats = 0;
  let dead: Promise<void> | undefined;
  io.on('connection', (socket) => {
    connections += 1;
    socket.conn.on('heartbeat', () => {
      beats += 1;
    });
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
    beats: () => beats,
    kill: () => (dead ??= kill(io, http)),
  };
};

const kill = async (io: Server, http: HttpServer): Promise<void> => {
  http.closeAllConnections();
  for (const socket of io.sockets.sockets.values())
    (socket.conn as unknown as { close(now: boolean): void }).close(true);
  await new Promise<void>((resolve) => void http.close(() => resolve()));
};

/** Where an upstream will be: every connection is cut and counted. */
export const refusing = async () => {
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

/** A line to an upstream that can fall silent: what is connected then stays so, and nothing gets through any more. */
export const relay = async (toPort: number) => {
  const lines = new Set<NetSocket>();
  const ends = new Set<NetSocket>();
  let most = 0;
  const server = createNetServer((near) => {
    const far = connect(toPort, '127.0.0.1');
    lines.add(near);
    most = Math.max(most, lines.size);
    near.on('close', () => lines.delete(near));
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      ends.add(one);
      one.on('data', (data) => other.write(data));
      one.on('error', () => undefined);
      one.on('close', () => {
        ends.delete(one);
        other.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    open: () => lines.size,
    most: () => most,
    mute(): void {
      for (const end of ends) end.removeAllListeners('data').on('data', () => undefined);
    },
    stop(): Promise<void> {
      for (const end of ends) end.destroy();
      return new Promise((resolve) => void server.close(() => resolve()));
    },
  };
};

type Upstream = Awaited<ReturnType<typeof upstream>>;
const running: Upstream[] = [];
const listening: Broadcast[] = [];

/** Starts an upstream; `stopAll` kills it. */
export const start = async (port?: number, options?: object): Promise<Upstream> => {
  const server = await upstream(port, options);
  running.push(server);
  return server;
};

/** Listens to one, and keeps all that it is told. */
export const listen = (port: number, now?: () => number, told: (notice: BroadcastNotice) => void = () => undefined) => {
  const events: UpstreamEvent[] = [];
  const gaps: Array<readonly [since: number, until: number]> = [];
  const notices: BroadcastNotice[] = [];
  const broadcast = connectBroadcast({
    url: `http://127.0.0.1:${port}`,
    path: '/socket.io/',
    notice(notice) {
      notices.push(notice);
      told(notice);
    },
    reconnectMinMillis: 20,
    reconnectMaxMillis: 100,
    ...(now === undefined ? {} : { now }),
  });
  listening.push(broadcast);
  broadcast.onEvent((event) => events.push(event));
  broadcast.onGap((...gap) => gaps.push(gap));
  return { broadcast, events, gaps, notices, kinds: () => notices.map(({ kind }) => kind) };
};

/** Ends all that were started. */
export const stopAll = async (): Promise<void> => {
  for (const broadcast of listening.splice(0)) broadcast.close();
  for (const server of running.splice(0)) await server.kill();
};
