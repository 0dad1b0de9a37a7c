/**
 * THE DOOR: the public listener. Every request goes through the pipeline as raw messages; its bytes never become web
 * streams. Upgrades have the one listener here, and what is no request at all is answered and closed.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { Rejection } from '../model/rejection.ts';
import type { Reply } from '../pipeline/decide.ts';
import { beginLife, type Life } from '../pipeline/life.ts';
import { refuseUpgrade } from './refuse-upgrade.ts';
import { type Dress, refusalForm, reply } from './respond.ts';

/** What never became a request with a life of its own, and was refused. */
export interface DoorRefusal {
  readonly rejection: Rejection;
  readonly method: string;
  readonly remoteAddress: string;
}

export interface AppOptions {
  /** Lives a request to its end; never rejects. */
  readonly live: (life: Life, reply: Reply) => Promise<void>;
  /** Answers what the gateway has of its own, which is asked for before the policy's routes are. */
  readonly own?: OwnDoor | undefined;
  /** Takes an upgrade for its path, or undefined where the policy has no socket. */
  readonly upgrade: UpgradeHandler | undefined;
  /** Takes a request at that path, or returns false where it is one like all others. */
  readonly poll?: RequestHandler | undefined;
  readonly socketPath: string | undefined;
  /** Takes upgrades at other paths. */
  readonly webSockets?: UpgradeDoor | undefined;
  /** Completes the head of every answer. */
  readonly dress?: Dress | undefined;
  /** Answers a browser that asks whether a page of another origin may send a request. */
  readonly preflight?: PreflightDoor | undefined;
  /** Records a refusal at the door. */
  readonly refused: (refusal: DoorRefusal) => void;
}

export interface OwnDoor {
  /** Whether a path, as it stands before the query, is the gateway's own. */
  match(path: string): boolean;
  /** Lives a request to its end; never rejects. */
  live(life: Life, reply: Reply): Promise<void>;
}

export interface PreflightDoor {
  asks(incoming: IncomingMessage): boolean;
  /** Lives it to its end; never rejects. */
  live(life: Life, reply: Reply): Promise<void>;
}

export interface UpgradeDoor {
  /** Whether it takes upgrades at a path, as it stands before the query. */
  match(path: string): boolean;
  handleUpgrade: UpgradeHandler;
}

