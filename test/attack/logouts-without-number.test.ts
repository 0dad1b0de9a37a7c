/** Each logout leaves a revocation until its session would have ended: tens of thousands of them slow nobody down. */
import { afterEach, expect, test, vi } from 'vitest';
import { openRevocations } from '../../src/authn/revocation.ts';
import { memoryRevocations } from '../../src/store/memory/revocations.ts';
import { NO_TERMS, NOON_MILLIS, ofSession, sessionPrincipal } from '../support/revocations.ts';

afterEach(() => void vi.useRealTimers());

test('the end of one is waited for anew only where it is earlier: they do not look at one another', async () => {
  vi.useFakeTimers({ now: NOON_MILLIS });
  const revocations = await openRevocations({ store: memoryRevocations(Date.now) });
  const timers = vi.spyOn(globalThis, 'setTimeout');
  const add = (each: number, untilMillis: number) =>
    revocations.add({ ...ofSession(`s${each}`), ...NO_TERMS, untilMillis });
  for (let each = 0; each < 1000; each += 1) await add(each, NOON_MILLIS + 5000 + each);
  expect(timers).toHaveBeenCalledTimes(1);
  await add(1000, NOON_MILLIS + 4000);
  expect(timers).toHaveBeenCalledTimes(2);
  await vi.advanceTimersByTimeAsync(4000);
  expect(revocations.list()).toHaveLength(1000);
  await vi.advanceTimersByTimeAsync(1500);
  expect(revocations.list()).toHaveLength(499);
  timers.mockRestore();
  revocations.close();
});

test('those that are over are forgotten once a second, and none of them later than that', async () => {
  vi.useFakeTimers({ now: NOON_MILLIS });
  const store = memoryRevocations(Date.now);
  let purged = 0;
  const purge = async (): Promise<void> => {
    purged += 1;
    await store.purge();
  };
  const revocations = await openRevocations({ store: { ...store, purge } });
  purged = 0;
  for (let each = 0; each < 3000; each += 1)
    await revocations.add({ ...ofSession(`s${each}`), ...NO_TERMS, untilMillis: NOON_MILLIS + 5000 + each });
  await vi.advanceTimersByTimeAsync(5000);
  expect(purged).toBe(1);
  await vi.advanceTimersByTimeAsync(4000);
  expect(purged).toBeLessThanOrEqual(5);
  expect(revocations.revokes(sessionPrincipal('s2999'))).toBeUndefined();
  revocations.close();
});
