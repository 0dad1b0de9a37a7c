/** Clients that send slowly, without end, or more than they may: they hold up nobody but themselves. */
import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { app } from '../../src/server/app.ts';
import { eventually } from '../support/eventually.ts';
import { chatBody } from '../support/jaaz-client.ts';
import { type PeopledWorld, startPeopledWorld } from '../support/people.ts';
import { exchange, portOf, requestText } from '../support/wire.ts';

let world: PeopledWorld;
let port: number;
const open: Socket[] = [];
beforeAll(async () => {
  world = await startPeopledWorld();
  port = portOf(world.gateway.url);
  for (const { client, name } of [
    { ...world.alice, name: 'a' },
    { ...world.bob, name: 'b' },
  ]) {
    const body = chatBody({ canvas: `${name}-c`, session: `${name}-s`, prompt: 'mine' });
    expect((await client.post('/api/canvas/create', body)).status).toBe(200);
  }
  await world.alice.ear.done('a-s', 2);
  await world.bob.ear.done('b-s', 2);
});
afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy();
});
afterAll(() => world.close());

/** Opens a connection that sends this and then nothing more. */
const hold = async (bytes: string): Promise<Socket> => {
  const socket = connect(port, '127.0.0.1');
  open.push(socket);
  socket.on('error', () => undefined);
  await new Promise<void>((resolve) => socket.write(bytes, () => resolve()));
  return socket;
};

const json = 'Content-Type: application/json';
const of = (token: string): string => `Authorization: Bearer ${token}`;
const save = (canvas: string): string => `POST /api/canvas/${canvas}/save HTTP/1.1`;

const expectServed = async (): Promise<void> => {
  const begun = performance.now();
  expect((await world.alice.client.get('/api/canvas/a-c')).text).toContain('mine');
  expect(performance.now() - begun).toBeLessThan(2_000);
};

describe('slowly', () => {
  test('heads and bodies have an end: no connection is waited for without bound', () => {
    const server = app({
      live: async () => undefined,
      refused: () => undefined,
      upgrade: undefined,
      socketPath: undefined,
    });
    expect(server.headersTimeout).toBeGreaterThan(0);
    expect(server.headersTimeout).toBeLessThanOrEqual(60_000);
    expect(server.requestTimeout).toBeGreaterThan(0);
    expect(server.requestTimeout).toBeLessThanOrEqual(600_000);
    server.close();
  });

  test('three hundred heads that do not end hold nobody up', async () => {
    await Promise.all(Array.from({ length: 300 }, () => hold('GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ')));
    await expectServed();
  });

  test('a hundred bodies that do not come hold nobody up, and reach nobody', async () => {
    const mark = world.mark();
    const head = requestText(save('b-c'), ['Host: x', of(world.bob.token), json, 'Content-Length: 1000']);
    await Promise.all(Array.from({ length: 100 }, () => hold(`${head}{`)));
    await expectServed();
    expect(world.since(mark).filter((line) => line.startsWith('POST'))).toEqual([]);
  });

  test('what one user has announced and not sent does not take another’s room', async () => {
    const head = requestText(save('b-c'), ['Host: x', of(world.bob.token), json, 'Content-Length: 60000000']);
    const held = await Promise.all(Array.from({ length: 12 }, () => hold(head)));
    const refused = held.map(
      (socket) => new Promise<string>((resolve) => socket.once('data', (data) => resolve(String(data)))),
    );
    // Not all of twelve times sixty million bytes are his to hold.
    expect(await Promise.race(refused)).toContain('"code":"bodies-limited"');
    const saved = await world.alice.client.post('/api/canvas/a-c/save', {
      data: { big: 'x'.repeat(2e6) },
      thumbnail: '',
    });
    expect(saved.status).toBe(200);
    for (const socket of held) socket.destroy();
    // What he held is his again when he is gone.
    await eventually(
      async () =>
        (await world.bob.client.post('/api/canvas/b-c/save', { data: { x: 'x'.repeat(4e6) }, thumbnail: '' }))
          .status === 200,
    );
  });
});

describe('too much', () => {
  const huge = ['Content-Length: 10000000000', 'Expect: 100-continue'];

  test.each([
    ['of nobody', [], 401, 'token-missing'],
    ['of somebody whose canvas it is', ['bob'], 413, 'body-too-large'],
  ])('an announced body of ten gigabytes %s is refused before a byte of it', async (_who, users, status, code) => {
    const identity = users.length === 0 ? [] : [of(world.bob.token)];
    const { answers } = await exchange(port, requestText(save('b-c'), ['Host: x', ...identity, json, ...huge]), {
      answers: 1,
    });
    expect(answers.map((answer) => [answer.status, answer.code])).toEqual([[status, code]]);
  });

  test('a body without end is cut off where its route’s bound is', async () => {
    const socket = await hold(
      requestText('POST /api/canvas/b-c/rename HTTP/1.1', [
        'Host: x',
        of(world.bob.token),
        json,
        'Transfer-Encoding: chunked',
      ]),
    );
    let received = '';
    let closed = false;
    socket.on('data', (data) => {
      received += String(data);
    });
    socket.on('close', () => {
      closed = true;
    });
    const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`;
    let sent = 0;
    for (; !closed && sent < 100_000_000; sent += chunk.length) {
      if (!socket.write(chunk)) {
        await Promise.race([
          new Promise((resolve) => socket.once('drain', resolve)),
          new Promise((resolve) => socket.once('close', resolve)),
        ]);
      }
    }
    await eventually(() => closed);
    expect(received).toContain('"code":"body-too-large"');
    expect(sent).toBeLessThan(100_000_000);
    await expectServed();
  });

  test.each([
    ['a target of 9 kB', requestText(`GET /${'x'.repeat(9_000)} HTTP/1.1`, ['Host: x']), [414]],
    ['a header of 40 kB', requestText('GET / HTTP/1.1', ['Host: x', `X-Y: ${'y'.repeat(40_000)}`]), [400, 431]],
    [
      'a thousand headers',
      requestText('GET / HTTP/1.1', ['Host: x', ...Array.from({ length: 1000 }, (_, n) => `X-${n}: y`)]),
      [400],
    ],
  ])('%s is refused', async (_what, bytes, statuses) => {
    const { answers } = await exchange(port, bytes, { answers: 1 });
    expect(statuses).toContain(answers[0]?.status);
    await expectServed();
  });

  test('a canvas of megabytes is saved and read while others are served', async () => {
    const big = { data: { text: 'x'.repeat(20e6) }, thumbnail: '' };
    const saving = world.bob.client.post('/api/canvas/b-c/save', big);
    await expectServed();
    expect((await saving).status).toBe(200);
    expect((await world.bob.client.get('/api/canvas/b-c')).bytes.length).toBeGreaterThan(20e6);
  });
});
