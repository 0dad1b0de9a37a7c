import { expect, test } from 'vitest';
import { entryOf } from '../../src/audit/entry.ts';
import { byClient, byEvent, byReason, byStranger, byUser, callerOf, type View } from '../../src/audit/views.ts';
import type { AuditRecord } from '../../src/model/audit.ts';
import { auditText, minute } from '../support/audit-lines.ts';

const seen = <Row>(view: View<Row>, ...records: ReadonlyArray<Partial<AuditRecord>>): readonly Row[] => {
  for (const record of records) {
    const entry = entryOf(auditText(record));
    if (entry !== undefined) view.take(entry);
  }
  return view.rows();
};

const anonymous: Partial<AuditRecord> = {
  ...{ mode: 'shadow', client: 'old page' },
  findings: [{ would: 'deny', reason: 'token-missing', detail: '' }],
};

test('users are named, and who came without a token is told by address and client', () => {
  expect(seen(byUser(), { owner: 'test|alice' }, { owner: 'test|alice' }, anonymous, {})).toMatchObject([
    { user: 'test|alice', decisions: 2 },
    { user: 'without token, 192.0.2.1, old page', decisions: 1, wouldRefuse: 1 },
    { user: 'without token, 192.0.2.1, (not recorded)', decisions: 1, wouldRefuse: 0 },
  ]);
});

test('the caller of an entry is its user where that is known', () => {
  const entry = entryOf(auditText({ ...anonymous, owner: 'test|alice' }));
  expect(entry && callerOf(entry)).toBe('test|alice');
});

test('clients are told where they were recorded', () => {
  expect(seen(byClient(), anonymous, anonymous, { ...anonymous, client: 'script' }, {})).toMatchObject([
    { client: 'old page', decisions: 2, shadow: 2 },
    { client: 'script', decisions: 1 },
  ]);
});

test('reasons are told apart by whether they were in effect', () => {
  const refused: Partial<AuditRecord> = { outcome: 'refused', reason: 'token-missing', time: minute(5) };
  expect(seen(byReason(), anonymous, refused, anonymous, { outcome: 'refused', reason: 'role-missing' })).toMatchObject(
    [
      { reason: 'token-missing', count: 3, would: 2, inEffect: 1, first: minute(0), last: minute(5) },
      { reason: 'role-missing', count: 1, would: 0, inEffect: 1 },
    ],
  );
});

test('strangers are those whom nobody knows, refused or not, and not those whom another reason refuses', () => {
  const limited: Partial<AuditRecord> = {
    ...anonymous,
    findings: [{ would: 'deny', reason: 'rate-limited', detail: '' }],
  };
  const expired: Partial<AuditRecord> = { outcome: 'refused', reason: 'token-expired', address: '192.0.2.2' };
  expect(seen(byStranger(), anonymous, limited, expired, anonymous, { owner: 'test|alice' })).toMatchObject([
    { address: '192.0.2.1', client: 'old page', reason: 'token-missing', count: 2 },
    { address: '192.0.2.2', client: '(not recorded)', reason: 'token-expired', count: 1 },
  ]);
});

test('events are added up by name and by why nobody would hear them', () => {
  const told = (sockets: number, because?: string): Partial<AuditRecord> => ({
    ...{ kind: 'event', mode: 'shadow' },
    findings: [{ would: 'withhold', event: 'e/t', ...(because === undefined ? {} : { because }), sockets, of: 10 }],
  });
  expect(seen(byEvent(), told(4), told(5), told(10, 'unknown-owner'), {})).toMatchObject([
    { event: 'e/t', because: 'unknown-owner', withheld: 10, of: 10, count: 1 },
    { event: 'e/t', because: null, withheld: 9, of: 20, count: 2 },
  ]);
});

test('names that anybody can make up fill no memory', () => {
  const view = byClient();
  for (let i = 0; i < 10_500; i += 1) {
    const entry = entryOf(auditText({ ...anonymous, client: `client ${i}` }));
    if (entry !== undefined) view.take(entry);
  }
  expect(view.rows()).toHaveLength(10_001);
  expect(view.rows().at(-1)).toMatchObject({ client: '(others)', decisions: 500 });
});
