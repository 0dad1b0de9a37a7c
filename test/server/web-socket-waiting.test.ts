import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { whileWaiting } from '../../src/server/web-socket-waiting.ts';
import { eventually } from '../support/eventually.ts';

const waiting = () => {
  const socket = new PassThrough({ highWaterMark: 1 << 20 });
  let gone = 0;
  const early = whileWaiting({ socket, head: Buffer.from('a') }, () => {
    gone += 1;
  });
  return { socket, early, gone: () => gone };
};

test('what comes is kept in its order, and what comes later is left to whoever reads next', async () => {
  const { socket, early } = waiting();
  socket.write('b');
  socket.write('c');
  await eventually(() => socket.readableLength === 0);
  expect(String(early())).toBe('abc');
  socket.write('d');
  let later = '';
  socket.on('data', (chunk) => {
    later += String(chunk);
  });
  expect(later).toBe('');
  socket.resume();
  await eventually(() => later === 'd');
});

test('whoever goes is noticed, and nobody is told afterwards', async () => {
  const one = waiting();
  one.socket.end();
  await eventually(() => one.gone() === 1);
  const other = waiting();
  other.early();
  other.socket.end();
  other.socket.resume();
  await eventually(() => other.socket.readableEnded);
  expect(other.gone()).toBe(0);
});

test('whoever says much before the answer is not read from any more', async () => {
  const { socket, early } = waiting();
  for (let n = 0; n < 100; n += 1) socket.write(Buffer.alloc(10_000));
  await eventually(() => socket.isPaused());
  expect(early().length).toBeLessThan(80_000);
  expect(socket.readableLength).toBeGreaterThan(900_000);
});
