import { describe, expect, test } from 'vitest';
import type { Stretch } from '../../bench/socket-field.ts';
import { faultsOf, rowOf, type SocketSample, sampleOf } from '../../bench/socket-rows.ts';

const sample = (more: Partial<SocketSample> = {}): SocketSample => ({
  connectsPerSecond: 2000,
  cpuMicrosPerConnect: 400,
  kilobytesPerSocket: 20,
  heldKilobytesPerSocket: 18,
  heldKilobytesPerSocketAfter: 19,
  eventsPerSecond: 1000,
  p50Millis: 1,
  p99Millis: 10,
  cpuMicrosPerEvent: 200,
  cpuMicrosPerEventOfFew: undefined,
  cpuMicrosPerDelivery: 20,
  restingMicrosPerSecond: undefined,
  waitedShare: 0,
  deliveries: 100,
  foreignDeliveries: 0,
  lost: 0,
  doubled: 0,
  overtaken: 0,
  unknown: 0,
  ...more,
});

const faultsOfSamples = (...samples: SocketSample[]): string[] => faultsOf(rowOf('sockets-5', 5, samples));

const stretch = (lost: number, heard: Partial<Stretch['heard']>): Stretch => ({
  events: 10,
  eventsPerSecond: 1000,
  cpuMicros: 2000,
  waitedShare: 0,
  lost,
  heard: {
    deliveries: 100,
    p50Millis: 1,
    p99Millis: 2,
    halves: [1, 1],
    foreign: 0,
    doubled: 0,
    overtaken: 0,
    unknown: 0,
    ...heard,
  },
});

describe('the rows of sockets', () => {
  test('what goes wrong in any stretch is counted, and only the long one is timed', () => {
    const opening = {
      connectsPerSecond: 1,
      cpuMicrosPerConnect: 1,
      kilobytesPerSocket: 1,
      heldKilobytesPerSocket: 1,
    };
    const measured = {
      opening,
      heldKilobytesPerSocketAfter: 1,
      restingMicrosPerSecond: undefined,
      warmUp: stretch(0, { foreign: 1, p99Millis: 500 }),
      stretch: stretch(2, { doubled: 1 }),
      few: { ...stretch(3, { overtaken: 1, p99Millis: 500 }), cpuMicros: 1500 },
    };
    expect(sampleOf(measured)).toMatchObject({
      ...{ deliveries: 300, foreignDeliveries: 1, doubled: 1, overtaken: 1, lost: 3 },
      ...{ p99Millis: 2, cpuMicrosPerEvent: 200, cpuMicrosPerEventOfFew: 150, cpuMicrosPerDelivery: 20 },
    });
    expect(sampleOf({ ...measured, few: undefined })).toMatchObject({ lost: 2, cpuMicrosPerEventOfFew: undefined });
  });

  test('latencies are medians, deliveries are sums', () => {
    const row = rowOf('sockets-5', 5, [sample({ p99Millis: 400 }), sample(), sample({ restingMicrosPerSecond: 7 })]);
    expect(row).toMatchObject({ p99Millis: 10, deliveries: 300, restingMicrosPerSecond: 7 });
    expect(faultsOf(row)).toEqual([]);
  });

  test.each(['foreignDeliveries', 'lost', 'doubled', 'overtaken', 'unknown'])(
    'one of %s in any round fails',
    (what) => {
      expect(faultsOfSamples(sample(), sample({ [what]: 1 }), sample())).toEqual([`sockets-5 (${what} 1)`]);
    },
  );

  test('a p99 over 50 ms fails, and so do more than 40 kB a socket', () => {
    expect(faultsOfSamples(sample({ p99Millis: 50.01 }))).toEqual(['sockets-5 (p99 over 50 ms)']);
    expect(faultsOfSamples(sample({ kilobytesPerSocket: 40.1 }))).toEqual(['sockets-5 (over 40 kB a socket)']);
  });
});
