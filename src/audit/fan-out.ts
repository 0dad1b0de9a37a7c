/**
 * FAN-OUT: hands each record to everybody who keeps something of it. Records are gathered for a moment and handed over
 * in one go: what writes and counts them then runs as one warm loop, which costs about half of what it does between the
 * stages of other requests, and no request waits for it.
 */
import type { AuditRecord, AuditSink } from '../model/audit.ts';

export interface FanOut {
  readonly record: AuditSink;
  /** Hands over what is waiting, at once: before somebody reads what the takers keep, and before they close. */
  flush(): void;
}

/** Nobody looks at a log or a counter sooner. */
const GATHER_MILLIS = 15;
/** So many are handed over without waiting longer: a bound on what is held, and on how long one loop takes. */
const MAX_WAITING = 256;

/** Returns a fan-out to takers that neither throw nor block. */
export const fanOut = (takers: readonly AuditSink[]): FanOut => {
  let waiting: AuditRecord[] = [];
  let timer: NodeJS.Timeout | undefined;

  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const batch = waiting;
    waiting = [];
    for (const take of takers) for (const record of batch) take(record);
  };

  return {
    record(record) {
      waiting.push(record);
      if (waiting.length >= MAX_WAITING) flush();
      else timer ??= setTimeout(flush, GATHER_MILLIS);
    },
    flush,
  };
};
