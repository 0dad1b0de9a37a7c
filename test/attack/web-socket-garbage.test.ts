/** What no client library sends: frames of noise, fragments without end, closing frames with codes that must not be. */

import type { Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { handshakeBytes, mine, transportOf, webSocketScene } from '../support/web-socket-scene.ts';

const scene = webSocketScene();
const thrown: unknown[] = [];
const note = (error: unknown): void => void thrown.push(error);

beforeEach(() => {
  thrown.length = 0;
  process.on('uncaughtException', note);
  process.on('unhandledRejection', note);
});

afterEach(() => {
  process.off('uncaughtException', note);
  process.off('unhandledRejection', note);
});

const stillServes = async (): Promise<void> => {
  await scene.nothingIsLeft();
  const { client, peer } = await scene.pair();
  client.say(mine);
  await eventually(() => peer.heard.length === 1);
  expect(thrown).toEqual([]);
};

/** A small generator of its own, so that a failure can be repeated. */
const random = (seed: number) => {
  let state = seed;
  return (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
};

/** A bare connection that has shaken hands. */
const shaken = async (path = '/ws/agent'): Promise<{ socket: Socket; closed: () => boolean }> => {
  const socket = scene.gate.wire(handshakeBytes(path, 'ann'));
  let got = '';
  let isClosed = false;
  socket.on('data', (chunk) => {
    got += chunk.toString('latin1');
  });
  socket.on('close', () => {
    isClosed = true;
  });
  await eventually(() => got.startsWith('HTTP/1.1 101') || isClosed);
  return { socket, closed: () => isClosed };
};

/** A masked frame: the mask is nought, so the payload stands as it is. */
const frame = (first: number, payload: Buffer): Buffer =>
  Buffer.concat([Buffer.from([first, 0x80 | payload.length, 0, 0, 0, 0]), payload]);

test('ten thousand frames of noise end connections, and not the process', { timeout: 120_000 }, async () => {
  await scene.set({ gate: { maxSocketsPerOwner: 1_000, maxSocketsPerAddress: 1_000 } });
  const next = random(7);
  const noise = (length: number): Buffer => Buffer.from(Array.from({ length }, () => next(256)));
  let frames = 0;
  while (frames < 10_000) {
    const open = await Promise.all(Array.from({ length: 20 }, () => shaken()));
    for (const { socket } of open) {
      for (let n = 0; n < 25; n += 1) {
        // Most have a valid head, so that the connection hears of several before one ends it.
        socket.write(
          next(4) === 0
            ? noise(2 + next(60))
            : frame([0x81, 0x82, 0x89, 0x8a, 0x01, 0x00][next(6)] ?? 0x81, noise(next(60))),
        );
        frames += 1;
      }
      socket.end();
    }
    await eventually(() => open.every(({ closed }) => closed()));
  }
  await stillServes();
});

test('text that is no text, of every kind, ends connections one by one', async () => {
  await scene.set({ gate: { maxSocketsPerOwner: 100 } });
  for (const payload of [
    [0xff],
    [0xc0, 0x80],
    [0xed, 0xa0, 0x80],
    [0xf4, 0x90, 0x80, 0x80],
    [0xef, 0xbb, 0xbf, 0x7b, 0x7d],
    [0],
  ]) {
    const { socket, closed } = await shaken();
    socket.write(frame(0x81, Buffer.from(payload)));
    await eventually(closed);
  }
  expect(scene.upstream.peers.flatMap(({ heard }) => heard)).toEqual([]);
  await stillServes();
});

test('closing frames with codes that must not be sent are not passed on', async () => {
  await scene.set({ gate: { maxSocketsPerOwner: 100 } });
  for (const code of [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535]) {
    const { socket, closed } = await shaken();
    socket.write(frame(0x88, Buffer.from([code >> 8, code & 0xff])));
    await eventually(closed);
  }
  await scene.nothingIsLeft();
  expect(new Set(scene.upstream.peers.map((peer) => peer.closed()?.code))).toEqual(new Set([1001]));
  await stillServes();
});

test('a million tiny fragments end the connection before they fill the memory, from either side', {
  timeout: 60_000,
}, async () => {
  await scene.set();
  const { client } = await scene.pair();
  for (let n = 0; n < 1_000_000 && client.socket.readyState === client.socket.OPEN; n += 1) {
    client.socket.send('', { fin: false });
    if (n % 5_000 === 0) await new Promise(setImmediate);
  }
  expect((await client.closed).code).toBe(1008);
  const { client: other, peer } = await scene.pair();
  for (let n = 0; n < 1_000_000 && peer.socket.readyState === peer.socket.OPEN; n += 1) {
    peer.socket.send('', { fin: false });
    if (n % 5_000 === 0) await new Promise(setImmediate);
  }
  expect(await other.closed).toEqual({ code: 4502, reason: 'upstream-broken' });
  await stillServes();
});

test('a message that is announced and never comes holds nothing but its connection', async () => {
  await scene.set({ gate: { heartbeatMillis: 50 } });
  const { socket, closed } = await shaken();
  // 60,000 bytes are announced, and one comes.
  socket.write(Buffer.from([0x81, 0xfe, 0xea, 0x60, 0, 0, 0, 0, 0x7b]));
  await eventually(closed);
  expect(scene.gate.reasons()).toEqual(['client-gone']);
  await scene.nothingIsLeft();
});

test('noise of the upstream’s ends its connection, and the client is told', async () => {
  await scene.set();
  for (const bytes of [
    [0x83, 0],
    [0xff, 0xff, 0xff],
    [0x81, 0x81, 1, 2, 3, 4, 5],
    [0x81, 1, 0xff],
  ]) {
    const { client, peer } = await scene.pair();
    transportOf(peer.socket).write(Buffer.from(bytes));
    expect(await client.closed).toEqual({ code: 4502, reason: 'upstream-broken' });
  }
  await stillServes();
});

test.each([
  ['nothing but its first line', 'GET /ws/agent HTTP/1.1\r\n\r\n'],
  ['no key', handshakeBytes('/ws/agent', 'ann').replace(/Sec-WebSocket-Key: .*\r\n/, '')],
  ['two keys', handshakeBytes('/ws/agent', 'ann', [`Sec-WebSocket-Key: ${'B'.repeat(22)}==`])],
  ['a key of another length', handshakeBytes('/ws/agent', 'ann').replace('AA==', '==')],
  ['two tokens', handshakeBytes('/ws/agent', 'ann', ['Authorization: Bearer bob-token'])],
  ['two hosts', handshakeBytes('/ws/agent', 'ann', ['Host: other.example'])],
  ['a body', handshakeBytes('/ws/agent', 'ann', ['Content-Length: 5'])],
  ['a target with a host', handshakeBytes('http://upstream/ws/agent', 'ann')],
  ['a path with a dot segment', handshakeBytes('/ws/x/../agent', 'ann')],
])('a handshake with %s reaches no upstream', async (_, bytes) => {
  await scene.set();
  const socket = scene.gate.wire(bytes);
  let got = '';
  socket.on('data', (chunk) => {
    got += chunk.toString('latin1');
  });
  await new Promise((resolve) => socket.on('close', resolve));
  expect(got).toMatch(/^HTTP\/1\.1 4\d\d /);
  expect(scene.upstream.asked).toEqual([]);
  await scene.nothingIsLeft();
});
