import { expect, test } from 'vitest';
import { askAgain } from '../../src/pipeline/ask-again.ts';

const failing = (times: number) => {
  let asked = 0;
  return {
    asked: () => asked,
    ask: () => {
      asked += 1;
      if (asked <= times) throw new Error('down');
      return 'answer';
    },
  };
};

test('what fails is asked again until it answers', async () => {
  const store = failing(3);
  expect(await askAgain({ now: () => 0, untilMillis: 1000, retryMillis: 1 }, store.ask)).toBe('answer');
  expect(store.asked()).toBe(4);
});

test('what answers is asked once, also where it answers with nothing', async () => {
  const store = failing(0);
  expect(await askAgain({ now: () => 9, untilMillis: 0, retryMillis: 1 }, store.ask)).toBe('answer');
  expect(store.asked()).toBe(1);
});

test('patience ends: there is no answer, and it is asked no more', async () => {
  let clock = 0;
  const store = failing(Number.POSITIVE_INFINITY);
  const now = () => (clock += 1);
  expect(await askAgain({ now, untilMillis: 4, retryMillis: 1 }, store.ask)).toBeUndefined();
  expect(store.asked()).toBeGreaterThan(1);
  const asked = store.asked();
  expect(await askAgain({ now: () => 4, untilMillis: 4, retryMillis: 1 }, store.ask)).toBeUndefined();
  expect(store.asked()).toBe(asked + 1);
});
