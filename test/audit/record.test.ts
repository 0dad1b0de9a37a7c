import { describe, expect, test } from 'vitest';
import { auditLine } from '../../src/audit/record.ts';
import type { AuditRecord } from '../../src/model/audit.ts';

const full: AuditRecord = {
  time: '2026-11-23T00:00:00.000Z',
  kind: 'request',
  requestId: 'the-id',
  outcome: 'refused',
  reason: 'id-invalid',
  detail: 'body "a"\n\u2028: expected é',
  method: 'POST',
  path: '/api/chat',
  route: 'chat.send',
  owner: 'test|"alice"\\\u0007😀',
  address: '192.0.2.1',
  resources: [{ kind: 'canvas', id: 'a' }],
  claims: [
    { kind: 'canvas', id: 'a' },
    { kind: 'session', id: 'b' },
  ],
  status: 400,
  upstreamStatus: 500,
  stages: { canonical: 0.0123456, match: 1, read: 12.1, filter: 0.0004, respond: 3.05 },
  millis: 1234.0009,
};
const parsed = (record: AuditRecord) => JSON.parse(auditLine(record)) as Record<string, unknown>;

describe('a line', () => {
  test('reads back as the record, resources as keys, times to the microsecond', () => {
    const { resources, claims, stages, millis, ...rest } = full;
    expect(parsed(full)).toEqual({
      ...rest,
      resources: ['canvas:a'],
      claims: ['canvas:a', 'session:b'],
      stages: { canonical: 0.012, match: 1, read: 12.1, filter: 0, respond: 3.05 },
      millis: 1234.001,
    });
    expect([resources.length, claims.length, Object.keys(stages).length, millis > 0]).toEqual([1, 2, 5, true]);
  });

  test('is one line, whatever a client put into it', () => {
    expect(auditLine(full)).not.toMatch(/[\n\r]/);
    expect(parsed({ ...full, method: 'G"E\nT', path: '/"\n', address: '"\n' })).toMatchObject({
      method: 'G"E\nT',
      path: '/"\n',
      address: '"\n',
    });
  });

  test('steers no terminal, and looks like no other text: what is not seen is escaped', () => {
    const unseen = 'a\u001b[2J\u007f\u009b31m\u0085\u202edcba\u2066\u2069\u200b\ufeff\u{e0041}\ud800 é😀';
    const findings: AuditRecord['findings'] = [{ would: 'deny', reason: 'event-refused', detail: unseen }];
    const record = { ...full, detail: unseen, owner: unseen, mode: 'shadow', findings } as const;
    const line = auditLine(record);
    expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
    expect(line).toContain('é😀');
    expect(JSON.parse(line)).toMatchObject({ detail: unseen, owner: unseen, findings });
  });

  test('leaves out what is not known', () => {
    const bare: AuditRecord = {
      ...full,
      ...{ reason: undefined, detail: undefined, method: undefined, path: undefined, route: undefined },
      ...{ owner: undefined, status: undefined, upstreamStatus: undefined, resources: [], claims: [], stages: {} },
      millis: 0,
    };
    expect(Object.keys(parsed(bare))).toEqual(['time', 'kind', 'requestId', 'outcome', 'address', 'stages', 'millis']);
  });

  test.each([
    [0, 0],
    [0.0001, 0],
    [0.0005, 0.001],
    [0.01, 0.01],
    [0.999_9, 1],
    [9.0991, 9.099],
    [59_999.9999, 60_000],
    [1e9 + 0.25, 1e9 + 0.25],
  ])('%d milliseconds are written as %d', (millis, written) => {
    expect(parsed({ ...full, millis }).millis).toBe(written);
  });
});
