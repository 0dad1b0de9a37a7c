import { describe, expect, test } from 'vitest';
import { entryOf } from '../../src/audit/entry.ts';
import { auditText } from '../support/audit-lines.ts';

describe('an entry', () => {
  test('is read back from the line of a record', () => {
    expect(entryOf(auditText({ owner: 'test|alice', outcome: 'refused', reason: 'role-missing' }))).toEqual({
      ...{ time: '2026-11-20T00:00:00.000Z', kind: 'request', outcome: 'refused', mode: 'enforce' },
      ...{ reason: 'role-missing', route: 'canvas.list', owner: 'test|alice', address: '192.0.2.1', client: undefined },
      found: { denials: [], claims: 0, changes: 0, removed: 0, rows: 0, emptied: false, withheld: [] },
    });
  });

  test('adds the findings of shadow mode up', () => {
    const line = auditText({
      mode: 'shadow',
      client: 'old page',
      findings: [
        { would: 'deny', reason: 'token-missing', detail: 'd' },
        { would: 'deny', reason: 'rate-limited', detail: 'd' },
        { would: 'deny', reason: 'token-missing', detail: 'another' },
        {
          would: 'claim',
          resources: [
            { kind: 'canvas', id: 'a' },
            { kind: 'session', id: 'b' },
          ],
        },
        { would: 'change', what: 'request' },
        { would: 'remove', kind: 'canvas', removed: 2, of: 3 },
        { would: 'remove', kind: 'canvas', removed: 4, of: 4 },
        { would: 'withhold', event: 'e/t', because: 'unknown-owner', sockets: 1, of: 2 },
        { would: 'withhold', event: 'e/t', sockets: 3, of: 4 },
      ],
    });
    expect(entryOf(line)).toMatchObject({
      mode: 'shadow',
      client: 'old page',
      found: {
        ...{ denials: ['token-missing', 'rate-limited'], claims: 2, changes: 1, removed: 6, rows: 7, emptied: true },
        withheld: [
          { event: 'e/t', because: 'unknown-owner', sockets: 1, of: 2 },
          { event: 'e/t', because: undefined, sockets: 3, of: 4 },
        ],
      },
    });
  });

  test('takes a list of no rows for no list that lost all of them', () => {
    const line = auditText({ mode: 'shadow', findings: [{ would: 'remove', kind: 'canvas', removed: 0, of: 0 }] });
    expect(entryOf(line)?.found.emptied).toBe(false);
  });

  test('passes over findings that this version does not know, and numbers that are none', () => {
    const findings = [{ would: 'dance' }, { would: '__proto__' }, 7, null, { would: 'remove', removed: -1, of: 'x' }];
    const line = auditText({ mode: 'shadow' }).replace('"findings":[]', `"findings":${JSON.stringify(findings)}`);
    expect(entryOf(line)?.found).toMatchObject({ denials: [], removed: 0, rows: 0, emptied: false });
  });

  test('keeps no text that is longer than any of ours', () => {
    expect(entryOf(auditText({ owner: 'x'.repeat(10_000) }))?.owner).toHaveLength(200);
  });
});

test.each([
  ['half a line', '{"time":"2026-11-20T00:00:00.000Z","kind":"req'],
  ['no object', '[]'],
  ['null', 'null'],
  ['no JSON', 'gateway started'],
  ['no time', auditText().replace('"time":"2026-11-20T00:00:00.000Z"', '"when":1')],
  ['a time of another form', auditText({ time: '2026-11-20 00:00' })],
  ['a kind that there is not', auditText().replace('"kind":"request"', '"kind":"wish"')],
  ['an outcome that there is not', auditText().replace('"outcome":"allowed"', '"outcome":"maybe"')],
  ['a mode that there is not', auditText({ mode: 'shadow' }).replace('"mode":"shadow"', '"mode":"warn"')],
  ['no address', auditText().replace('"address":"192.0.2.1",', '')],
])('%s is no entry', (_, line) => {
  expect(entryOf(line)).toBeUndefined();
});
