/** One transport from its handshake to its end: what is known of it, how it ends, and what the audit is told. */
import type { Duplex } from 'node:stream';
import type { AuditRecord, AuditSink, Outcome } from '../model/audit.ts';
import type { Principal } from '../model/principal.ts';
import type { ReasonCode } from '../model/reason.ts';
import { Rejection } from '../model/rejection.ts';
import type { CanonicalRequest, RawRequest } from '../model/request.ts';
import type { InboundJudge } from '../realtime/inbound.ts';
import type { Peer, Wire } from './socket-channels.ts';

/** The part of an Engine.IO connection that is used here. */
export interface Conn extends Wire {
  /** engine.io keeps the WebSocket at the request that opened it. */
  readonly request: { readonly websocket?: { on(event: 'ping' | 'pong', listener: () => void): unknown } };
  close(discard?: boolean): void;
  on(event: 'packet', listener: (packet: { type: string; data?: unknown }) => void): unknown;
}

export interface Link {
  readonly request: CanonicalRequest;
  readonly duplex: Duplex;
  readonly judge: InboundJudge;
  readonly startedMillis: number;
  /** Undefined until the WebSocket is open. */
  conn: Conn | undefined;
  peer: Peer | undefined;
  /** Undefined until its token was verified. */
  principal: Principal | undefined;
  ended: boolean;
}

/** What a client that does not answer a closing handshake is given before its connection is destroyed. */
const CLOSING_MILLIS = 2_000;

/**
 * Ends the transport, and says nothing of Socket.IO: a DISCONNECT would stop the client's own reconnection. What was
 * written before still goes out.
 */
export const endLink = (link: Link): void => {
  if (link.ended) return;
  link.ended = true;
  link.conn?.close();
  const timer = setTimeout(() => link.duplex.destroy(), CLOSING_MILLIS).unref();
  link.duplex.once('close', () => clearTimeout(timer));
};

/** Ends the transport at once; what waits is thrown away. */
export const cutLink = (link: Link): void => {
  link.ended = true;
  link.conn?.close(true);
  link.duplex.destroy();
};

export interface LinkNote {
  readonly kind?: AuditRecord['kind'];
  readonly outcome: Outcome;
  readonly reason?: ReasonCode;
  readonly detail?: string;
  readonly status?: number;
}

export interface SocketAudit {
  link(link: Link, note: LinkNote): void;
  /** An upgrade that was refused, perhaps before it could be read. */
  refused(raw: RawRequest, request: CanonicalRequest | undefined, refusal: { rejection: Rejection; id: string }): void;
}

export const socketAudit = (sink: AuditSink, now: () => number): SocketAudit => {
  const common = { method: 'GET', route: undefined, resources: [], claims: [], upstreamStatus: undefined, stages: {} };
  return {
    link({ request, principal, startedMillis }, { kind = 'socket', outcome, reason, detail, status }) {
      const { id: requestId, path, address } = request;
      const millis = now() - startedMillis;
      const time = new Date(now()).toISOString();
      sink({
        ...common,
        ...{ time, kind, requestId, outcome, reason, detail, path, owner: principal?.owner, address, status, millis },
      });
    },
    refused(raw, request, { rejection, id }) {
      sink({
        ...common,
        time: new Date(now()).toISOString(),
        kind: 'socket',
        requestId: id,
        outcome: outcomeOf(rejection),
        reason: rejection.reason,
        detail: rejection.message,
        method: raw.method,
        path: request?.path,
        owner: undefined,
        address: request?.address ?? raw.remoteAddress,
        status: rejection.status,
        millis: 0,
      });
    },
  };
};

export const outcomeOf = ({ status }: Rejection): Outcome => (status >= 500 ? 'failed' : 'refused');

export const rejectionOf = (error: unknown): Rejection =>
  error instanceof Rejection ? error : new Rejection('internal-error', String(error), { cause: error });
