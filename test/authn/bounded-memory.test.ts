import { expect, test } from 'vitest';
import { boundedMemory } from '../../src/authn/bounded-memory.ts';

const open = (maxEntries = 3) => {
  const time = { millis: 1000 };
  const memory = boundedMemory<string>(maxEntries, () => time.millis);
  const remember = (key: string, untilMillis = 2000) => memory.remember(key, key, { fromMillis: 1000, untilMillis });
  return { time, memory, remember };
};

test('recalls what it was given, up to its moment', () => {
  const { time, memory, remember } = open();
  remember('a', 1500);
  expect(memory.recall('a')).toBe('a');
  time.millis = 1499;
  expect(memory.recall('a')).toBe('a');
  time.millis = 1500;
  expect([memory.recall('a'), memory.size]).toEqual([undefined, 0]);
});

test('recalls nothing by a clock that was set back to before it', () => {
  const { time, memory, remember } = open();
  remember('a');
  time.millis = 999;
  expect(memory.recall('a')).toBeUndefined();
});

test('replaces and forgets', () => {
  const { memory, remember } = open();
  remember('a');
  memory.remember('a', 'other', { fromMillis: 1000, untilMillis: 2000 });
  expect([memory.recall('a'), memory.size]).toEqual(['other', 1]);
  memory.forget('a');
  expect(memory.recall('a')).toBeUndefined();
});

test('holds no more than its bound, and lets go of what was not used for longest', () => {
  const { memory, remember } = open(3);
  for (const key of ['a', 'b', 'c']) remember(key);
  memory.recall('a');
  remember('d');
  expect([memory.recall('a'), memory.recall('b'), memory.size]).toEqual(['a', undefined, 3]);
  for (let index = 0; index < 100; index += 1) remember(`x${index}`);
  expect(memory.size).toBe(3);
});
