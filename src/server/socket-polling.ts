/**
 * The requests of sessions that poll. An Engine.IO session id is a bearer credential to whoever knows it: here each
 * request shows a token or a cookie of its own, and reaches no session but one of the same owner.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { isFailedAttempt } from '../model/failed-attempt.ts';
import type { Owner } from '../model/principal.ts';
import type { ReasonCode } from '../model/reason.ts';
import { Rejection } from '../model/rejection.ts';
import type { CanonicalRequest, RawRequest } from '../model/request.ts';
import { reply } from './respond.ts';
import { checkStill, cut, type Door, leave, whoIs } from './socket-door.ts';
import { type Entry, enter, keep, rawRequest } from './socket-entry.ts';
import { type JudgeApproach, requestToken } from './socket-handshake.ts';
import { denialOf, type Link, rejectionOf, type WebSocketEnd } from './socket-link.ts';
import { type Caller, ownerOf, pollingSession, type Session, type SessionConn } from './socket-session.ts';

/** The part of engine.io's server that is called here. */
export interface PollingEngine {
  handleRequest(incoming: IncomingMessage, outgoing: ServerResponse): void;
  handleUpgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer): void;
  on(event: 'connection', listener: (conn: SessionConn & { readonly request: object }) => void): unknown;
}

export interface PollingOptions {
  readonly entry: Entry;
  readonly door: Door;
  readonly judge: JudgeApproach;
  readonly engine: PollingEngine;
  /** Watches a WebSocket that offers itself to a session. */
  readonly offered: (link: Link, socket: WebSocketEnd) => void;
}

export interface Polling {
  /** Answers a request at the socket's path, whatever becomes of it. */
  handle(incoming: IncomingMessage, outgoing: ServerResponse): void;
  /** Hands a connection to the session that its request names; rejects with a Rejection. */
  upgrade(request: CanonicalRequest, coming: Coming): Promise<void>;
  /** Ends the sessions that still poll. */
  end(): void;
}

/** A connection that is to become a WebSocket. */
interface Coming {
  readonly incoming: IncomingMessage & { websocket?: WebSocketEnd };
  readonly socket: Duplex;
  readonly head: Buffer;
}

interface Held {
  readonly session: Session;
  readonly link: Link;
}

interface Parts extends PollingOptions {
  /** By the request that opens them, until engine.io has given them an id. */
  readonly opening: Map<object, Held>;
  readonly sessions: Map<string, Held>;
  /** The last ones that have closed: a client may have said more before it knew. */
  readonly past: Map<string, Past>;
}

interface Past {
  readonly owner: Owner | undefined;
  /** Late requests that are taken; after them it is like any that is not known. */
  left: number;
}

const MAX_PAST = 1_000;
const MAX_LATE = 20;

/** Returns the door for sessions that poll, on an engine that has both transports. */
export const polling = (options: PollingOptions): Polling => {
  const parts: Parts = { ...options, opening: new Map(), sessions: new Map(), past: new Map() };
  const { engine, opening, sessions, past, door } = parts;
  engine.on('connection', (conn) => {
    const held = opening.get(conn.request);
    if (held === undefined) return;
    opening.delete(conn.request);
    held.session.opened(conn);
    if (held.session.destroyed) return;
    sessions.set(conn.id, held);
    held.session.once('close', () => {
      sessions.delete(conn.id);
      remember(past, conn.id, held.session.principal?.owner);
    });
  });
  return {
    handle(incoming, outgoing) {
      void visit(parts, incoming, outgoing).catch(() => outgoing.destroy());
    },
    async upgrade(request, coming) {
      try {
        await offer(parts, request, coming);
      } catch (error) {
        throw await charged(parts.entry, rejectionOf(error), request);
      }
    },
    end() {
      for (const { session, link } of sessions.values()) {
        if (!session.isPolling || link.ended) continue;
        door.record.link(link, { outcome: 'refused', reason: 'route-unknown', detail: 'polling was switched off' });
        leave(door, link);
      }
    },
  };
};

