import { describe, expect, test } from 'vitest';
import { breaker } from '../../src/upstream/breaker.ts';
import { refusalOf } from '../support/bodies.ts';

const open = () => {
  const clock = { now: 0 };
  return { clock, guard: breaker({ failures: 3, restMillis: 100, now: () => clock.now }) };
};
const fail = (guard: ReturnType<typeof breaker>, times: number): void => {
  for (let i = 0; i < times; i += 1) guard.unreachable();
};

describe('a breaker', () => {
  test('is closed at first, and lets everything pass', async () => {
    const { guard } = open();
    expect(guard.closed()).toBe(true);
    expect(await refusalOf(() => guard.admit())).toBe('accepted');
  });

  test('says at the first failure that all is not well, and refuses from the third in a row', async () => {
    const { guard } = open();
    fail(guard, 2);
    expect(guard.closed()).toBe(false);
    expect(await refusalOf(() => guard.admit())).toBe('accepted');
    fail(guard, 1);
    expect(await refusalOf(() => guard.admit())).toBe('upstream-resting 502');
  });

  test('lets one try pass a moment later, and not a second one beside it', async () => {
    const { guard, clock } = open();
    fail(guard, 3);
    clock.now = 99;
    expect(await refusalOf(() => guard.admit())).toBe('upstream-resting 502');
    clock.now = 100;
    expect(await refusalOf(() => guard.admit())).toBe('accepted');
    expect(await refusalOf(() => guard.admit())).toBe('upstream-resting 502');
    guard.unreachable();
    clock.now = 200;
    expect(await refusalOf(() => guard.admit())).toBe('accepted');
  });

  test('closes at the first success', async () => {
    const { guard, clock } = open();
    fail(guard, 5);
    clock.now = 100;
    guard.admit();
    guard.reached();
    expect(guard.closed()).toBe(true);
    expect(await refusalOf(() => guard.admit())).toBe('accepted');
    fail(guard, 2);
    expect(await refusalOf(() => guard.admit())).toBe('accepted');
  });

  test('tells when to come back', () => {
    const { guard } = open();
    fail(guard, 3);
    expect(() => guard.admit()).toThrow(expect.objectContaining({ headers: ['retry-after', '1'] }));
  });
});
