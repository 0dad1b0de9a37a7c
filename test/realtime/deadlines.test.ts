import { afterEach, describe, expect, test, vi } from 'vitest';
import { deadlines } from '../../src/realtime/deadlines.ts';

afterEach(() => void vi.useRealTimers());

const begin = () => {
  const clock = { now: 100_000 };
  return { clock, ...{ waiting: deadlines({ now: () => clock.now, slotMillis: 100 }) } };
};

describe('a deadline', () => {
  test('is called once, never later than its time and at most one slot earlier', () => {
    const { clock, waiting } = begin();
    const ended: string[] = [];
    waiting.at(100_250, () => ended.push('a'));
    waiting.at(100_300, () => ended.push('b'));
    clock.now = 100_199;
    waiting.tick();
    expect(ended).toEqual([]);
    clock.now = 100_250;
    waiting.tick();
    waiting.tick();
    expect(ended).toEqual(['a']);
    expect(waiting.size).toBe(1);
    clock.now = 100_300;
    waiting.tick();
    expect(ended).toEqual(['a', 'b']);
  });

  test('that is due is called when the clock leaps', () => {
    const { clock, waiting } = begin();
    const ended: number[] = [];
    for (let i = 0; i < 1_000; i += 1) waiting.at(100_100 + i * 37, () => ended.push(i));
    clock.now = 10_000_000_000;
    waiting.tick();
    expect([ended.length, waiting.size]).toEqual([1_000, 0]);
  });

  test('that was taken back is forgotten, also twice and also afterwards', () => {
    const { clock, waiting } = begin();
    const ended: string[] = [];
    const takeBack = waiting.at(100_100, () => ended.push('taken back'));
    const other = waiting.at(100_100, () => ended.push('other'));
    takeBack();
    takeBack();
    expect(waiting.size).toBe(1);
    clock.now = 100_100;
    waiting.tick();
    other();
    expect([ended, waiting.size]).toEqual([['other'], 0]);
  });

  test('may take another of its slot back, and set one that is due already', () => {
    const { clock, waiting } = begin();
    const ended: string[] = [];
    waiting.at(100_100, () => {
      ended.push('first');
      takeBack();
      waiting.at(100_100, () => ended.push('again'));
    });
    const takeBack = waiting.at(100_150, () => ended.push('taken back'));
    clock.now = 100_300;
    waiting.tick();
    expect([ended, waiting.size]).toEqual([['first'], 1]);
    waiting.tick();
    expect([ended, waiting.size]).toEqual([['first', 'again'], 0]);
  });

  test('has one timer with all others, and none for nobody', () => {
    vi.useFakeTimers({ now: 100_000 });
    const waiting = deadlines({ slotMillis: 100 });
    expect(vi.getTimerCount()).toBe(0);
    const ended: number[] = [];
    for (let i = 1; i <= 50; i += 1) waiting.at(100_000 + i * 100, () => ended.push(Date.now()));
    const takeBack = waiting.at(900_000, () => undefined);
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(5_000);
    expect(ended).toEqual(Array.from({ length: 50 }, (_, i) => 100_100 + i * 100));
    takeBack();
    expect(vi.getTimerCount()).toBe(0);
    waiting.at(900_000, () => undefined);
    waiting.close();
    expect([vi.getTimerCount(), waiting.size]).toEqual([0, 0]);
  });
});
