import { describe, expect, test } from 'vitest';
import { condemned } from '../../src/realtime/condemned.ts';

const run = (id: string) => ({ kind: 'session', id });
const [s1, s2] = [run('s1'), run('s2')];

const list = (options: { maxRuns?: number } = {}) => {
  const clock = { millis: 1_000 };
  const times = { maxAgeMillis: 100, lingerMillis: 50, now: () => clock.millis };
  return { clock, entries: condemned({ ...times, ...options }) };
};

describe('a run', () => {
  test('is condemned until its end, and lingers then', () => {
    const { clock, entries } = list();
    expect(entries.standing(s1)).toBe(undefined);
    entries.condemn(s1);
    expect([entries.standing(s1), entries.standing(s2)]).toEqual(['condemned', undefined]);
    entries.ended(s1);
    expect(entries.standing(s1)).toBe('ended');
    clock.millis += 50;
    expect([entries.standing(s1), entries.size]).toEqual([undefined, 0]);
  });

  test('does not linger longer for an end that is said twice', () => {
    const { clock, entries } = list();
    entries.condemn(s1);
    entries.ended(s1);
    clock.millis += 49;
    entries.ended(s1);
    clock.millis += 1;
    expect(entries.standing(s1)).toBe(undefined);
  });

  test('of which no end is ever heard is free again after a time', () => {
    const { clock, entries } = list();
    entries.condemn(s1);
    clock.millis += 99;
    expect(entries.standing(s1)).toBe('condemned');
    clock.millis += 1;
    expect(entries.standing(s1)).toBe(undefined);
  });

  test('that is condemned is not merely suspected, and one that ended may be again', () => {
    const { entries } = list();
    entries.suspect(s1);
    expect(entries.standing(s1)).toBe('suspected');
    entries.condemn(s1);
    entries.suspect(s1);
    expect(entries.standing(s1)).toBe('condemned');
    entries.ended(s1);
    entries.suspect(s1);
    expect(entries.standing(s1)).toBe('suspected');
  });

  test('that was released is free at once, and the end of one that is not condemned is nothing', () => {
    const { entries } = list();
    entries.condemn(s1);
    entries.release(s1);
    entries.ended(s2);
    expect([entries.standing(s1), entries.standing(s2), entries.size]).toEqual([undefined, undefined, 0]);
  });
});

test('the list is bounded: the oldest is forgotten, and what is over goes first', () => {
  const { clock, entries } = list({ maxRuns: 2 });
  for (const one of [s1, s2, run('s3')]) entries.condemn(one);
  expect([entries.standing(s1), entries.standing(s2), entries.size]).toEqual([undefined, 'condemned', 2]);
  clock.millis += 100;
  entries.condemn(s1);
  expect(entries.size).toBe(1);
});

test.each([{ maxRuns: 0 }, { maxAgeMillis: 0 }, { lingerMillis: -1 }, { maxRuns: Number.NaN }])(
  'the bounds %o are refused',
  (bounds) => {
    expect(() => condemned(bounds)).toThrow(TypeError);
  },
);