interface Visit {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly request: CanonicalRequest;
}

const visit = async (parts: Parts, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
  const raw = rawRequest(incoming);
  let request: CanonicalRequest | undefined;
  try {
    request = parts.judge(raw, 'request');
    const sid = request.query.get('sid');
    if (sid === undefined) await open(parts, { incoming, outgoing, request });
    else await goOn(parts, { incoming, outgoing, request }, sid);
  } catch (error) {
    const rejection = await charged(parts.entry, rejectionOf(error), request ?? raw);
    const id = request?.id ?? randomUUID();
    parts.entry.record.refused(raw, request, { rejection, id });
    await reply(incoming, outgoing).refuse(rejection, id, []);
  }
};

const open = async (parts: Parts, { incoming, outgoing, request }: Visit): Promise<void> => {
  const { entry, door, opening } = parts;
  const session = pollingSession({
    watch: (principal, authorised) => door.options.lifetime.watch(principal, authorised),
    expired: (reason) => expire(door, entry.links.get(incoming), reason),
  });
  // Until engine.io has it, nobody else would notice that its client is gone.
  outgoing.once('close', () => {
    if (!session.isOpen) session.destroy();
  });
  try {
    const limited = await enter(entry, request, session);
    const caller = await callerOf(door, request);
    if (session.destroyed) throw new Rejection('client-gone', 'during the handshake');
    if (entry.closing) throw new Rejection('shutting-down', 'no new sockets');
    if ('principal' in caller) checkStill(door, caller.principal);
    const link = keep(entry, incoming, { request, limited, duplex: session, polled: session });
    opening.set(incoming, { session, link });
    session.once('close', () => opening.delete(incoming));
    session.carry(incoming, outgoing, caller);
  } catch (error) {
    session.destroy();
    throw error;
  }
  hand(parts, { incoming, outgoing, request }, {});
};

const goOn = async (parts: Parts, { incoming, outgoing, request }: Visit, sid: string): Promise<void> => {
  const caller = await callerOf(parts.door, request);
  if (isLate(parts.past.get(sid), caller)) return answerLate({ incoming, outgoing, request });
  const { session, link } = heldBy(parts, sid, caller);
  if (outgoing.destroyed) throw new Rejection('client-gone', 'before it was judged');
  try {
    session.carry(incoming, outgoing, caller);
  } catch (error) {
    const { reason, message: detail } = rejectionOf(error);
    cut(parts.door, link, { outcome: 'refused', reason, detail });
    throw error;
  }
  hand(parts, { incoming, outgoing, request }, { sid });
};

const offer = async (parts: Parts, request: CanonicalRequest, { incoming, socket, head }: Coming): Promise<void> => {
  const caller = await callerOf(parts.door, request);
  const sid = request.query.get('sid') ?? '';
  const held = heldBy(parts, sid, caller);
  if (socket.destroyed) throw new Rejection('client-gone', 'during the handshake');
  held.session.upgrade(socket, caller);
  Object.assign(incoming, { _query: { EIO: '4', transport: 'websocket', sid } });
  parts.engine.handleUpgrade(incoming, socket, head);
  if (incoming.websocket !== undefined) watchOffer(parts, held, incoming.websocket);
};

/**
 * A client that did not know yet that its session is over is no attempt at anything. It learns so from its poll: clients
 * of the Python line fall silent for ever when packets of theirs are refused.
 */
const answerLate = async ({ incoming, outgoing, request }: Visit): Promise<void> => {
  if (request.method !== 'POST') {
    await reply(incoming, outgoing).refuse(new Rejection('session-unknown', 'it is closed'), request.id, []);
    return;
  }
  readToTheEnd(incoming, outgoing);
  incoming.resume();
  outgoing.writeHead(200, { ...PRIVATE, 'content-type': 'text/plain', 'content-length': 2 }).end('ok');
};

