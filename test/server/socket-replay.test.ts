import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { KeptFrame, Reader } from '../../src/server/socket-channels.ts';
import { eventFrame, type Frame } from '../../src/server/socket-frame.ts';
import { type Missed, replay } from '../../src/server/socket-replay.ts';

const missed = (count: number, bytes = 0): Missed =>
  Array.from({ length: count }, (_, n) => {
    const { text, bytes: size, attachments } = eventFrame('e', [{ n, text: 'x'.repeat(bytes) }, String(n)]);
    const kept: KeptFrame = { text, bytes: size, attachments };
    return { kept, bytes, refs: [], offset: n };
  });

const reader = () => {
  const frames: Frame[] = [];
  const self = {
    open: true,
    offset: -1,
    frames,
    pass(offset: number, frame?: Frame): void {
      self.offset = offset;
      if (frame !== undefined) frames.push(frame);
    },
    goLive: () => undefined,
  };
  return self satisfies Reader & { frames: Frame[] };
};

/** The turn of the event loop begins afresh for all who replay. */
const fresh = () => replay(reader(), [...missed(1, 1 << 20), ...missed(1)]);

test('each event is passed once, in order, with its offset', async () => {
  const one = reader();
  const events = missed(3_000);
  await replay(one, events);
  expect(one.frames.map(({ text }) => text)).toEqual(events.map(({ kept }) => kept.text));
  expect(one.offset).toBe(2_999);
});

test('those who read the same at the same time hold it once', async () => {
  const readers = Array.from({ length: 10 }, reader);
  const events = missed(20, 100_000);
  await Promise.all(readers.map((one) => replay(one, events)));
  expect(readers.map(({ frames }) => frames.length)).toEqual(readers.map(() => 20));
  expect(new Set(readers.flatMap(({ frames }) => frames)).size).toBe(20);
});

test('a crowd is sent no more in one turn of the event loop than a single one is', async () => {
  await fresh();
  const readers = Array.from({ length: 40 }, reader);
  const done = Promise.all(readers.map((one) => replay(one, missed(10, 100_000))));
  const passed = (): number => readers.reduce((sum, { frames }) => sum + frames.length, 0);
  const turns = [passed()];
  while (passed() < 400) {
    const before = passed();
    await nextTurn();
    turns.push(passed() - before);
  }
  await done;
  expect(Math.max(...turns)).toBeLessThan(13);
});

test('a thousand small packets are enough for one turn: the wire must take them first', async () => {
  await fresh();
  const one = reader();
  const done = replay(one, missed(5_000));
  expect(one.frames.length).toBeGreaterThan(500);
  expect(one.frames.length).toBeLessThan(1_100);
  await done;
  expect(one.frames).toHaveLength(5_000);
});

test('one that left while it waited for its turn is passed nothing more', async () => {
  const one = reader();
  const done = replay(one, missed(30, 100_000));
  one.open = false;
  await done;
  expect(one.frames.length).toBeLessThan(8);
});
