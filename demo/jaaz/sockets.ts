/** The Socket.IO side (contract section 4): everybody may come in, and everything goes to everybody. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { Server } from 'socket.io';
import { dumpsFrame, type Json } from './python-json.ts';

/** The part of engine.io's server that is called here; socket.io's types hide it behind a base class. */
interface Engine {
  handleRequest(request: IncomingMessage, response: ServerResponse): void;
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

export type Sockets = ReturnType<typeof openSockets>;

/** Returns the hub of all sockets; requests and upgrades are handed to it by the HTTP server. */
export function openSockets() {
  // Attached to a server that never listens: engine.io's own listeners match raw path prefixes, the upstream decoded ones.
  const io = new Server(createServer(), {
    path: '/socket.io/',
    serveClient: false,
    cors: { origin: true, credentials: true },
    pingInterval: 25_000,
    pingTimeout: 20_000,
    maxHttpBufferSize: 1_000_000,
    perMessageDeflate: false,
  });
  const engine = io.engine as unknown as Engine;

  io.use((socket, next) => {
    // Written by hand since the event goes out BEFORE the acknowledgement of the connection, measured upstream.
    socket.conn.write(`2${dumpsFrame(['connected', { status: 'connected' }])}`);
    next();
  });
  io.on('connection', (socket) => {
    socket.on('ping', (...args: unknown[]) => {
      const acknowledge = args.at(-1);
      const payload = typeof acknowledge === 'function' ? args.slice(0, -1) : args;
      socket.emit('pong', ...payload.slice(0, 1));
      if (typeof acknowledge === 'function') acknowledge();
    });
  });

  return {
    count: () => io.sockets.sockets.size,
    request: (request: IncomingMessage, response: ServerResponse) => engine.handleRequest(request, response),
    upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
      socket.on('error', () => socket.destroy());
      engine.handleUpgrade(request, socket, head);
    },
    /** To every socket, one after the other; there is no room and no owner. */
    broadcast(event: string, payload: unknown): void {
      const text = `2${dumpsFrame([event, payload as Json])}`;
      for (const socket of io.sockets.sockets.values()) socket.conn.write(text);
    },
    close: () => io.close(),
  };
}

/** Returns true for the paths that reach Socket.IO: a prefix, after decoding. */
export function isSocketPath(path: string): boolean {
  return path === '/socket.io' || path.startsWith('/socket.io/');
}
