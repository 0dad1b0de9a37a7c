import { describe, expect, test } from 'vitest';
import { ENOUGH } from '../../src/audit/readiness.ts';
import { summing } from '../../src/audit/summary.ts';
import { reportLines } from '../../src/cli/report-text.ts';
import type { AuditRecord } from '../../src/model/audit.ts';
import { auditText, minute } from '../support/audit-lines.ts';

const textOf = (records: ReadonlyArray<Partial<AuditRecord>>, routes: readonly string[] = []) => {
  const sums = summing({ routes });
  for (const record of records) sums.line(auditText(record));
  const frame = { version: 1, file: '/audit.ndjson', since: null, until: null, enough: ENOUGH } as const;
  return reportLines({ ...frame, ...sums.summary() }, new Set(['denied.unseen', 'denied.seen']));
};

const denied = (fields: Partial<AuditRecord>): Partial<AuditRecord> => ({
  ...{ mode: 'shadow', client: 'page', findings: [{ would: 'deny', reason: 'token-missing', detail: '' }] },
  ...fields,
});

describe('the text of a report', () => {
  test('of nothing is one that says so', () => {
    expect(textOf([])).toEqual(['/audit.ndjson', '  0 decisions: 0 in shadow, 0 in effect, 0 off']);
  });

  test('is aligned: texts to the left, numbers to the right', () => {
    const lines = textOf([
      ...Array.from({ length: 1_200 }, (_, i) => ({ owner: `test|${i % 2 === 0 ? 'al' : 'barbara'}` })),
      { owner: 'test|al', outcome: 'refused', reason: 'role-missing', time: minute(90) },
    ]);
    const at = lines.indexOf('USERS');
    expect(lines.slice(at, at + 4)).toEqual([
      'USERS',
      '  user          decisions  in shadow  would refuse  throttle  rows removed  refused  last',
      '  test|al             601          0             0         0             0        1  2026-11-20 01:30',
      '  test|barbara        600          0             0         0             0        0  2026-11-20 00:00',
    ]);
    expect(lines[1]).toContain('1,201 decisions');
  });

  test('is short, however much there is, and says how much is missing', () => {
    const records = Array.from({ length: 4_000 }, (_, i) =>
      denied({ route: `r${i % 40}`, address: `10.0.0.${i % 200}`, client: `client ${i}` }),
    );
    const lines = textOf(
      records,
      Array.from({ length: 100 }, (_, i) => `unseen-${i}`),
    );
    expect(lines.length).toBeLessThan(250);
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThan(200);
    expect(lines.filter((line) => /^ *and [\d,]+ more$/.test(line)).length).toBeGreaterThan(3);
    expect(lines.join('\n')).toContain('and 60 more');
  });

  test('counts denied routes that nobody asked for, and shows those that somebody did', () => {
    const text = textOf([denied({ route: 'denied.seen', owner: 'a|b' })], ['denied.unseen', 'denied.seen', 'x']).join(
      '\n',
    );
    expect(text).toMatch(/WOULD BREAK\n {2}denied\.seen/);
    expect(text).toContain('NEVER SEEN\n  x, (denied to everybody anyway: 1)');
    expect(text).not.toContain('denied.unseen');
  });

  test('says of live events why they would not have been heard', () => {
    const findings = [
      { would: 'withhold', event: 'session_update/delta', sockets: 1_200, of: 2_400 },
      { would: 'withhold', event: 'session_update/odd', because: 'unlisted-type', sockets: 3, of: 3 },
    ] as const;
    const text = textOf([{ kind: 'event', mode: 'shadow', route: undefined, findings }]).join('\n');
    expect(text).toMatch(/ {2}session_update\/delta {2}another’s +1,200 {2}2,400 {2}2026/);
    expect(text).toMatch(/ {2}session_update\/odd +unlisted-type +3 +3 {2}2026/);
  });

  test('lets no client steer the terminal or write lines of its own', () => {
    const client = 'page\u001b[2J\u202e\u2028READY';
    const text = textOf([denied({ client, owner: 'test|a\nREADY TO ENFORCE' })]).join('\n');
    expect(text).not.toMatch(/[\u001b\u202e\u2028]/);
    expect(text).not.toMatch(/^READY/m);
    expect(text).toContain('page\u{fffd}[2J\u{fffd}\u{fffd}READY');
  });

  test('keeps both ends of a long name', () => {
    const text = textOf([denied({ client: `Mozilla/5.0 ${'x'.repeat(90)} Safari/537.36` })]).join('\n');
    expect(text).toMatch(/ {2}Mozilla\/5\.0 x+…x+ Safari\/537\.36 {2}/);
  });
});
