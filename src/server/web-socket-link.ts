/** One raw WebSocket from its handshake to its end: what is known of it, how it ends, and what the audit is told. */
import type { Duplex } from 'node:stream';
import type { AuditRecord, Outcome } from '../model/audit.ts';
import type { Finding } from '../model/finding.ts';
import { type Mode, modeFor } from '../model/mode.ts';
import type { Principal } from '../model/principal.ts';
import type { ReasonCode } from '../model/reason.ts';
import type { Rejection } from '../model/rejection.ts';
import type { CanonicalRequest, RawRequest } from '../model/request.ts';
import type { ResourceRef } from '../model/resource.ts';
import type { WebSocketMatch } from '../model/websocket.ts';
import type { MessageNote } from '../pipeline/message-line.ts';
import { type Denial, outcomeOf } from './socket-link.ts';

/** What carries the bytes or the messages of an open connection. */
export interface Load {
  /** Called every second: ends what has been waited for too long. */
  tick(): void;
  /** Ends both sides; the client is told why, where it can be told. */
  end(rejection: Rejection): void;
  /** What is held here for either side. */
  held(): { readonly messages: number; readonly bytes: number };
}

export interface WebSocketLink {
  readonly request: CanonicalRequest;
  /** Replaced when another policy with the same terms goes live. */
  match: WebSocketMatch;
  readonly duplex: Duplex;
  readonly startedMillis: number;
  /** Undefined for somebody unknown who was let in. */
  principal: Principal | undefined;
  /** What would have refused it, had the policy been in effect. */
  denials: readonly Denial[];
  /** Undefined until both sides are open. */
  load: Load | undefined;
  /** Gives the connection up while the upstream is being asked. */
  readonly opening: AbortController;
  /** Why it was ended here. */
  ended: Rejection | undefined;
  /** Messages of which the audit was told, and those that were refused after them. */
  told: number;
  untold: number;
}

export const modeOf = ({ match, principal }: Pick<WebSocketLink, 'match' | 'principal'>): Mode =>
  modeFor(match.rule.rollout, principal);

/** Ends it, whatever it has come to; only the first reason counts. */
export const endLink = (link: WebSocketLink, rejection: Rejection): void => {
  if (link.ended !== undefined) return;
  if (link.load !== undefined) {
    link.load.end(rejection);
    return;
  }
  link.ended = rejection;
  link.opening.abort();
};

export interface Note {
  readonly outcome: Outcome;
  readonly reason?: ReasonCode | undefined;
  readonly detail?: string | undefined;
  readonly status?: number;
  readonly resources?: readonly ResourceRef[];
  readonly findings?: readonly Finding[];
}

export interface Records {
  /** What became of a connection. */
  link(link: WebSocketLink, note: Note): void;
  /** A message that was refused, or would have been: the first few of a connection one by one, the others as a number. */
  message(link: WebSocketLink, note: MessageNote): void;
  /** The number of those that were not told one by one. */
  rest(link: WebSocketLink): void;
  /** An upgrade that was refused, perhaps before it could be read. */
  refused(raw: RawRequest, known: Known, rejection: Rejection): void;
}

export interface Known {
  readonly id: string;
  readonly request: CanonicalRequest | undefined;
  readonly link: WebSocketLink | undefined;
}

const MAX_TOLD = 10;

/** Returns what turns the decisions about connections and their messages into records. */
export const records = (onDecision: (record: AuditRecord) => void, now: () => number): Records => {
  const common = { method: 'GET', claims: [], upstreamStatus: undefined, stages: {} };
  const write = (link: WebSocketLink, kind: 'socket' | 'event', note: Note): void => {
    const { request, match, principal, startedMillis } = link;
    const { outcome, reason, detail, status, resources = match.resources } = note;
    const { id: requestId, path, address } = request;
    const time = new Date(now()).toISOString();
    const from = { path, route: match.rule.id, owner: principal?.owner, address, ...inMode(link, note) };
    const millis = now() - startedMillis;
    onDecision({ ...common, ...from, time, kind, requestId, outcome, reason, detail, status, resources, millis });
  };
  return {
    link: (link, note) => write(link, 'socket', note),
    message(link, { outcome, rejection, resources, findings }) {
      if (link.told >= MAX_TOLD) {
        link.untold += 1;
        return;
      }
      link.told += 1;
      const { reason, message: detail } = rejection;
      const why = outcome === 'allowed' ? { outcome } : { outcome, reason, detail };
      write(link, 'event', { ...why, resources, findings });
    },
    rest(link) {
      if (link.untold === 0) return;
      const outcome = modeOf(link) === 'enforce' ? 'refused' : 'allowed';
      write(link, 'event', { outcome, detail: `${link.untold} further messages` });
      link.untold = 0;
    },
    refused({ method, remoteAddress }, { id: requestId, request, link }, rejection) {
      const { reason, message: detail, status } = rejection;
      const time = new Date(now()).toISOString();
      const route = link?.match.rule.id;
      const resources = link?.match.resources ?? [];
      const from = { method, path: request?.path, address: request?.address ?? remoteAddress, route, resources };
      const outcome = reason === 'client-gone' ? 'aborted' : outcomeOf(rejection);
      const owner = link?.principal?.owner ?? rejection.principal?.owner;
      const what = { ...common, ...from, owner, time, kind: 'socket', requestId, outcome } as const;
      onDecision({ ...what, reason, detail, status, millis: link === undefined ? 0 : now() - link.startedMillis });
    },
  };
};

const MAX_CLIENT = 120;

const inMode = (link: WebSocketLink, { findings = [] }: Note) => {
  const mode = modeOf(link);
  if (mode === 'enforce') return {};
  const client = link.request.headers
    .get('user-agent')
    ?.replace(/[^ -~]/g, '?')
    .slice(0, MAX_CLIENT);
  return { mode, ...(mode === 'shadow' && { findings }), ...(client !== undefined && { client }) };
};
