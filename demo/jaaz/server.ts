/**
 * A stand-in for the Jaaz server: it keeps to the observable contract, quirks and holes included, so that attacks can
 * be shown to work on it before a gateway is shown to refuse them. Never expose it.
 */
import { mkdirSync } from 'node:fs';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { join, resolve } from 'node:path';
import type { Duplex } from 'node:stream';
import { type Answer, json, Problem, type Route, readBody, readQuery, readTarget, type Target, text } from './http.ts';
import { router } from './router.ts';
import { canvasRoutes } from './routes/canvas.ts';
import { chatRoutes } from './routes/chat.ts';
import { configurationRoutes } from './routes/configuration.ts';
import { fileRoutes } from './routes/files.ts';
import { outgoingRoutes } from './routes/outgoing.ts';
import { assets, documentationRoutes, indexRoute } from './routes/static.ts';
import { workspaceRoutes } from './routes/workspace.ts';
import { openSettings } from './settings.ts';
import { isSocketPath, openSockets, type Sockets } from './sockets.ts';
import { openStore } from './store.ts';
import { openConfirmations, openTasks } from './tasks.ts';
import type { World } from './world.ts';

export interface SeenRequest {
  readonly method: string;
  /** The target as it came on the wire. */
  readonly target: string;
  /** The path as it is routed: decoded once. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly upgrade: boolean;
  /** The body, once a route has read it. */
  readonly body: Buffer | undefined;
}

export interface StandIn {
  readonly url: string;
  readonly port: number;
  readonly databasePath: string;
  readonly filesDir: string;
  /** Every request seen, Socket.IO ones included, in the order of arrival. */
  readonly requests: readonly SeenRequest[];
  /** How many TCP connections are open. */
  connections(): number;
  /** How many Socket.IO sockets are connected. */
  sockets(): number;
  /** Sends an event to every socket. */
  broadcast(event: string, payload: unknown): void;
  /** Ends runs, sockets and connections at once; idempotent. */
  close(): Promise<void>;
}

export interface StandInOptions {
  /** 0, the default, is a free one. */
  readonly port?: number;
  readonly host?: string;
  readonly dataDir: string;
  /** The time between two steps of the agent; 40 by default, 0 for no waiting. */
  readonly stepMillis?: number;
  /** Further steps in every run, each one a delta; 0 by default. */
  readonly agentSteps?: number;
  /** The port in generated addresses; the one it listens on by default (contract section 0, DEFAULT_PORT). */
  readonly defaultPort?: number;
  /** True by default; false keeps memory flat under load. */
  readonly recordRequests?: boolean;
}

/** Starts a stand-in on its own data directory; rejects when the port is taken. */
export async function startStandIn(options: StandInOptions): Promise<StandIn> {
  const { host = '127.0.0.1', port = 0, defaultPort, stepMillis = 40, agentSteps = 0, recordRequests = true } = options;
  const dataDir = resolve(options.dataDir);
  const filesDir = join(dataDir, 'files');
  const databasePath = join(dataDir, 'localmanus.db');
  mkdirSync(filesDir, { recursive: true });
  const sockets = openSockets();
  const requests: SeenRequest[] = [];
  const server = createUpstreamServer();
  const world: World = {
    dataDir,
    filesDir,
    store: openStore(databasePath),
    settings: openSettings(dataDir),
    tasks: openTasks(),
    confirmations: openConfirmations(),
    stepMillis,
    agentSteps,
    defaultPort: () => defaultPort ?? portOf(server),
    broadcast: sockets.broadcast,
  };
  const connections = trackConnections(server);
  serve(server, { world, sockets, record: recordRequests ? (seen) => requests.push(seen) : () => undefined });
  await listen(server, port, host).catch((error: unknown) => {
    world.store.close();
    throw error;
  });

  let closing: Promise<void> | undefined;
  const close = async () => {
    await world.tasks.stop();
    await sockets.close();
    await new Promise<void>((done) => {
      server.close(() => done());
      for (const socket of connections) socket.destroy();
    });
    world.store.close();
  };
  return {
    url: `http://${host}:${portOf(server)}`,
    port: portOf(server),
    databasePath,
    filesDir,
    requests,
    connections: () => connections.size,
    sockets: sockets.count,
    broadcast: sockets.broadcast,
    close: () => (closing ??= close()),
  };
}

/** Takes the body of a request that was seen before it was read. */
type BodyNote = (body: Buffer) => void;

interface Parts {
  readonly world: World;
  readonly sockets: Sockets;
  readonly record: (seen: SeenRequest) => void;
}

