import { expect, test } from 'vitest';
import { count, isAuthentication, noCounts, see, unseen } from '../../src/audit/counts.ts';
import { entryOf } from '../../src/audit/entry.ts';
import type { AuditRecord } from '../../src/model/audit.ts';
import { auditText, minute } from '../support/audit-lines.ts';

const counted = (...records: ReadonlyArray<Partial<AuditRecord>>) => {
  const counts = noCounts();
  for (const record of records) {
    const entry = entryOf(auditText(record));
    if (entry !== undefined) count(counts, entry);
  }
  return counts;
};

test('a decision is counted by mode, by outcome and by what would have been', () => {
  expect(
    counted(
      { outcome: 'refused', reason: 'role-missing' },
      { outcome: 'failed' },
      { mode: 'off', outcome: 'aborted' },
      { mode: 'shadow', findings: [{ would: 'deny', reason: 'rate-limited', detail: '' }] },
      {
        mode: 'shadow',
        findings: [
          { would: 'deny', reason: 'rate-limited', detail: '' },
          { would: 'deny', reason: 'token-missing', detail: '' },
          { would: 'claim', resources: [{ kind: 'canvas', id: 'a' }] },
          { would: 'change', what: 'answer' },
          { would: 'remove', kind: 'canvas', removed: 1, of: 2 },
        ],
      },
    ),
  ).toMatchObject({
    ...{ decisions: 5, enforced: 2, off: 1, shadow: 2, allowed: 2, refused: 1, failed: 1, aborted: 1 },
    ...{ wouldRefuse: 1, wouldThrottle: 2, wouldClaim: 1, wouldChange: 1, wouldRemove: 1, rows: 2 },
  });
});

test('first and last are the earliest and the latest, in whatever order the lines come', () => {
  expect(counted({ time: minute(2) }, { time: minute(1) }, { time: minute(3) })).toMatchObject({
    first: minute(1),
    last: minute(3),
  });
  const seen = unseen();
  for (const minutes of [5, 4]) see(seen, minute(minutes));
  expect(seen).toEqual({ count: 2, first: minute(4), last: minute(5) });
});

test.each([
  ['token-missing', true],
  ['token-expired', true],
  ['keys-unavailable', true],
  ['authority-expired', true],
  ['role-missing', false],
  ['rate-limited', false],
  ['of-another-version', false],
])('%s says of a caller that nobody knows who it is: %s', (reason, expected) => {
  expect(isAuthentication(reason)).toBe(expected);
});
