/** The one way to refuse. Everything else that is thrown is a bug, and a 500. */
import type { Principal } from './principal.ts';
import { type ReasonCode, reasons } from './reason.ts';

export interface RejectionOptions {
  readonly cause?: unknown;
  /** Headers for the answer, such as Retry-After; names and values alternating. */
  readonly headers?: readonly string[];
  /** Who is refused, where a stage found that out and refuses all the same. For the record and the limits. */
  readonly principal?: Principal;
}

export class Rejection extends Error {
  readonly reason: ReasonCode;
  readonly status: number;
  readonly headers: readonly string[];
  readonly principal: Principal | undefined;

  /** `detail` is for the audit record and the log; the client is told `reasons[reason].message` only. */
  constructor(reason: ReasonCode, detail: string, options: RejectionOptions = {}) {
    super(detail, { cause: options.cause });
    this.name = 'Rejection';
    this.reason = reason;
    this.status = reasons[reason].status;
    this.headers = options.headers ?? [];
    this.principal = options.principal;
  }
}
