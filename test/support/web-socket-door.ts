/** The raw WebSockets behind a real HTTP server on port 0, with the real stages, a ledger in memory and a table of tokens. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import WebSocket, { type ClientOptions } from 'ws';
import type { AuditRecord } from '../../src/model/audit.ts';
import type { Policy } from '../../src/model/policy.ts';
import type { Principal } from '../../src/model/principal.ts';
import { messageLife } from '../../src/pipeline/message.ts';
import type { MessageStages } from '../../src/pipeline/message-line.ts';
import { inbound } from '../../src/realtime/inbound.ts';
import { type LifetimeOptions, lifetime } from '../../src/realtime/lifetime.ts';
import { outboundHeaders } from '../../src/rewrite/headers.ts';
import { canonical } from '../../src/server/canonical.ts';
import { type WebSocketsOptions, webSockets } from '../../src/server/web-sockets.ts';
import { tunnelTo } from '../../src/upstream/tunnel.ts';
import { webSocketDial } from '../../src/upstream/web-socket.ts';
import { messageStages } from './message-stages.ts';
import { identifyByTable } from './socket-door.ts';
import { policyFrom, principalOf } from './stages.ts';

/** Sessions belong to canvases; a chat speaks of sessions, a terminal of bytes. */
export const AGENT_POLICY = `version: 1
name: agents
resources:
  canvas: { id: '[a-z0-9-]{1,32}', reserved: [list] }
  session: { id: '[a-z0-9-]{1,32}', parent: canvas }
  file: { id: '[a-z]{2}_[a-z0-9]{4}[.]png', parent: session, url: /api/file/ }
routes:
  - { id: page, match: GET /, access: public }
sockets:
  - id: agent
    path: /ws/agent
    protocol: websocket
    token: [header, query]
    subprotocols: [chat.v1, chat.v2]
    type: kind
    max: 64KiB
    send:
      subscribe: { own: { session: session_id } }
      say: { own: { session: session_id }, max: 4KiB, schema: { type: object, additional: refuse, required: [text], properties: { kind: { type: string }, session_id: { type: string }, text: { type: string } } } }
      open: { own: { canvas: canvas_id }, create: { session: session_id } }
      ping: { shared: true }
    deliver:
      delta: { owner: { session: session_id }, agree: { canvas: canvas_id }, redact: [secret], relative: true }
      image: { owner: { session: session_id }, learn: { file: [url] } }
      hello: { for: everyone }
  - { id: canvas, path: '/ws/canvas/{canvas}', protocol: websocket, token: [header], forward-to: /live, type: kind, max: 1KiB, send: { ping: { shared: true } }, deliver: { hello: { for: everyone } } }
  - { id: staff, path: /ws/staff, protocol: websocket, token: [header], roles: [admin], type: kind, max: 1KiB, send: { ping: { shared: true } } }
  - { id: terminal, path: '/ws/terminal/{session}', protocol: websocket, token: [header, query], subprotocols: [tty], opaque: true, idle: 1m }
`;

export const people = (): Map<string, Principal> =>
  new Map([
    ['ann-token', principalOf('ann')],
    ['bob-token', principalOf('bob')],
    ['eve-token', principalOf('eve', ['admin'])],
  ]);

export type Gate = Awaited<ReturnType<typeof openGate>>;

export interface GateOptions extends Partial<Omit<WebSocketsOptions, 'rules' | 'life'>> {
  readonly upstreamUrl: string;
  /** Asked whenever the rules are. */
  readonly policy?: () => Policy;
  readonly stages?: Partial<MessageStages>;
  readonly tokens?: ReadonlyMap<string, Principal>;
  /** By the value of their cookies. */
  readonly sessions?: ReadonlyMap<string, Principal>;
  readonly prolong?: LifetimeOptions['prolong'];
  readonly perSecond?: number;
  readonly burst?: number;
  readonly connectMillis?: number;
}

const agentPolicy = policyFrom(AGENT_POLICY);