const PRIVATE = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };

const isLate = (past: Past | undefined, caller: Caller): boolean => {
  if (past === undefined || past.owner !== ownerOf(caller)) return false;
  past.left -= 1;
  return past.left >= 0;
};

const remember = (past: Parts['past'], sid: string, owner: Owner | undefined): void => {
  past.set(sid, { owner, left: MAX_LATE });
  const [oldest] = past.keys();
  if (past.size > MAX_PAST && oldest !== undefined) past.delete(oldest);
};

/** Who comes with a request. Where the policy is not in effect for the unknown, one who shows nothing good is nobody. */
const callerOf = async (door: Door, request: CanonicalRequest): Promise<Caller> => {
  try {
    return { principal: await whoIs(door, request, requestToken(door.options.rule, request)) };
  } catch (error) {
    if (door.modeOf(undefined) === 'enforce') throw error;
    return { denial: denialOf(rejectionOf(error)) };
  }
};

/** Nobody's session is for nobody: whoever is somebody has one of their own. */
const heldBy = ({ sessions, door }: Parts, sid: string, caller: Caller): Held => {
  if ('principal' in caller) checkStill(door, caller.principal);
  const held = sessions.get(sid);
  if (held === undefined) throw new Rejection('session-unknown', 'no such session');
  const { principal } = held.session;
  if (!held.session.isOf(caller))
    throw new Rejection('session-unknown', `a session of ${principal?.owner ?? 'nobody'}`);
  if (!held.session.isPolling) throw new Rejection('session-unknown', 'it polls no longer');
  return held;
};

/** What was judged is what engine.io sees: it does not read the target again. */
const hand = ({ engine }: Parts, { incoming, outgoing, request }: Visit, more: { readonly sid?: string }): void => {
  Object.assign(incoming, { _query: { EIO: '4', transport: 'polling', ...more } });
  for (const [name, value] of Object.entries(PRIVATE)) outgoing.setHeader(name, value);
  if (request.headers.has('expect')) outgoing.writeContinue();
  readToTheEnd(incoming, outgoing);
  engine.handleRequest(incoming, outgoing);
};

/** An answer may be out before the body is in, as when that was too much: it is read a moment longer, or none would arrive. */
const readToTheEnd = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
  outgoing.once('finish', () => {
    if (incoming.complete) return;
    incoming.resume();
    setTimeout(() => incoming.socket.destroy(), LINGER_MILLIS).unref();
  });
};

const LINGER_MILLIS = 500;

/** What a refusal costs that no limit has counted: without a price, ids of sessions could be tried for ever. */
const charged = async ({ options }: Entry, rejection: Rejection, of: CanonicalRequest | RawRequest) => {
  const { status } = rejection;
  const wasCounted = 'query' in of && !of.query.has('sid');
  if (wasCounted || status >= 429 || isFailedAttempt(rejection)) return rejection;
  try {
    await options.limit?.('address' in of ? of.address : of.remoteAddress);
    return rejection;
  } catch (error) {
    return rejectionOf(error);
  }
};

/** Until a WebSocket has taken over, engine.io answers its probes by itself: they too keep to the pace of packets. */
const watchOffer = ({ door, offered }: Parts, { session, link }: Held, websocket: WebSocketEnd): void => {
  offered(link, websocket);
  websocket.on('message', () => {
    if (!session.isPolling || link.judge.packet(undefined, door.now()) === 'fine') return;
    cut(door, link, { outcome: 'refused', reason: 'rate-limited', detail: 'probes' });
  });
};

const expire = (door: Door, link: Link | undefined, reason: ReasonCode): void => {
  if (link === undefined || link.ended) return;
  door.record.link(link, { outcome: 'refused', reason, detail: 'the authority of a session that polls' });
  leave(door, link, reason);
};
