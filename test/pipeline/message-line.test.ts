import { expect, test } from 'vitest';
import { Rejection } from '../../src/model/rejection.ts';
import { type Line, patiently, refusalOf } from '../../src/pipeline/message-line.ts';

const line = (patienceMillis: number) => ({ now: Date.now, patienceMillis, retryMillis: 1 }) as Line;

test('what fails is asked again until it answers', async () => {
  let asked = 0;
  const answer = await patiently(line(10_000), () => {
    asked += 1;
    if (asked < 4) throw new Error('down');
    return 'up';
  });
  expect([answer, asked]).toEqual(['up', 4]);
});

test('what goes on failing is given up, and at once without patience', async () => {
  let asked = 0;
  const ask = (): Promise<string> => {
    asked += 1;
    return Promise.reject(new Error('down'));
  };
  expect(await patiently(line(20), ask)).toBeUndefined();
  expect(asked).toBeGreaterThan(1);
  asked = 0;
  expect(await patiently(line(0), ask)).toBeUndefined();
  expect(asked).toBe(1);
});

test('a refusal is one, and everything else is reported as the fault that it is', () => {
  const reported: unknown[] = [];
  const report = (error: unknown): void => void reported.push(error);
  const refusal = new Rejection('event-refused', 'x');
  expect(refusalOf({ report }, refusal)).toBe(refusal);
  expect(reported).toEqual([]);
  const fault = new TypeError('boom');
  expect(refusalOf({ report }, fault)).toMatchObject({ reason: 'internal-error', cause: fault });
  expect(reported).toEqual([fault]);
});
