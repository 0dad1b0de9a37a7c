import { describe, expect, test } from 'vitest';
import { type SummaryOptions, summing } from '../../src/audit/summary.ts';
import type { AuditRecord } from '../../src/model/audit.ts';
import { auditText, minute } from '../support/audit-lines.ts';

const routes = ['canvas.list', 'canvas.read'];

const summaryOf = (lines: readonly string[], options: Partial<SummaryOptions> = {}) => {
  const sums = summing({ routes, ...options });
  for (const line of lines) sums.line(line);
  return sums.summary();
};

const shadow: Partial<AuditRecord> = { mode: 'shadow', findings: [], owner: 'test|alice', client: 'page' };

describe('a summary', () => {
  test('counts decisions by route: those of the policy, then what else was seen', () => {
    const { total, routes: rows } = summaryOf([
      auditText(shadow),
      auditText({ route: undefined, outcome: 'refused', reason: 'route-unknown' }),
      auditText({ route: undefined, kind: 'socket' }),
      auditText({ route: 'of.an-earlier-policy' }),
    ]);
    expect(total).toMatchObject({ decisions: 4, shadow: 1, enforced: 3, refused: 1 });
    expect(rows.map(({ route, readiness, counts }) => [route, readiness, counts.decisions])).toEqual([
      ['canvas.list', 'few', 1],
      ['canvas.read', 'unseen', 0],
      ['(no route)', 'enforced', 1],
      ['(sockets)', 'enforced', 1],
      ['of.an-earlier-policy', 'enforced', 1],
    ]);
  });

  test('looks at users, reasons, clients and strangers', () => {
    const anonymous: Partial<AuditRecord> = {
      ...{ mode: 'shadow', client: 'old page' },
      findings: [{ would: 'deny', reason: 'token-missing', detail: '' }],
    };
    expect(summaryOf([auditText(shadow), auditText(anonymous)])).toMatchObject({
      users: [{ user: 'test|alice' }, { user: 'without token, 192.0.2.1, old page' }],
      reasons: [{ reason: 'token-missing', would: 1 }],
      clients: [{ client: 'page' }, { client: 'old page' }],
      withoutToken: [{ address: '192.0.2.1', client: 'old page', reason: 'token-missing' }],
      events: [],
    });
  });

  test('takes what an operator did for no decision', () => {
    const found = summaryOf([auditText({ kind: 'admin', route: undefined, outcome: 'refused' })]);
    expect([found.lines, found.total.decisions, found.routes.length]).toEqual([
      { read: 1, outside: 0, malformed: 0, torn: false },
      0,
      2,
    ]);
  });

  test('takes evidence of events for no decision', () => {
    const found = summaryOf([
      auditText({
        ...{ kind: 'event', mode: 'shadow', route: undefined },
        findings: [{ would: 'withhold', event: 'e/t', sockets: 1, of: 2 }],
      }),
    ]);
    expect([found.total.decisions, found.users, found.routes.length]).toEqual([0, [], 2]);
    expect(found.events).toMatchObject([{ event: 'e/t', withheld: 1, of: 2 }]);
  });

  test('is of its period alone: from its first moment, without its last', () => {
    const lines = [0, 1, 2, 3].map((minutes) => auditText({ time: minute(minutes) }));
    const found = summaryOf(lines, { since: minute(1), until: minute(3) });
    expect(found.lines).toEqual({ read: 2, outside: 2, malformed: 0, torn: false });
    expect(found.total).toMatchObject({ decisions: 2, first: minute(1), last: minute(2) });
  });

  test('is of its period also where a line begins with something else', () => {
    const { time, ...rest } = JSON.parse(auditText({ time: minute(5) })) as Record<string, unknown>;
    expect(summaryOf([JSON.stringify({ ...rest, time })], { since: minute(6) }).lines).toMatchObject({ outside: 1 });
  });

  test('passes over lines that are no records, and says how many', () => {
    const sums = summing({ routes });
    for (const line of ['nonsense', '{}', auditText(), '{"time":"x"}']) sums.line(line);
    sums.tooLong();
    expect(sums.summary()).toMatchObject({ total: { decisions: 1 }, lines: { read: 1, malformed: 4, torn: false } });
  });

  test('takes a last line that is whole but for its end, and says when it is not', () => {
    const whole = summing({ routes });
    whole.rest(auditText());
    expect(whole.summary().lines).toMatchObject({ read: 1, torn: false });
    const torn = summing({ routes });
    torn.rest(auditText().slice(0, 60));
    expect(torn.summary().lines).toEqual({ read: 0, outside: 0, malformed: 0, torn: true });
  });

  test('is bounded in routes that no policy has', () => {
    const sums = summing({ routes });
    for (let i = 0; i < 1_500; i += 1) sums.line(auditText({ route: `made.up-${i}` }));
    const { routes: rows } = sums.summary();
    expect(rows).toHaveLength(1_003);
    expect(rows.at(-1)).toMatchObject({ route: '(others)', counts: { decisions: 500 } });
  });
});