export const openGate = async (options: GateOptions) => {
  const parts = await partsOf(options);
  const door = webSockets(doorOptions(options, parts));
  const server = createServer((_, response) => response.writeHead(404).end());
  const transports = new Set<Socket>();
  server.on('connection', (socket) => {
    transports.add(socket);
    socket.on('close', () => transports.delete(socket));
  });
  server.on('upgrade', (incoming, socket, head) => door.handleUpgrade(incoming, socket, head));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const sockets: WebSocket[] = [];

  return {
    ...door,
    ...parts,
    port,
    transports,
    reasons: () => parts.records.map(({ reason }) => reason).filter((reason) => reason !== undefined),
    /** A client of somebody; without a user, of nobody. */
    client(path: string, user?: string, more: ClientOptions & { readonly protocols?: string[] } = {}) {
      const { protocols = [], headers, ...rest } = more;
      const authorization = user === undefined ? {} : { authorization: `Bearer ${user}-token` };
      const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, protocols, {
        perMessageDeflate: false,
        headers: { ...authorization, ...headers },
        ...rest,
      });
      sockets.push(socket);
      return clientOf(socket);
    },
    /** A bare connection, after the bytes given. */
    wire(bytes: string): Socket {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write(bytes, 'latin1');
      return socket;
    },
    async stop() {
      for (const socket of sockets) socket.terminate();
      await door.close();
      parts.watched.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

/** The stores, and what the door tells. */
const partsOf = async ({ stages: more, now, prolong }: GateOptions) => {
  const { stages, ...parts } = await messageStages({ stages: { patienceMillis: 200, retryMillis: 5, ...more } });
  const records: AuditRecord[] = [];
  const watched = lifetime({ slotMillis: 20, ...(now && { now }), ...(prolong && { prolong }) });
  return { ...parts, records, life: messageLife(stages), watched };
};

const doorOptions = (options: GateOptions, parts: Awaited<ReturnType<typeof partsOf>>): WebSocketsOptions => {
  const { upstreamUrl: url, policy = () => agentPolicy, tokens = people(), connectMillis = 10_000 } = options;
  const { perSecond: packetsPerSecond = 1e6, burst = 1e6 } = options;
  const paced = inbound({ accept: new Map(), packetsPerSecond, burst });
  return {
    rules: () => policy().webSockets,
    canonical: canonical({ hosts: undefined, trustedProxies: [] }),
    origins: ['https://app.example'],
    identify: identifyByTable(tokens, options.sessions),
    ownersOf: parts.lookup.ownersOf,
    headers: (request, principal) => outboundHeaders({ ...request, headers: new Map() }, principal, true),
    dial: webSocketDial({ url, connectMillis, closeMillis: 500 }),
    bore: tunnelTo({ url, connectMillis }),
    life: parts.life,
    pace() {
      const judge = paced();
      return (nowMillis) => judge.packet(undefined, nowMillis) === 'fine';
    },
    lifetime: parts.watched,
    onDecision: (record) => parts.records.push(record),
    tickMillis: 20,
    closeMillis: 500,
    ...options,
  };
};

export type Client = ReturnType<typeof clientOf>;

const clientOf = (socket: WebSocket) => {
  const heard: string[] = [];
  let body = '';
  let status: number | undefined;
  let headers: Readonly<Record<string, unknown>> = {};
  let end: { readonly code: number; readonly reason: string } | undefined;
  socket.on('message', (data) => heard.push(String(data)));
  socket.on('error', () => undefined);
  socket.on('unexpected-response', (_, response) => {
    status = response.statusCode;
    headers = response.headers;
    response.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    response.on('close', () => socket.terminate());
  });
  const opened = new Promise<void>((resolve, reject) => {
    socket.once('open', () => resolve());
    socket.once('close', () => reject(new Error(`it never opened: ${status} ${body}`)));
  });
  opened.catch(() => undefined);
  const closed = new Promise<{ readonly code: number; readonly reason: string }>((resolve) => {
    socket.on('close', (code, reason) => {
      end = { code, reason: reason.toString('utf8') };
      resolve(end);
    });
  });
  return {
    socket,
    heard,
    opened,
    closed,
    end: () => end,
    say: (value: unknown) =>
      socket.send(typeof value === 'string' || Buffer.isBuffer(value) ? value : JSON.stringify(value)),
    /** The answer to a handshake that was refused. */
    async refused() {
      await closed;
      const { code } = body === '' ? { code: undefined } : (JSON.parse(body) as { code: string });
      return { status, code, headers, body };
    },
  };
};
