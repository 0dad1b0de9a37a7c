/**
 * An Engine.IO session that polls: many requests on many connections, and later perhaps a WebSocket, as one thing that
 * is one client's and closes once.
 */
import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Owner, Principal } from '../model/principal.ts';
import type { ReasonCode } from '../model/reason.ts';
import { Rejection } from '../model/rejection.ts';
import type { Expiry } from './socket-door.ts';
import type { Carrier, Denial, Polled } from './socket-link.ts';

/** The part of an Engine.IO connection by which its session is steered. */
export interface SessionConn {
  readonly id: string;
  readonly transport: SessionTransport;
  close(discard?: boolean): void;
  once(event: 'close' | 'upgrade', listener: () => void): unknown;
}

interface SessionTransport {
  readonly name: string;
  closeTimeout?: number;
  parser?: PayloadParser;
}

interface PayloadParser {
  encodePayload(packets: readonly EnginePacket[], done: (payload: string) => void): void;
}

interface EnginePacket {
  readonly type: string;
}

/** Who came with a request: somebody whose token is good, or nobody and why. */
export type Caller = { readonly principal: Principal } | { readonly denial: Denial };

export interface Session extends Carrier, Polled {
  /** True when a caller is who opened it. */
  isOf(caller: Caller): boolean;
  /** Takes the connection that engine.io has made for it. */
  opened(conn: SessionConn): void;
  /** Takes a request, the first of which says whose it is; throws where one of its kind is not yet answered and read. */
  carry(incoming: IncomingMessage, outgoing: ServerResponse, caller: Caller): void;
  /** Takes a connection that is to become its WebSocket, or throws where it has or tries one. */
  upgrade(socket: Duplex, caller: Caller): void;
  /** True from when engine.io has made a connection for it. */
  readonly isOpen: boolean;
  /** True while its packets come and go by requests. */
  readonly isPolling: boolean;
}

export interface SessionOptions {
  readonly watch: Expiry['watch'];
  /** Called when the authority of the last request is over while it polls. */
  readonly expired: (reason: ReasonCode) => void;
}

/** What a client is given to read the last answers when its session is over. */
const LAST_READING_MILLIS = 2_000;

const NOBODY_YET: Caller = { denial: { would: 'deny', reason: 'token-missing', detail: 'nobody yet' } };

interface State {
  readonly events: EventEmitter;
  caller: Caller;
  conn: SessionConn | undefined;
  connClosed: boolean;
  destroyed: boolean;
  over: boolean;
  /** The WebSocket's connection, in use or being tried. */
  socket: Duplex | undefined;
  isUpgraded: boolean;
  unwatch: (() => void) | undefined;
  /** Answers that are not read to their end, by the method of their request. */
  readonly answers: Map<string, ServerResponse>;
}

/** Returns a session that nothing has come for yet. */
export const pollingSession = (options: SessionOptions): Session => {
  const state: State = {
    events: new EventEmitter(),
    caller: NOBODY_YET,
    conn: undefined,
    connClosed: false,
    destroyed: false,
    over: false,
    socket: undefined,
    isUpgraded: false,
    unwatch: undefined,
    answers: new Map(),
  };
  return {
    get principal() {
      return 'principal' in state.caller ? state.caller.principal : undefined;
    },
    get denial() {
      return 'denial' in state.caller ? state.caller.denial : undefined;
    },
    get destroyed() {
      return state.destroyed || state.over;
    },
    get isOpen() {
      return state.conn !== undefined;
    },
    get isPolling() {
      return state.conn !== undefined && !state.isUpgraded && !state.connClosed;
    },
    isOf: (caller) => ownerOf(caller) === ownerOf(state.caller),
    once: (event, listener) => state.events.once(event, listener),
    destroy: () => destroy(state),
    opened: (conn) => opened(state, conn),
    carry(incoming, outgoing, caller) {
      // Engine.IO counts an answer as read when it is handed over: who asks again without reading would fill the memory.
      if (state.answers.has(incoming.method ?? ''))
        throw new Rejection('session-busy', 'two requests of a kind at once');
      keepAnswer(state, incoming, outgoing);
      heed(options, state, caller);
    },
    upgrade(socket, caller) {
      if (state.socket !== undefined) throw new Rejection('session-busy', 'a second WebSocket');
      state.socket = socket;
      socket.once('close', () => {
        state.socket = undefined;
        settle(state);
      });
      heed(options, state, caller);
    },
  };
};

/** From now on it is watched whether whoever came last may still come. */
const heed = ({ watch, expired }: SessionOptions, state: State, caller: Caller): void => {
  const isWatched = state.unwatch !== undefined && sameUntil(state.caller, caller);
  state.caller = caller;
  if (isWatched) return;
  state.unwatch?.();
  const prolonged = (principal: Principal): void => {
    state.caller = { principal };
  };
  state.unwatch = 'principal' in caller ? watch(caller.principal, { prolonged, ended: expired }) : undefined;
};

/** Returns who a caller is, undefined for nobody. */
export const ownerOf = (caller: Caller): Owner | undefined =>
  'principal' in caller ? caller.principal.owner : undefined;

const sameUntil = (one: Caller, other: Caller): boolean =>
  'principal' in one && 'principal' in other && one.principal.expiresAtMillis === other.principal.expiresAtMillis;

const opened = (state: State, conn: SessionConn): void => {
  if (state.destroyed) return void conn.close(true);
  state.conn = conn;
  if (conn.transport.name === 'polling') steer(conn.transport);
  conn.once('upgrade', () => {
    state.isUpgraded = true;
    // From now on nothing comes with a token of its own; the socket's own authority is watched elsewhere.
    state.unwatch?.();
  });
  conn.once('close', () => {
    state.connClosed = true;
    settle(state);
  });
};

const steer = (transport: SessionTransport): void => {
  // By itself engine.io would hold what is closing for 30 s when its client asks no more.
  transport.closeTimeout = LAST_READING_MILLIS;
  const { parser } = transport;
  if (parser === undefined) return;
  transport.parser = {
    ...parser,
    // Clients of the Python line do not come back after a close packet; from a session that is unknown all of them do.
    encodePayload: (packets, done) => parser.encodePayload(packets.map(unlessLast), done),
  };
};

const unlessLast = (packet: EnginePacket): EnginePacket => (packet.type === 'close' ? { type: 'noop' } : packet);

const keepAnswer = ({ answers }: State, { method = '' }: IncomingMessage, outgoing: ServerResponse): void => {
  const read = (): void => {
    if (answers.get(method) === outgoing) answers.delete(method);
  };
  answers.set(method, outgoing);
  outgoing.once('finish', read);
  outgoing.once('close', read);
};

const destroy = (state: State): void => {
  if (state.destroyed) return;
  state.destroyed = true;
  state.conn?.close(true);
  state.socket?.destroy();
  if (state.conn === undefined) state.connClosed = true;
  settle(state);
};

/** Over is over once: what was counted for it is given back, and what nobody reads is cut. */
const settle = (state: State): void => {
  if (state.over || !state.connClosed || state.socket !== undefined) return;
  state.over = true;
  state.unwatch?.();
  for (const outgoing of state.answers.values()) cutUnread(outgoing);
  state.events.emit('close');
};

const cutUnread = (outgoing: ServerResponse): void => {
  const timer = setTimeout(() => outgoing.destroy(), LAST_READING_MILLIS).unref();
  outgoing.once('finish', () => clearTimeout(timer));
  outgoing.once('close', () => clearTimeout(timer));
};
