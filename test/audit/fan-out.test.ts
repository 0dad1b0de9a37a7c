import { describe, expect, test } from 'vitest';
import { fanOut } from '../../src/audit/fan-out.ts';
import type { AuditRecord } from '../../src/model/audit.ts';
import { eventually } from '../support/eventually.ts';

const record = (requestId: string): AuditRecord => ({
  ...{ time: '2026-11-23T00:00:00.000Z', kind: 'request', requestId, outcome: 'allowed', reason: undefined },
  ...{ detail: undefined, method: 'GET', path: '/', route: 'page', owner: undefined, address: '192.0.2.1' },
  ...{ resources: [], claims: [], status: 200, upstreamStatus: 200, stages: {}, millis: 1 },
});
const taker = () => {
  const ids: string[] = [];
  return { ids, take: ({ requestId }: AuditRecord) => ids.push(requestId) };
};

describe('a record', () => {
  test('reaches every taker, in order, without being asked for', async () => {
    const [one, other] = [taker(), taker()];
    const { record: tell } = fanOut([one.take, other.take]);
    tell(record('1'));
    tell(record('2'));
    expect(one.ids).toEqual([]);
    await eventually(() => other.ids.length === 2);
    expect([one.ids, other.ids]).toEqual([
      ['1', '2'],
      ['1', '2'],
    ]);
  });

  test('is there when its reader asks for it, and once', async () => {
    const one = taker();
    const { record: tell, flush } = fanOut([one.take]);
    tell(record('1'));
    flush();
    flush();
    expect(one.ids).toEqual(['1']);
    tell(record('2'));
    await eventually(() => one.ids.length === 2);
    expect(one.ids).toEqual(['1', '2']);
  });

  test('waits for no more than 255 others', () => {
    const one = taker();
    const { record: tell } = fanOut([one.take]);
    for (let count = 0; count < 255; count += 1) tell(record(String(count)));
    expect(one.ids).toHaveLength(0);
    tell(record('the last'));
    expect(one.ids).toHaveLength(256);
  });
});
