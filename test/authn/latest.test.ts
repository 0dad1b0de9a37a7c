import { afterEach, describe, expect, test } from 'vitest';
import { type Latest, latest } from '../../src/authn/latest.ts';
import { eventually } from '../support/eventually.ts';

const opened: Latest[] = [];
afterEach(() => {
  for (const one of opened.splice(0)) one.close();
});

/** Something that is read: its value, and how often that was done. */
const open = () => {
  const state = { value: 0, reads: 0, fault: undefined as Error | undefined, gate: Promise.resolve() };
  const taken: number[] = [];
  const notices: string[] = [];
  const reading = latest({
    async read() {
      state.reads += 1;
      const { value, fault, gate } = state;
      await gate;
      if (fault) throw fault;
      return value;
    },
    take: (value) => void taken.push(value),
    notice: (readable, detail) => notices.push(`${readable} ${detail}`),
  });
  opened.push(reading);
  return { state, taken, notices, reading };
};

describe('the first reading', () => {
  test('is taken before it resolves, or rejects with the fault', async () => {
    const { state, taken, reading } = open();
    state.value = 7;
    await reading.first();
    expect(taken).toEqual([7]);
    const other = open();
    other.state.fault = new Error('gone');
    await expect(other.reading.first()).rejects.toThrow('gone');
  });

  test('is repeated when a change is told meanwhile, and only the later one is taken', async () => {
    const { state, taken, reading } = open();
    const { promise, resolve } = Promise.withResolvers<void>();
    state.gate = promise;
    const first = reading.first();
    state.value = 8;
    reading.again();
    resolve();
    await first;
    expect([taken, state.reads]).toEqual([[8], 2]);
  });
});

describe('a change', () => {
  test('is read; a thousand at once are read a few times', async () => {
    const { state, taken, reading } = open();
    await reading.first();
    for (state.value = 1; state.value < 1000; state.value += 1) reading.again();
    await eventually(() => taken.at(-1) === 1000);
    expect(state.reads).toBeLessThan(5);
  });

  test('that something of our own overtook is read anew before it is taken', async () => {
    const { state, taken, reading } = open();
    await reading.first();
    const { promise, resolve } = Promise.withResolvers<void>();
    state.gate = promise;
    state.value = 1;
    reading.again();
    state.value = 2;
    reading.spoil();
    resolve();
    await eventually(() => taken.at(-1) === 2);
    expect(taken).toEqual([0, 2]);
  });

  test('that cannot be read is tried until it can, and told once each way', async () => {
    const { state, taken, notices, reading } = open();
    await reading.first();
    state.fault = new Error('gone');
    reading.again();
    await eventually(() => state.reads > 2);
    expect(reading.healthy()).toBe(false);
    state.fault = undefined;
    state.value = 5;
    await eventually(() => reading.healthy());
    expect([taken, notices]).toEqual([
      [0, 5],
      ['false Error: gone', 'true they are read again'],
    ]);
  });

  test('is read no more once it is closed', async () => {
    const { state, reading } = open();
    await reading.first();
    reading.close();
    reading.again();
    expect(state.reads).toBe(1);
  });
});
