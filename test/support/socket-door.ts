/** The sockets behind a real HTTP server on port 0, with a table of tokens, and ways to speak to them badly. */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket as NetSocket } from 'node:net';
import { io, type Socket } from 'socket.io-client';
import WebSocket from 'ws';
import type { AuditRecord } from '../../src/model/audit.ts';
import { cookieIn, SESSION_COOKIE } from '../../src/model/cookie.ts';
import type { Principal } from '../../src/model/principal.ts';
import { Rejection } from '../../src/model/rejection.ts';
import { inbound } from '../../src/realtime/inbound.ts';
import { lifetime } from '../../src/realtime/lifetime.ts';
import { canonical } from '../../src/server/canonical.ts';
import type { Identify } from '../../src/server/socket-handshake.ts';
import { type SocketsOptions, sockets } from '../../src/server/sockets.ts';
import { socketRule } from './session-events.ts';

const FAR = 8_000_000_000_000;

export const principal = (user: string, expiresAtMillis = FAR): Principal =>
  ({
    owner: `demo|${user}`,
    issuer: 'demo',
    user,
    roles: [],
    tokenId: undefined,
    expiresAtMillis,
  }) as unknown as Principal;

const people = new Map([
  ['alice-token', principal('alice')],
  ['bob-token', principal('bob')],
]);

/** By token Alice and Bob, by cookie nobody; everything else is refused as forged. */
export const identifyByTable =
  (tokens: ReadonlyMap<string, Principal> = people, sessions: ReadonlyMap<string, Principal> = new Map()): Identify =>
  ({ headers }, token) => {
    const value = cookieIn(headers.get('cookie'), SESSION_COOKIE);
    const session = value === undefined ? undefined : sessions.get(value);
    if (token !== undefined) {
      const shown = tokens.get(token);
      if (shown === undefined) throw new Rejection('token-signature', 'no such token');
      if (session !== undefined && session.owner !== shown.owner) throw new Rejection('credentials-differ', 'two');
      return shown;
    }
    if (value !== undefined && session === undefined) throw new Rejection('session-ended', 'no such session');
    return session;
  };

/** Somebody who is known by a session. */
export const sessionOf = (user: string, expiresAtMillis = FAR, roles: readonly string[] = []): Principal =>
  ({ ...principal(user, expiresAtMillis), sessionId: `session of ${user}`, roles }) as Principal;

export type Door = Awaited<ReturnType<typeof openDoor>>;

export const openDoor = async (options: Partial<SocketsOptions> & { perSecond?: number; burst?: number } = {}) => {
  const records: AuditRecord[] = [];
  const watched = lifetime({ slotMillis: 20 });
  const door = sockets({
    rule: socketRule,
    identify: identifyByTable(),
    canonical: canonical({ hosts: undefined, trustedProxies: [] }),
    inbound: inbound({
      accept: socketRule.accept,
      ...(options.perSecond === undefined ? {} : { packetsPerSecond: options.perSecond }),
      ...(options.burst === undefined ? {} : { burst: options.burst }),
    }),
    lifetime: watched,
    origins: ['https://app.example'],
    onDecision: (record) => records.push(record),
    ...options,
  });
  const server = createServer((request, response) => door.handleRequest(request, response) || notFound(response));
  const transports = new Set<NetSocket>();
  server.on('connection', (socket) => {
    transports.add(socket);
    socket.on('close', () => transports.delete(socket));
  });
  server.on('upgrade', door.handleUpgrade);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const clients: Socket[] = [];

  return {
    ...door,
    port,
    records,
    transports,
    reasons: () => records.map((record) => record.reason).filter((reason) => reason !== undefined),
    /** A client as the page has it: WebSocket only. */
    client(auth: object | undefined, more: object = {}): Socket {
      const client = io(`http://127.0.0.1:${port}`, {
        transports: ['websocket'],
        forceNew: true,
        reconnection: false,
        ...(auth === undefined ? {} : { auth }),
        ...more,
      });
      clients.push(client);
      return client;
    },
    /** A bare WebSocket, with the packets it got. */
    raw: (query = 'EIO=4&transport=websocket', headers: Record<string, string> = {}, path = '/socket.io/') =>
      rawSocket(`ws://127.0.0.1:${port}${path}?${query}`, headers),
    async stop() {
      for (const client of clients) client.disconnect();
      await door.close();
      watched.close();
      server.closeAllConnections();
      server.close();
    },
  };
};

const notFound = (response: ServerResponse): unknown => response.writeHead(404).end();

const rawSocket = (url: string, headers: Record<string, string>) => {
  const socket = new WebSocket(url, { headers, perMessageDeflate: false });
  const packets: string[] = [];
  let status: number | undefined;
  let body = '';
  socket.on('message', (data) => packets.push(String(data)));
  socket.on('error', () => undefined);
  socket.on('unexpected-response', (_, response) => {
    status = response.statusCode;
    response.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    response.on('close', () => socket.terminate());
  });
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  return { socket, packets, closed, status: () => status, body: () => body };
};

/** Resolves when the condition holds; rejects with what it was after ten seconds. */
export const until = async (condition: () => boolean): Promise<void> => {
  const deadline = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`never held: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};

/** Resolves when a client is connected, and rejects with its CONNECT_ERROR. */
export const connected = (client: Socket): Promise<void> =>
  new Promise((resolve, reject) => {
    client.on('connect', () => resolve());
    client.on('connect_error', reject);
  });

/** Resolves with the CONNECT_ERROR of a client that must not get in. */
export const refusal = (client: Socket): Promise<Error & { data?: unknown }> =>
  connected(client).then(
    () => Promise.reject(new Error('it connected')),
    (error) => error,
  );
