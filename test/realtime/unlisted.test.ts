import { describe, expect, test } from 'vitest';
import { type UnlistedOptions, unlisted } from '../../src/realtime/unlisted.ts';

const HOUR = 3_600_000;

const line = (options: Partial<UnlistedOptions> = {}) => {
  const told: string[] = [];
  const counted: string[] = [];
  const clock = { millis: 0 };
  const { note } = unlisted({
    tell: ({ event, type }, events) => told.push(`${event} ${type} ${events}`),
    count: ({ event, type }) => counted.push(`${event} ${type}`),
    now: () => clock.millis,
    ...options,
  });
  return { note, told, counted, clock };
};

describe('what the policy does not list', () => {
  test('is counted each time, and told of at most once an hour with the sum', () => {
    const { note, told, counted, clock } = line();
    for (let time = 0; time < 3; time += 1) note('session_update', 'thinking');
    note('session_update', 'plan');
    note('init_done', undefined);
    expect(told).toEqual(['session_update thinking 1', 'session_update plan 1', 'init_done none 1']);
    expect(counted.filter((one) => one === 'session_update thinking')).toHaveLength(3);
    clock.millis = HOUR - 1;
    note('session_update', 'thinking');
    expect(told).toHaveLength(3);
    clock.millis = HOUR;
    note('session_update', 'thinking');
    note('session_update', 'thinking');
    expect(told.slice(3)).toEqual(['session_update thinking 4']);
  });

  test('is of 50 kinds at most, and what is beyond them of one more', () => {
    const { note, told, counted } = line();
    for (let kind = 0; kind < 1_000; kind += 1) note('session_update', `type-${kind}`);
    expect(new Set(counted).size).toBe(51);
    expect(counted.filter((one) => one === 'other other')).toHaveLength(950);
    expect(told.slice(50)).toEqual(['other other 1']);
    note('session_update', 'type-7');
    expect(counted.at(-1)).toBe('session_update type-7');
  });

  test.each(['', 'x'.repeat(65), 'line\nfeed', '"quoted"', 'é', '<b>'])(
    'is never called as what may be a text: %j',
    (name) => {
      const { note, told, counted } = line();
      note('session_update', name);
      note(name, undefined);
      expect(counted).toEqual(['other other', 'other other']);
      expect(told).toEqual(['other other 1']);
    },
  );

  test('is told apart by event and type, however they are written', () => {
    const { note, told } = line();
    note('a b', 'c');
    note('a', 'b c');
    expect(told).toEqual(['a b c 1', 'a b c 1']);
  });
});

test.each([{ everyMillis: 0 }, { maxKinds: 0 }, { maxKinds: Number.NaN }])(
  'a bound of nothing is none: %j',
  (bound) => {
    expect(() => line(bound)).toThrow(TypeError);
  },
);
