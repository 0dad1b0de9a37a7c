import { describe, expect, test } from 'vitest';
import { createHearing } from '../../bench/hearing.ts';
import { EVENT_NAME, machineMillis, updateOf } from '../../bench/socket-events.ts';

describe('hearing', () => {
  test('an event of another session is foreign, and no loss of this one', () => {
    const hearing = createHearing('own');
    const ear = hearing.ear(1);
    ear(EVENT_NAME, updateOf(1, 0));
    ear(EVENT_NAME, updateOf(2, 7));
    expect(hearing.heard()).toMatchObject({ deliveries: 2, foreign: 1, doubled: 0, overtaken: 0, unknown: 0 });
    expect(hearing.lost([0, 1, 8])).toBe(0);
  });

  test('each socket of a user must hear each event of its session', () => {
    const hearing = createHearing('own');
    const ears = [hearing.ear(0), hearing.ear(0)];
    for (const ear of ears) ear(EVENT_NAME, updateOf(0, 0));
    ears[1]?.(EVENT_NAME, updateOf(0, 1));
    expect([hearing.expected([2]), hearing.taken(), hearing.lost([2])]).toEqual([4, 3, 1]);
  });

  test('doubled and overtaken events are counted', () => {
    const hearing = createHearing('own');
    const ear = hearing.ear(0);
    for (const sequence of [0, 2, 1, 1]) ear(EVENT_NAME, updateOf(0, sequence));
    expect(hearing.heard()).toMatchObject({ doubled: 1, overtaken: 1 });
  });

  test('where everybody hears all, the events of all are one stream', () => {
    const hearing = createHearing('everybody');
    const ear = hearing.ear(0);
    ear(EVENT_NAME, updateOf(0, 0));
    ear(EVENT_NAME, updateOf(1, 1));
    expect(hearing.heard()).toMatchObject({ foreign: 1, doubled: 0 });
    expect(hearing.lost([3])).toBe(1);
  });

  test('what is neither an event of the bench nor a notice of the server is unknown', () => {
    const hearing = createHearing('own');
    const ear = hearing.ear(0);
    ear('connected', { status: 'connected' });
    ear('something', {});
    ear(EVENT_NAME, { session_id: 'session-0' });
    expect(hearing.heard()).toMatchObject({ deliveries: 0, unknown: 2 });
  });

  test('a delivery takes the time since the event was sent, in the half of the stretch in which it was', () => {
    const hearing = createHearing('own');
    hearing.begin(machineMillis());
    const { text, ...update } = updateOf(0, 0);
    const early = { ...update, text: `0 ${(machineMillis() - 300).toFixed(3)} early` };
    hearing.ear(0)(EVENT_NAME, early);
    const { p99Millis, halves } = hearing.heard();
    expect(p99Millis).toBeGreaterThanOrEqual(300);
    expect(halves[0]).toBeGreaterThanOrEqual(300);
    expect(halves[1]).toBe(0);
  });

  test('an event has a thousand bytes on the wire', () => {
    expect(`42${JSON.stringify([EVENT_NAME, updateOf(499, 123_456)])}`).toHaveLength(1000);
  });
});