type RequestHandler = (incoming: IncomingMessage, outgoing: ServerResponse) => boolean;
type UpgradeHandler = (incoming: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** Longer than the idle time of the usual load balancers, which would otherwise send into a closing connection. */
const KEEP_ALIVE_MILLIS = 75_000;

/** Returns the server, not yet listening. */
export const app = (options: AppOptions): Server => {
  const { live, own, poll, socketPath, dress, preflight } = options;
  const dressedOnly = { dress };
  const server = createServer({
    maxHeaderSize: 32_768,
    keepAliveTimeout: KEEP_ALIVE_MILLIS,
    headersTimeout: 30_000,
    requestTimeout: 300_000,
    // canonical looks at the Host header itself, and answers as it answers everything else.
    requireHostHeader: false,
    insecureHTTPParser: false,
    noDelay: true,
    // Every other upgrade (h2c) is an offer that is not taken up: the request is an ordinary one (RFC 9110, section 7.8).
    shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
  });
  server.maxRequestsPerSocket = 0;

  const handle = (incoming: IncomingMessage, outgoing: ServerResponse, source = bodyOf(incoming)): void => {
    const cancellation = { cancelled: false, onCancel: undefined as (() => void) | undefined };
    outgoing.on('error', ignore);
    incoming.on('error', ignore);
    const answers = underWay(incoming.socket);
    answers.push(outgoing);
    outgoing.on('close', () => {
      answers.splice(answers.indexOf(outgoing), 1);
      if (outgoing.writableFinished) return;
      cancellation.cancelled = true;
      cancellation.onCancel?.();
    });
    const path = pathOf(incoming);
    const isPreflight = preflight?.asks(incoming) === true;
    if (!isPreflight && poll !== undefined && path === socketPath) {
      // Who answers polls writes heads of its own; what writes a whole head besides replaces these.
      if (dress !== undefined) setHeaders(outgoing, dressed(dress, incoming));
      if (poll(incoming, outgoing)) return;
    }
    const { method = '', url: target = '', rawHeaders, socket } = incoming;
    const raw = { method, target, rawHeaders, remoteAddress: socket.remoteAddress ?? '' };
    const life = beginLife({ raw, source, cancellation });
    if (isPreflight) void preflight.live(life, reply(incoming, outgoing, dressedOnly));
    else if (own?.match(path)) void own.live(life, reply(incoming, outgoing, { dress, form: refusalForm(incoming) }));
    else void live(life, reply(incoming, outgoing, dressedOnly));
  };

  server.on('request', (incoming: IncomingMessage, outgoing: ServerResponse) => handle(incoming, outgoing));
  // The client is told to go on only when its body is wanted: after authentication and limits.
  server.on('checkContinue', (incoming: IncomingMessage, outgoing: ServerResponse) =>
    handle(incoming, outgoing, bodyWhenAsked(incoming, outgoing)),
  );
  server.on('checkExpectation', (incoming: IncomingMessage, outgoing: ServerResponse) => handle(incoming, outgoing));
  watchDoor(server, options);
  return server;
};

/** Upgrades, and what is no request at all. */
const watchDoor = (server: Server, { upgrade, socketPath, webSockets, refused }: AppOptions): void => {
  const turnAway = (to: Duplex, known: Known, rejection: Rejection): void => {
    refuseUpgrade(to, rejection, undefined);
    refused({ rejection, ...known });
  };
  /** What is still owed would be written into what follows, or that into it, and nobody would notice a client that left. */
  const isOwed = ({ socket: connection, method = '' }: IncomingMessage): boolean => {
    if (!owes(connection)) return false;
    const rejection = new Rejection('request-malformed', 'an upgrade before an answer');
    refused({ rejection, ...from(connection, method) });
    connection.destroy();
    return true;
  };

  // While a body of the request's own is under way, what is handed over is a stream in front of the connection, which
  // alone has an address and answers: `incoming.socket`.
  server.on('upgrade', (incoming: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', ignore);
    if (isOwed(incoming)) return;
    const path = pathOf(incoming);
    if (upgrade !== undefined && path === socketPath) upgrade(incoming, socket, head);
    else if (webSockets?.match(path)) webSockets.handleUpgrade(incoming, socket, head);
    else
      turnAway(
        socket,
        from(incoming.socket, 'GET'),
        new Rejection('route-unknown', 'no socket of the policy is there'),
      );
  });
  server.on('connect', (incoming: IncomingMessage, socket: Duplex) => {
    socket.on('error', ignore);
    if (isOwed(incoming)) return;
    turnAway(socket, from(incoming.socket, 'CONNECT'), new Rejection('target-invalid', 'CONNECT is not served'));
  });
  server.on('clientError', (error: Error & { code?: string }, socket: Duplex) => {
    // A refusal in the middle of an answer would be read as a part of it.
    const begun = underWay(socket).some(({ headersSent }) => headersSent);
    if (error.code === 'ECONNRESET' || !socket.writable || begun) socket.destroy();
    else {
      const rejection = new Rejection('request-malformed', error.code ?? error.message, { cause: error });
      turnAway(socket, from(socket, ''), rejection);
    }
  });
};

type Known = Pick<DoorRefusal, 'method' | 'remoteAddress'>;

/** To be asked before the connection is closed, which forgets its address. */
const from = (socket: Duplex, method: string): Known => ({
  method,
  remoteAddress: ('remoteAddress' in socket && String(socket.remoteAddress)) || '',
});

const pathOf = ({ url = '' }: IncomingMessage): string => {
  const mark = url.indexOf('?');
  return mark === -1 ? url : url.slice(0, mark);
};

const dressed = (dress: Dress, incoming: IncomingMessage): readonly string[] => {
  const head: string[] = [];
  dress(head, incoming);
  return head;
};

const setHeaders = (outgoing: ServerResponse, head: readonly string[]): void => {
  for (let index = 0; index < head.length; index += 2) outgoing.appendHeader(head[index] ?? '', head[index + 1] ?? '');
};

const ignore = (): void => undefined;

const answersByConnection = new WeakMap<Duplex, ServerResponse[]>();

/** Returns the answers that are owed on a connection. */
const underWay = (socket: Duplex): ServerResponse[] => {
  const known = answersByConnection.get(socket);
  if (known !== undefined) return known;
  const answers: ServerResponse[] = [];
  answersByConnection.set(socket, answers);
  return answers;
};

const owes = (socket: Duplex): boolean => underWay(socket).some(({ writableFinished }) => !writableFinished);

const bodyOf = (incoming: IncomingMessage): AsyncIterable<Buffer> | undefined =>
  incoming.headers['content-length'] === undefined && incoming.headers['transfer-encoding'] === undefined
    ? undefined
    : incoming;

async function* bodyWhenAsked(incoming: IncomingMessage, outgoing: ServerResponse): AsyncIterable<Buffer> {
  outgoing.writeContinue();
  yield* incoming as AsyncIterable<Buffer>;
}
