/** Lines of an audit file, as the gateway writes them, of few words. */
import { auditLine } from '../../src/audit/record.ts';
import type { AuditRecord } from '../../src/model/audit.ts';

const EMPTY: AuditRecord = {
  time: '2026-11-20T00:00:00.000Z',
  kind: 'request',
  requestId: 'the-id',
  outcome: 'allowed',
  reason: undefined,
  detail: undefined,
  method: 'GET',
  path: '/api/canvas/list',
  route: 'canvas.list',
  owner: undefined,
  address: '192.0.2.1',
  resources: [],
  claims: [],
  status: 200,
  upstreamStatus: 200,
  stages: { canonical: 0.1 },
  millis: 1,
};

/** Returns the line of a record with these fields. */
export const auditText = (fields: Partial<AuditRecord> = {}): string => auditLine({ ...EMPTY, ...fields });

/** Returns the time of a record, so many minutes into 20 November 2026. */
export const minute = (minutes: number): string => new Date(Date.UTC(2026, 10, 20, 0, minutes)).toISOString();
