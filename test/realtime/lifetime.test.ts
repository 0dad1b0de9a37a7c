import { afterEach, describe, expect, test, vi } from 'vitest';
import { lifetime } from '../../src/realtime/lifetime.ts';

afterEach(() => void vi.useRealTimers());

const watching = () => {
  const clock = { now: 100_000 };
  return { clock, ...{ watched: lifetime({ now: () => clock.now, slotMillis: 100 }) } };
};

describe('lifetime', () => {
  test('ends each once, never later than its time and at most one slot earlier', () => {
    const { clock, watched } = watching();
    const ended: string[] = [];
    watched.watch(100_250, () => ended.push('a'));
    watched.watch(100_300, () => ended.push('b'));
    clock.now = 100_199;
    watched.tick();
    expect(ended).toEqual([]);
    clock.now = 100_250;
    watched.tick();
    watched.tick();
    expect(ended).toEqual(['a']);
    expect(watched.size).toBe(1);
    clock.now = 100_300;
    watched.tick();
    expect(ended).toEqual(['a', 'b']);
  });

  test('ends everything that was due when the clock leaps', () => {
    const { clock, watched } = watching();
    const ended: number[] = [];
    for (let i = 0; i < 1_000; i += 1) watched.watch(100_100 + i * 37, () => ended.push(i));
    clock.now = 10_000_000_000;
    watched.tick();
    expect([ended.length, watched.size]).toEqual([1_000, 0]);
  });

  test('forgets what was taken back, also twice and also afterwards', () => {
    const { clock, watched } = watching();
    const ended: string[] = [];
    const takeBack = watched.watch(100_100, () => ended.push('taken back'));
    const other = watched.watch(100_100, () => ended.push('other'));
    takeBack();
    takeBack();
    expect(watched.size).toBe(1);
    clock.now = 100_100;
    watched.tick();
    other();
    expect([ended, watched.size]).toEqual([['other'], 0]);
  });

  test('tells of each how late it was ended, after it was, and 0 where that was early', () => {
    const clock = { now: 100_000 };
    const told: Array<number | string> = [];
    const late = (millis: number): void => void told.push(millis);
    const watched = lifetime({ now: () => clock.now, slotMillis: 100, late });
    watched.watch(100_250, () => told.push('early'));
    watched.watch(100_310, () => {
      clock.now += 30;
      told.push('late');
    });
    watched.watch(100_305, () => told.push('behind it'));
    clock.now = 100_200;
    watched.tick();
    expect(told).toEqual(['early', 0]);
    clock.now = 100_500;
    watched.tick();
    expect(told.slice(2)).toEqual(['late', 220, 'behind it', 225]);
  });

  test('keeps one timer for all, and none for nobody', () => {
    vi.useFakeTimers({ now: 100_000 });
    const watched = lifetime({ slotMillis: 100 });
    expect(vi.getTimerCount()).toBe(0);
    const ended: number[] = [];
    for (let i = 1; i <= 50; i += 1) watched.watch(100_000 + i * 100, () => ended.push(Date.now()));
    const takeBack = watched.watch(900_000, () => undefined);
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(5_000);
    expect(ended).toEqual(Array.from({ length: 50 }, (_, i) => 100_100 + i * 100));
    takeBack();
    expect(vi.getTimerCount()).toBe(0);
    watched.watch(900_000, () => undefined);
    watched.close();
    expect([vi.getTimerCount(), watched.size]).toEqual([0, 0]);
  });
});
