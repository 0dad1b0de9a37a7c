/** The part of the composition that words the audit records of live events. */
import { randomUUID } from 'node:crypto';
import type { AuditRecord } from './model/audit.ts';
import type { Finding } from './model/finding.ts';
import type { Policy } from './model/policy.ts';
import type { EventRefusal } from './pipeline/event.ts';
import type { StoppedRun } from './pipeline/event-watch.ts';

/** The record of an event whose parts are not all of one owner: those for whom the policy is in effect do not hear it. */
export const eventRecord = (refusal: EventRefusal | StoppedRun, { rollout }: Policy): AuditRecord => {
  const { because: reason, event, type, owner, resources } = refusal;
  const detail = `${event} of type ${type}${'detail' in refusal ? `: ${refusal.detail}` : ''}`;
  const { mode } = 'mode' in refusal ? refusal : rollout;
  const judged = { ...EVENT, ...moment(), owner, resources };
  if (mode === 'enforce') return { ...judged, outcome: 'refused', reason, detail };
  return { ...judged, mode, ...(mode === 'shadow' && { findings: [{ would: 'deny', reason, detail }] }) };
};

/** The record of what sockets in shadow heard that would have been withheld from them. */
export const shadowRecord = (findings: readonly Finding[], detail: string): AuditRecord => ({
  ...EVENT,
  ...moment(),
  detail,
  mode: 'shadow',
  findings,
});

const moment = () => ({ time: new Date().toISOString(), requestId: randomUUID() });

const EVENT: Omit<AuditRecord, 'time' | 'requestId'> = {
  kind: 'event',
  outcome: 'allowed',
  reason: undefined,
  detail: undefined,
  method: undefined,
  path: undefined,
  route: undefined,
  owner: undefined,
  address: '',
  resources: [],
  claims: [],
  status: undefined,
  upstreamStatus: undefined,
  stages: {},
  millis: 0,
};
