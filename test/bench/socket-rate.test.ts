import { describe, expect, test } from 'vitest';
import type { Stretch } from '../../bench/socket-field.ts';
import { findRate, isSustained, playSustained } from '../../bench/socket-rate.ts';

const stretch = (eventsPerSecond: number, heard: Partial<Stretch['heard']> = {}, lost = 0): Stretch => ({
  events: 10,
  eventsPerSecond,
  cpuMicros: 1,
  waitedShare: 0,
  lost,
  heard: {
    deliveries: 10,
    p50Millis: 50,
    p99Millis: 100,
    halves: [50, 50],
    foreign: 0,
    doubled: 0,
    overtaken: 0,
    unknown: 0,
    ...heard,
  },
});

/** A field that sustains what is not above a rate. */
const fieldUpTo = (rate: number) => {
  const played: number[] = [];
  const play = async (eventsPerSecond: number): Promise<Stretch> => {
    played.push(eventsPerSecond);
    return stretch(eventsPerSecond, eventsPerSecond > rate ? { p99Millis: 1000 } : {});
  };
  return { field: { play }, played };
};

const quiet = (): void => undefined;

describe('the sustained rate', () => {
  test('a stretch in which something was lost, late or piled up is not sustained', () => {
    expect(isSustained(stretch(1))).toBe(true);
    expect(isSustained(stretch(1, {}, 1))).toBe(false);
    expect(isSustained(stretch(1, { p99Millis: 1000 }))).toBe(false);
    expect(isSustained(stretch(1, { halves: [50, 200] }))).toBe(false);
  });

  test.each([1, 7, 23, 300])('what a field sustains up to %i a second is found from below', async (highest) => {
    const { field } = fieldUpTo(highest);
    const rate = await findRate(field, quiet);
    expect(rate).toBeLessThanOrEqual(highest * 0.85);
    expect(rate).toBeGreaterThan(highest * 0.7);
  });

  test('one disturbance is not taken for the limit', async () => {
    const { field } = fieldUpTo(20);
    let plays = 0;
    const play: typeof field.play = async (rate) => {
      plays += 1;
      return plays === 2 ? stretch(rate, { p99Millis: 1000 }) : field.play(rate);
    };
    expect(await findRate({ play }, quiet)).toBeGreaterThan(14);
  });

  test('a field that sustains nothing has no rate', async () => {
    await expect(findRate(fieldUpTo(0).field, quiet)).rejects.toThrow('no rate');
  });

  test('a long stretch is played slower until it is sustained, but not for ever', async () => {
    const { field, played } = fieldUpTo(8);
    expect((await playSustained(field, 10, 1)).eventsPerSecond).toBeLessThanOrEqual(8);
    expect(played).toHaveLength(3);
    await expect(playSustained(fieldUpTo(1).field, 100, 1)).rejects.toThrow('no rate');
  });
});
