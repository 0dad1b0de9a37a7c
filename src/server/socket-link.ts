/** One transport from its handshake to its end: what is known of it, how it ends, and what the audit is told. */
import type { AuditRecord, Outcome } from '../model/audit.ts';
import { closingFor } from '../model/close-code.ts';
import type { Finding } from '../model/finding.ts';
import type { JsonValue } from '../model/json.ts';
import type { Mode } from '../model/mode.ts';
import type { Principal } from '../model/principal.ts';
import type { ReasonCode } from '../model/reason.ts';
import { Rejection } from '../model/rejection.ts';
import type { CanonicalRequest, RawRequest } from '../model/request.ts';
import type { Seat } from './socket-channels.ts';
import type { Outbox, Wire } from './socket-peer.ts';

/** The part of an Engine.IO connection that is used here. */
export interface Conn extends Wire {
  readonly request: object;
  /** That of the moment; one that polls has no WebSocket. */
  readonly transport: Transport;
  close(discard?: boolean): void;
  on(event: 'packet', listener: (packet: { type: string; data?: unknown }) => void): unknown;
}

interface Transport {
  readonly name: string;
  readonly socket?: WebSocketEnd;
}

/** The part of a WebSocket of `ws` that is used here. */
export interface WebSocketEnd {
  close(code?: number, reason?: string): void;
  on(event: 'message' | 'ping' | 'pong', listener: (data: { readonly length: number }) => void): unknown;
  prependListener(event: 'error', listener: (error: { readonly code?: unknown }) => void): unknown;
}

/** Judges what the client of one connection sends. */
export interface ClientJudge {
  /** A Socket.IO packet, text or binary, or undefined for a packet of the transport's own. */
  packet(data: unknown, nowMillis: number): 'fine' | 'part' | 'malformed' | 'too-fast' | ClientEvent;
  event(args: readonly unknown[]): EventVerdict;
}

export interface ClientEvent {
  /** The name and the arguments. */
  readonly args: readonly JsonValue[];
  readonly attachments: readonly Buffer[];
  /** The number under which the client waits for an acknowledgement. */
  readonly id: number | undefined;
}

type EventVerdict =
  | { readonly accepted: true; readonly reply: string; readonly payload: readonly JsonValue[] }
  | {
      readonly accepted: false;
      readonly reason: 'event-refused' | 'packet-invalid';
      readonly detail: string;
      /** The connection should end. */
      readonly final: boolean;
    };

export type Denial = Extract<Finding, { would: 'deny' }>;

/** What carries a link: one connection, or the many of a session that polls, as one thing that closes once. */
export interface Carrier {
  readonly destroyed: boolean;
  once(event: 'close', listener: (...nothing: readonly unknown[]) => void): unknown;
  destroy(): unknown;
}

/** To whom a session that polls is bound: what opened it decides for all of its requests. */
export interface Polled {
  /** As the last accepted request showed it; undefined: it was opened by somebody unknown, and stays nobody's. */
  readonly principal: Principal | undefined;
  /** Why it is nobody's. */
  readonly denial: Denial | undefined;
}

export interface Link {
  /** Without most of its headers once it is let in. */
  request: CanonicalRequest;
  readonly duplex: Carrier;
  /** Undefined for a link that began as a WebSocket. */
  readonly polled?: Polled | undefined;
  readonly judge: ClientJudge;
  readonly startedMillis: number;
  /** Undefined until the WebSocket is open. */
  conn: Conn | undefined;
  peer: Outbox | undefined;
  /** Undefined until its token was verified, and for somebody unknown who was let in. */
  principal: Principal | undefined;
  /** Undefined until it may hear anything. */
  seat: Seat | undefined;
  /** The limit that refused its handshake where the policy is not in effect for the unknown. */
  limited: Rejection | undefined;
  /** What would have refused it, had the policy been in effect; the last one made it unknown. */
  denials: readonly Denial[];
  /** Takes the watch for the end of its authority back; undefined while there is none. */
  unwatch: (() => void) | undefined;
  ended: boolean;
}

/** What a client that does not answer a closing handshake is given before its connection is destroyed. */
const CLOSING_MILLIS = 2_000;

/** What it may still say until then, its own end of the closing handshake among it. */
const CLOSING_BYTES = 64 << 10;

/**
 * Ends the transport, and says nothing of Socket.IO: a DISCONNECT would stop the client's own reconnection. What was given
 * to the wire before still goes out; what waits does when the gateway itself is the reason.
 */
