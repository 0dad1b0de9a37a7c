/** The record of one decision. No token and no body is ever in it, and of the headers only the name of the client. */
import type { Finding } from './finding.ts';
import type { Mode } from './mode.ts';
import type { ReasonCode, Stage } from './reason.ts';
import type { ResourceRef } from './resource.ts';

export type Outcome =
  /** Forwarded, and the upstream's answer was passed on. */
  | 'allowed'
  /** Refused by a stage of ours; `reason` says which. */
  | 'refused'
  /** A part that we need failed, or we did. */
  | 'failed'
  /** The client went away first. */
  | 'aborted';

export interface AuditRecord {
  /** RFC 3339, UTC, milliseconds. */
  readonly time: string;
  /** `admin`: what an operator did by the admin API. */
  readonly kind: 'request' | 'socket' | 'event' | 'admin';
  readonly requestId: string;
  readonly outcome: Outcome;
  readonly reason: ReasonCode | undefined;
  /** What the operator may know and the client may not. */
  readonly detail: string | undefined;
  readonly method: string | undefined;
  /** The canonical path; undefined when the target was not acceptable. */
  readonly path: string | undefined;
  readonly route: string | undefined;
  readonly owner: string | undefined;
  readonly address: string;
  readonly resources: readonly ResourceRef[];
  readonly claims: readonly ResourceRef[];
  readonly status: number | undefined;
  readonly upstreamStatus: number | undefined;
  /** Milliseconds by stage, in the order in which they ran. */
  readonly stages: Readonly<Partial<Record<Stage, number>>>;
  readonly millis: number;
  /** Left out where the policy is in effect. */
  readonly mode?: Exclude<Mode, 'enforce'>;
  /** What shadow mode found. */
  readonly findings?: readonly Finding[];
  /** The User-Agent, 120 characters at most; outside of `enforce` only, to tell who would notice. */
  readonly client?: string;
}

/** Where records go. Must not throw and must not block. */
export type AuditSink = (record: AuditRecord) => void;
