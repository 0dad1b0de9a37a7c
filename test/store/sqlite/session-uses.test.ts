import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { latestUses } from '../../../src/store/sqlite/session-uses.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

const gathering = () => {
  const kept: string[] = [];
  const uses = latestUses(async (digest, usedAtMillis) => void kept.push(`${digest} ${usedAtMillis}`));
  return { kept, uses };
};

test('what is gathered in a moment is written together, the latest of each', async () => {
  const { kept, uses } = gathering();
  const written = [uses.note('a', 2), uses.note('b', 1), uses.note('a', 3), uses.note('a', 1)];
  vi.advanceTimersByTime(199);
  expect(kept).toEqual([]);
  expect([uses.of('a'), uses.of('b'), uses.of('c')]).toEqual([3, 1, Number.NEGATIVE_INFINITY]);
  vi.advanceTimersByTime(1);
  await Promise.all(written);
  expect(kept).toEqual(['a 3', 'b 1']);
  expect(uses.of('a')).toBe(Number.NEGATIVE_INFINITY);
});

test('what comes later is written later', async () => {
  const { kept, uses } = gathering();
  const first = uses.note('a', 1);
  vi.advanceTimersByTime(200);
  const second = uses.note('a', 2);
  await first;
  expect(kept).toEqual(['a 1']);
  vi.advanceTimersByTime(200);
  await second;
  expect(kept).toEqual(['a 1', 'a 2']);
});

test('can be written before its time, once', async () => {
  const { kept, uses } = gathering();
  uses.write();
  const written = uses.note('a', 1);
  uses.write();
  uses.write();
  await written;
  vi.advanceTimersByTime(1000);
  expect(kept).toEqual(['a 1']);
});

test('a use that cannot be written rejects for who noted it, and holds up no other', async () => {
  const kept: string[] = [];
  const uses = latestUses(async (digest) => {
    if (digest === 'bad') throw new Error('disk full');
    kept.push(digest);
  });
  const written = Promise.all([uses.note('bad', 1), uses.note('good', 1)]);
  uses.write();
  await expect(written).rejects.toThrow('disk full');
  expect(kept).toEqual(['good']);
  const later = uses.note('good', 2);
  uses.write();
  await later;
  expect(kept).toEqual(['good', 'good']);
});
