import { describe, expect, test } from 'vitest';
import { entryOf } from '../../src/audit/entry.ts';
import { routeReadiness } from '../../src/audit/readiness.ts';
import type { AuditRecord } from '../../src/model/audit.ts';
import type { Finding } from '../../src/model/finding.ts';
import { auditText, minute } from '../support/audit-lines.ts';

type Seen = readonly [times: number, caller: string, record: Partial<AuditRecord>];

const rowOf = (...seen: readonly Seen[]) => {
  const route = routeReadiness('canvas.list');
  for (const [times, caller, record] of seen) {
    const entry = entryOf(auditText(record));
    if (entry !== undefined) for (let i = 0; i < times; i += 1) route.take(entry, caller);
  }
  return route.row();
};

const SHADOW: Partial<AuditRecord> = { mode: 'shadow', findings: [] };
const denied = (reason: 'token-missing' | 'rate-limited'): Partial<AuditRecord> => ({
  mode: 'shadow',
  findings: [{ would: 'deny', reason, detail: '' }],
});

describe('a route', () => {
  test.each<[string, string, readonly Seen[]]>([
    ['was not seen', 'unseen', []],
    [
      'was judged often enough, for two users',
      'ready',
      [
        [10, 'a', SHADOW],
        [10, 'b', SHADOW],
      ],
    ],
    [
      'was judged once too little',
      'few',
      [
        [9, 'a', SHADOW],
        [10, 'b', SHADOW],
      ],
    ],
    ['was judged for one user only', 'few', [[100, 'a', SHADOW]]],
    [
      'was judged for one user only, the other was not judged',
      'few',
      [
        [99, 'a', SHADOW],
        [99, 'b', { mode: 'off' }],
      ],
    ],
    [
      'is in effect',
      'enforced',
      [
        [99, 'a', {}],
        [99, 'b', {}],
      ],
    ],
    ['is off', 'unjudged', [[99, 'a', { mode: 'off' }]]],
    [
      'would refuse one of a thousand',
      'breaks',
      [
        [999, 'a', SHADOW],
        [1, 'b', denied('token-missing')],
      ],
    ],
    [
      'would throttle',
      'breaks',
      [
        [99, 'a', SHADOW],
        [99, 'b', denied('rate-limited')],
      ],
    ],
  ])('that %s is %s', (_, readiness, seen) => {
    expect(rowOf(...seen).readiness).toBe(readiness);
  });

  test.each<[string, Finding]>([
    ['claims', { would: 'claim', resources: [{ kind: 'canvas', id: 'a' }] }],
    ['changes', { would: 'change', what: 'answer' }],
    ['rows of others that go', { would: 'remove', kind: 'canvas', removed: 3, of: 4 }],
  ])('is ready all the same with %s', (_, finding) => {
    const record: Partial<AuditRecord> = { mode: 'shadow', findings: [finding] };
    expect(rowOf([10, 'a', record], [10, 'b', record]).readiness).toBe('ready');
  });

  test('whose list would be empty breaks, for whom that is so', () => {
    const emptied: Partial<AuditRecord> = {
      mode: 'shadow',
      findings: [{ would: 'remove', kind: 'canvas', removed: 4, of: 4 }],
    };
    expect(rowOf([50, 'a', SHADOW], [2, 'b', emptied])).toMatchObject({
      readiness: 'breaks',
      breakages: [{ reason: 'list-emptied', count: 2, who: [{ who: 'b', count: 2 }] }],
    });
  });
});

test('a breakage says why, how often, for whom, first and last, most often first', () => {
  const at = (minutes: number): Partial<AuditRecord> => ({ ...denied('token-missing'), time: minute(minutes) });
  const row = rowOf([1, 'b', at(3)], [1, 'a', at(9)], [1, 'a', at(1)], [1, 'c', denied('rate-limited')]);
  expect(row.callers).toBe(3);
  expect(row.breakages).toMatchObject([
    {
      ...{ reason: 'token-missing', count: 3, first: minute(1), last: minute(9) },
      who: [
        { who: 'a', count: 2, first: minute(1), last: minute(9) },
        { who: 'b', count: 1, first: minute(3), last: minute(3) },
      ],
    },
    { reason: 'rate-limited', count: 1 },
  ]);
});

test('is bounded, however many are affected', () => {
  const seen: Seen[] = Array.from({ length: 2_000 }, (_, i) => [1, `caller ${i}`, denied('token-missing')]);
  const row = rowOf(...seen);
  expect(row.callers).toBe(1_000);
  expect(row.breakages[0]).toMatchObject({ count: 2_000 });
  expect(row.breakages[0]?.who).toHaveLength(51);
  expect(row.breakages[0]?.who.at(-1)).toMatchObject({ who: '(others)', count: 1_950 });
});