export const endLink = (link: Link, reason?: ReasonCode): void => {
  if (link.ended) return;
  link.ended = true;
  destroySoon(link);
  const { conn, peer } = link;
  if (conn === undefined) return;
  announce(conn, reason);
  if (reason === 'shutting-down' && peer !== undefined) {
    peer.finish(() => conn.close());
    return;
  }
  peer?.drop();
  conn.close();
};

/** Ends the transport at once: what waits is thrown away, and behind what the wire was given comes the close frame. */
export const cutLink = (link: Link, reason?: ReasonCode): void => {
  const { conn, peer, ended } = link;
  link.ended = true;
  peer?.drop();
  const socket = conn?.transport.socket;
  if (conn !== undefined) announce(conn, reason);
  conn?.close(true);
  if (ended || socket === undefined) {
    link.duplex.destroy();
    return;
  }
  destroySoon(link);
};

/** engine.io closes a WebSocket without a code, so the WebSocket is told beforehand which it closes with. */
const announce = ({ transport: { socket } }: Conn, reason: ReasonCode | undefined): void => {
  if (socket === undefined || reason === undefined) return;
  const { close } = socket;
  const closing = closingFor(reason);
  socket.close = () => close.call(socket, closing.code, closing.reason);
};

const destroySoon = ({ conn, duplex }: Link): void => {
  if (duplex.destroyed) return;
  const timer = setTimeout(() => duplex.destroy(), CLOSING_MILLIS).unref();
  duplex.once('close', () => clearTimeout(timer));
  let left = CLOSING_BYTES;
  const heard = ({ length }: { readonly length: number }): void => {
    left -= 1 + length;
    if (left < 0) duplex.destroy();
  };
  for (const event of ['message', 'ping', 'pong'] as const) conn?.transport.socket?.on(event, heard);
};

export interface LinkNote {
  readonly kind?: AuditRecord['kind'];
  readonly outcome: Outcome;
  readonly reason?: ReasonCode;
  readonly detail?: string;
  readonly status?: number;
  /** In which the link was judged. */
  readonly mode?: Mode;
  readonly findings?: readonly Finding[];
}

export interface Decisions {
  link(link: Link, note: LinkNote): void;
  /** An upgrade that was refused, perhaps before it could be read. */
  refused(raw: RawRequest, request: CanonicalRequest | undefined, refusal: { rejection: Rejection; id: string }): void;
}

/** Returns what turns the decisions about a link into records. */
export const decisions = (onDecision: (record: AuditRecord) => void, now: () => number): Decisions => {
  const common = { method: 'GET', route: undefined, resources: [], claims: [], upstreamStatus: undefined, stages: {} };
  return {
    link({ request, principal, startedMillis }, note) {
      const { kind = 'socket', outcome, reason, detail, status } = note;
      const { id: requestId, path, address } = request;
      const millis = now() - startedMillis;
      const time = new Date(now()).toISOString();
      const owner = principal?.owner;
      const from = { path, owner, address, ...shadowOf(request, note) };
      onDecision({ ...common, ...from, time, kind, requestId, outcome, reason, detail, status, millis });
    },
    refused({ method, remoteAddress }, request, { rejection, id: requestId }) {
      const { reason, message: detail, status } = rejection;
      const time = new Date(now()).toISOString();
      const from = { method, path: request?.path, address: request?.address ?? remoteAddress, owner: undefined };
      const outcome = outcomeOf(rejection);
      onDecision({ ...common, ...from, time, kind: 'socket', requestId, outcome, reason, detail, status, millis: 0 });
    },
  };
};

const MAX_CLIENT = 120;

const shadowOf = ({ headers }: CanonicalRequest, { mode = 'enforce', findings = [] }: LinkNote) => {
  if (mode === 'enforce') return {};
  const client = headers
    .get('user-agent')
    ?.replace(/[^ -~]/g, '?')
    .slice(0, MAX_CLIENT);
  return { mode, ...(mode === 'shadow' && { findings }), ...(client !== undefined && { client }) };
};

export const outcomeOf = ({ status }: Rejection): Outcome => (status >= 500 ? 'failed' : 'refused');

export const denialOf = ({ reason, message: detail }: Rejection): Denial => ({ would: 'deny', reason, detail });

export const rejectionOf = (error: unknown): Rejection =>
  error instanceof Rejection ? error : new Rejection('internal-error', String(error), { cause: error });
