import { memoryUsage } from 'node:process';
import { expect, test } from 'vitest';
import { giveBackStartUpMemory } from '../../src/cli/memory.ts';

test('what is no longer reachable is given back, and what is reachable stays', () => {
  let garbage: string[] | undefined = Array.from({ length: 300_000 }, (_, index) => `a string of its own, ${index}`);
  const kept = garbage.slice(0, 10);
  const before = memoryUsage().heapUsed;
  garbage = undefined;
  giveBackStartUpMemory();
  expect(memoryUsage().heapUsed).toBeLessThan(before - 5_000_000);
  expect(kept[9]).toBe('a string of its own, 9');
  expect('gc' in globalThis).toBe(false);
});
