/** A server that speaks WebSocket without Socket.IO, on port 0: what it was asked, and who is connected. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws';

export interface UpstreamPeer {
  readonly socket: WebSocket;
  readonly request: IncomingMessage;
  /** What it heard, texts and bytes. */
  readonly heard: Array<string | Buffer>;
  readonly pings: () => number;
  /** With which it was closed, once it was. */
  readonly closed: () => { readonly code: number; readonly reason: string } | undefined;
  say(value: unknown): void;
}

export interface WebSocketUpstream extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly server: Server;
  /** In the order in which they came. */
  readonly peers: readonly UpstreamPeer[];
  /** The heads of all handshakes, refused ones among them. */
  readonly asked: readonly IncomingMessage[];
  /** TCP connections that are open. */
  open(): number;
}

export interface UpstreamOptions extends ServerOptions {
  /** Called with each connection at once, before it has heard anything. */
  readonly greet?: (peer: UpstreamPeer) => void;
  /** Answers a handshake plainly instead; returns false to let it go on. */
  readonly answer?: (request: IncomingMessage, socket: Socket) => boolean;
}

export const webSocketUpstream = async (options: UpstreamOptions = {}): Promise<WebSocketUpstream> => {
  const { greet, answer, ...more } = options;
  const peers: UpstreamPeer[] = [];
  const asked: IncomingMessage[] = [];
  const transports = new Set<Socket>();
  const wss = new WebSocketServer({ noServer: true, perMessageDeflate: false, ...more });
  const server = createServer((_, response) => response.writeHead(404).end());
  server.on('connection', (socket) => {
    transports.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => transports.delete(socket));
  });
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    asked.push(request);
    if (answer?.(request, socket) === true) {
      // Whoever does not read does not hear of the end either.
      socket.resume().on('end', () => socket.destroy());
      return;
    }
    wss.handleUpgrade(request, socket, head, (client) => {
      const peer = peerOf(client, request);
      peers.push(peer);
      greet?.(peer);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    server,
    peers,
    asked,
    open: () => transports.size,
    async [Symbol.asyncDispose]() {
      for (const socket of transports) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

const peerOf = (socket: WebSocket, request: IncomingMessage): UpstreamPeer => {
  const heard: Array<string | Buffer> = [];
  let pings = 0;
  let closed: { code: number; reason: string } | undefined;
  socket.on('message', (data: Buffer, isBinary) => heard.push(isBinary ? data : data.toString('utf8')));
  socket.on('ping', () => {
    pings += 1;
  });
  socket.on('error', () => undefined);
  socket.on('close', (code, reason) => {
    closed = { code, reason: reason.toString('utf8') };
  });
  return {
    socket,
    request,
    heard,
    pings: () => pings,
    closed: () => closed,
    say: (value) => socket.send(typeof value === 'string' || Buffer.isBuffer(value) ? value : JSON.stringify(value)),
  };
};
