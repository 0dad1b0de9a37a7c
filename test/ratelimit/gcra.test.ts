import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RateLimit } from '../../src/model/limits.ts';
import { judge, paceOf, worstOf } from '../../src/ratelimit/gcra.ts';

const limit = (points: number, perMillis: number, name = 'requests'): RateLimit => ({
  name,
  points,
  perMillis,
  by: 'user',
  onFailedAuthentication: false,
});

/** Takes points at the given times in microseconds, and returns the times at which it was allowed. */
function allowedAt(rate: RateLimit, times: readonly number[]): number[] {
  let tat = 0;
  return times.filter((time) => {
    const verdict = judge(tat, time, paceOf(rate));
    if (verdict.allowed) tat = verdict.tat;
    return verdict.allowed;
  });
}

describe('judge', () => {
  const year2026 = 1_795_000_000_000_000;

  test('allows a burst of all points, then one each interval', () => {
    const ten = limit(10, 1000);
    const burst = Array.from({ length: 15 }, () => year2026);
    expect(allowedAt(ten, burst)).toHaveLength(10);
    const trickle = [...burst, year2026 + 99_999, year2026 + 100_000, year2026 + 100_001];
    expect(allowedAt(ten, trickle).slice(10)).toEqual([year2026 + 100_000]);
  });

  test('lets no second burst through at the edge of a window', () => {
    const sixty = limit(60, 60_000);
    const before = Array.from({ length: 60 }, () => year2026 + 59_999_000);
    const after = Array.from({ length: 60 }, () => year2026 + 60_001_000);
    expect(allowedAt(sixty, [...before, ...after])).toHaveLength(60);
  });

  test('tells what is left, when all is back and when to come again', () => {
    const pace = paceOf(limit(2, 1000));
    const one = judge(0, year2026, pace);
    expect(one).toMatchObject({ allowed: true, remaining: 1, resetMillis: 500, retryAfterMillis: 0 });
    const two = judge(one.tat, year2026, pace);
    expect(two).toMatchObject({ allowed: true, remaining: 0, resetMillis: 1000, retryAfterMillis: 0 });
    const three = judge(two.tat, year2026 + 100_000, pace);
    expect(three).toMatchObject({ allowed: false, remaining: 0, resetMillis: 900, retryAfterMillis: 400 });
    expect(judge(two.tat, year2026 + 499_999, pace)).toMatchObject({ allowed: false, retryAfterMillis: 1 });
    expect(judge(two.tat, year2026 + 500_000, pace)).toMatchObject({ allowed: true });
  });

  test('keeps nobody out longer than one window when the clock is set back', () => {
    const pace = paceOf(limit(2, 1000));
    const verdict = judge(year2026 + 3_600_000_000, year2026, pace);
    expect(verdict).toMatchObject({ allowed: false, retryAfterMillis: 500, resetMillis: 1000 });
  });

  test('allows all points of a limit that does not divide its time', () => {
    for (const points of [3, 7, 11, 997]) {
      const times = Array.from({ length: points + 1 }, () => year2026);
      expect(allowedAt(limit(points, 1000), times)).toHaveLength(points);
    }
  });

  test('never allows more than a burst and what has come back, in any stretch of time', () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 400_000 }), { maxLength: 80 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 2000 }), gaps, (points, per, waits) => {
        let time = year2026;
        const times = waits.map((wait) => {
          time += wait;
          return time;
        });
        const allowed = allowedAt(limit(points, per), times);
        for (const [from, start] of allowed.entries()) {
          for (const [to, end] of allowed.entries()) {
            if (to < from) continue;
            const most = points + Math.floor(((end - start) * points) / (per * 1000));
            expect(to - from + 1).toBeLessThanOrEqual(most);
          }
        }
      }),
    );
  });

  test('rounds to the strict side', () => {
    for (const points of [3, 7, 11, 997]) {
      const { emissionMicros, burstMicros } = paceOf(limit(points, 1000));
      expect(emissionMicros * points).toBeGreaterThanOrEqual(1_000_000);
      expect(burstMicros).toBe(emissionMicros * points);
    }
  });

  test('works in whole numbers that a double holds exactly, up to a year’s window', () => {
    for (const one of [limit(1, 31_536_000_000), limit(1_000_000, 1000), limit(7, 86_400_000)]) {
      const { tat } = judge(0, year2026, paceOf(one));
      expect(Number.isSafeInteger(tat)).toBe(true);
      expect(Number.isSafeInteger(paceOf(one).burstMicros)).toBe(true);
    }
  });
});

describe('worstOf', () => {
  const [wide, narrow, slow] = [limit(10, 1000, 'wide'), limit(2, 1000, 'narrow'), limit(1, 60_000, 'slow')];

  test('names the one with the least left when all allow', () => {
    const judged = [wide, narrow].map((one) => ({ limit: one, verdict: judge(0, 1, paceOf(one)) }));
    expect(worstOf(judged)).toMatchObject({ allowed: true, limit: narrow, remaining: 1 });
  });

  test('names the refusing one that takes longest', () => {
    const judged = [wide, slow, narrow].map((one) => ({ limit: one, verdict: judge(1e9, 1, paceOf(one)) }));
    expect(worstOf(judged)).toMatchObject({ allowed: false, limit: slow, retryAfterMillis: 60_000 });
  });
});