/** Node's server, as lenient and as quiet as uvicorn where its switches allow (contract section 8, first table). */
function createUpstreamServer(): Server {
  return createServer({
    insecureHTTPParser: true,
    requireHostHeader: false,
    // Headers of 64 kB pass, of 200 kB do not; neither has a target of 70 kB a limit of its own.
    maxHeaderSize: 128 * 1024,
    keepAliveTimeout: 5000,
    keepAliveTimeoutBuffer: 0,
    requestTimeout: 0,
    shouldUpgradeCallback: (request) => /^websocket$/i.test(request.headers.upgrade ?? ''),
  });
}

function serve(server: Server, { world, sockets, record }: Parts): void {
  const routes: Route[] = [
    ...canvasRoutes(world),
    ...chatRoutes(world),
    ...fileRoutes(world),
    ...configurationRoutes(world),
    ...workspaceRoutes(world),
    ...outgoingRoutes(world),
  ];
  const find = router([...routes, indexRoute], [assets], documentationRoutes(routes));

  async function answer(request: IncomingMessage, target: Target, note: BodyNote): Promise<Answer> {
    const method = request.method ?? 'GET';
    const { handle, params } = find(method, target.path);
    let body: Promise<Buffer> | undefined;
    return await handle({
      method,
      path: target.path,
      params,
      rawQuery: target.query,
      query: readQuery(target.query),
      headers: request.headers,
      body() {
        body ??= readBody(request).then((bytes) => {
          note(bytes);
          return bytes;
        });
        return body;
      },
    });
  }

  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    if (hasBadFraming(request)) return refuse(request.socket);
    const target = readTarget(request.url ?? '/');
    const note = see(request, target, record);
    if (isSocketPath(target.path)) return sockets.request(request, response);
    answer(request, target, note).then(
      (given) => send(response, given),
      (error: unknown) => sendError(request, response, error),
    );
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const target = readTarget(request.url ?? '/');
    see(request, target, record);
    // Other websocket paths and other engine versions are 403 (contract section 4).
    const known = isSocketPath(target.path) && readQuery(target.query).get('EIO') === '4';
    if (known) sockets.upgrade(request, socket, head);
    else farewell(socket, 'HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
  });
  server.on('clientError', (_error: Error, socket: Duplex) => refuse(socket));
}

function see(request: IncomingMessage, { path }: Target, record: Parts['record']): BodyNote {
  const { method = 'GET', url: target = '/', headers, rawHeaders } = request;
  const upgrade = /^websocket$/i.test(headers.upgrade ?? '');
  const entry: { -readonly [Key in keyof SeenRequest]: SeenRequest[Key] } = {
    ...{ method, target, path, headers, rawHeaders, upgrade },
    body: undefined,
  };
  record(entry);
  return (body) => {
    entry.body = body;
  };
}

/** Node's lenient parser lets these two pass, httptools does not. */
function hasBadFraming(request: IncomingMessage): boolean {
  const { 'transfer-encoding': coding, 'content-length': length } = request.headers;
  return coding !== undefined && (length !== undefined || coding.toLowerCase() !== 'chunked');
}

function refuse(socket: Duplex): void {
  const body = 'Invalid HTTP request received.';
  const head = 'HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\nconnection: close\r\n';
  farewell(socket, `${head}content-length: ${body.length}\r\n\r\n${body}`);
}

/** Says the last words and hangs up; what the client still sends is read for a moment, lest a reset overtake them. */
function farewell(socket: Duplex, words: string): void {
  socket.on('error', () => socket.destroy());
  if (!socket.writable) return void socket.destroy();
  socket.end(words);
  socket.resume();
  setTimeout(() => socket.destroy(), 1000).unref();
}

function send(response: ServerResponse, { status, headers, body }: Answer, after?: () => void): void {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  // uvicorn says nothing about keeping alive, it only says when it closes because it was asked to.
  if (response.shouldKeepAlive) response.removeHeader('connection');
  else response.setHeader('connection', 'close');
  const length = status === 304 ? {} : { 'content-length': String(bytes.length) };
  response.writeHead(status, { server: 'uvicorn', ...headers, ...length });
  response.end(bytes, after);
}

/** Anything unexpected is a 500 in plain text, after which the connection dies without a word (contract section 1). */
function sendError(request: IncomingMessage, response: ServerResponse, error: unknown): void {
  if (request.socket.destroyed) return;
  if (error instanceof Problem) send(response, json({ detail: error.detail }, error.status));
  else send(response, text('Internal Server Error', 500), () => request.socket.destroySoon());
}

function trackConnections(server: Server): ReadonlySet<Socket> {
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  return open;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((done, fail) => {
    server.once('error', fail);
    server.listen(port, host, () => done());
  });
}
