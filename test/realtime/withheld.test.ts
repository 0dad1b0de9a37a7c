import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Finding } from '../../src/model/finding.ts';
import { withheld } from '../../src/realtime/withheld.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

type Event = Parameters<ReturnType<typeof withheld>['note']>[0];

const evidence = (maxKinds = 100) => {
  const told: Array<{ findings: readonly Finding[]; events: number }> = [];
  const counter = withheld({ tell: (findings, events) => told.push({ findings, events }), maxKinds });
  return { told, ...counter };
};

const event = (name: string, sockets: number, of: number, because?: string): Event => ({
  would: 'withhold',
  event: name,
  ...(because === undefined ? {} : { because }),
  sockets,
  of,
});

test('events of a window are told together, by kind and by why', () => {
  const { told, note } = evidence();
  for (let i = 0; i < 1_000; i += 1) note(event('e/delta', 2, 3));
  note(event('e/delta', 3, 3, 'unknown-owner'));
  expect(told).toEqual([]);
  vi.advanceTimersByTime(10_000);
  const findings = [event('e/delta', 2_000, 3_000), event('e/delta', 3, 3, 'unknown-owner')];
  expect(told).toEqual([{ findings, events: 1_001 }]);
});

test('a window in which nothing would have been withheld is not told', () => {
  const { told, note, flush } = evidence();
  note(event('e', 0, 3));
  vi.advanceTimersByTime(10_000);
  flush();
  expect(told).toEqual([]);
});

test('a window begins with its first event, and none is told twice', () => {
  const { told, note, flush } = evidence();
  note(event('e', 1, 1));
  flush();
  vi.advanceTimersByTime(60_000);
  note(event('e', 2, 2));
  vi.advanceTimersByTime(9_999);
  expect(told).toHaveLength(1);
  vi.advanceTimersByTime(1);
  expect(told[1]).toEqual({ findings: [event('e', 2, 2)], events: 1 });
  expect(vi.getTimerCount()).toBe(0);
});

test('names that the upstream makes up fill no memory', () => {
  const { told, note, flush } = evidence(2);
  for (let i = 0; i < 1_000; i += 1) note(event(`e${i}`, 1, 2, 'unlisted-event'));
  note(event('e0', 1, 2, 'unlisted-event'));
  flush();
  expect(told[0]?.findings).toEqual([
    event('e0', 2, 4, 'unlisted-event'),
    event('e1', 1, 2, 'unlisted-event'),
    event('others', 998, 1_996),
  ]);
});
