/** What may be used one time only. */
import { expect, test } from 'vitest';
import { once } from '../../../src/authn/login/once.ts';
import { clock } from '../../support/token-issuer.ts';

test('a use is remembered until its time is over, or until it is taken back', () => {
  const time = clock();
  const used = once(10, time.now);
  used.add('a', time.now() + 1000);
  used.add('b', time.now() + 5000);
  expect([used.has('a'), used.has('b'), used.has('c')]).toEqual([true, true, false]);
  time.seconds += 1;
  expect([used.has('a'), used.has('b')]).toEqual([false, true]);
  used.takeBack('b');
  expect(used.has('b')).toBe(false);
});

test('what is over makes room for what comes', () => {
  const time = clock();
  const used = once(1000, time.now);
  for (let count = 0; count < 100; count += 1) used.add(`old-${count}`, time.now() + 1000);
  time.seconds += 2;
  used.add('new', time.now() + 1000);
  expect(used.size).toBe(1);
});

test('of too many the first ones are forgotten', () => {
  const time = clock();
  const used = once(3, time.now);
  for (const key of ['a', 'b', 'c', 'd', 'e']) used.add(key, time.now() + 1000);
  expect(used.size).toBe(3);
  expect(['a', 'b', 'c', 'd', 'e'].filter((key) => used.has(key))).toEqual(['c', 'd', 'e']);
});
