/** One transport from its handshake to its end: what is known of it, how it ends, and what the audit is told. */
import type { Duplex } from 'node:stream';
import type { AuditRecord, Outcome } from '../model/audit.ts';
import type { Finding } from '../model/finding.ts';
import type { JsonValue } from '../model/json.ts';
import type { Mode } from '../model/mode.ts';
import type { Principal } from '../model/principal.ts';
import type { ReasonCode } from '../model/reason.ts';
import { Rejection } from '../model/rejection.ts';
import type { CanonicalRequest, RawRequest } from '../model/request.ts';
import type { Peer, Seat, Wire } from './socket-channels.ts';

/** The part of an Engine.IO connection that is used here. */
export interface Conn extends Wire {
  /** engine.io keeps the WebSocket at the request that opened it. */
  readonly request: { readonly websocket?: { on(event: 'ping' | 'pong', listener: () => void): unknown } };
  close(discard?: boolean): void;
  on(event: 'packet', listener: (packet: { type: string; data?: unknown }) => void): unknown;
}

/** Judges what the client of one connection sends. */
export interface ClientJudge {
  /** The text of a Socket.IO packet, or undefined for a packet of the transport's own. */
  packet(data: unknown, nowMillis: number): 'fine' | 'malformed' | 'too-fast';
  event(args: readonly unknown[]): EventVerdict;
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

export interface Link {
  readonly request: CanonicalRequest;
  readonly duplex: Duplex;
  readonly judge: ClientJudge;
  readonly startedMillis: number;
  /** Undefined until the WebSocket is open. */
  conn: Conn | undefined;
  peer: Peer | undefined;
  /** Undefined until its token was verified, and for somebody unknown who was let in. */
  principal: Principal | undefined;
  /** Undefined until it may hear anything. */
  seat: Seat | undefined;
  /** The limit that refused its handshake where the policy is not in effect for the unknown. */
  limited: Rejection | undefined;
  /** What would have refused it, had the policy been in effect; the last one made it unknown. */
  denials: readonly Denial[];
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
