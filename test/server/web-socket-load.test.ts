import { once } from 'node:events';
import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { tunnelTo } from '../../src/upstream/tunnel.ts';
import { webSocketDial } from '../../src/upstream/web-socket.ts';
import { eventually } from '../support/eventually.ts';
import { openGate } from '../support/web-socket-door.ts';
import { handshakeBytes, upgradeBytes, webSocketScene } from '../support/web-socket-scene.ts';
import { webSocketUpstream } from '../support/web-socket-upstream.ts';

const scene = webSocketScene();

/** One of messages, and an opaque one. */
const PATHS = ['/ws/agent', '/ws/terminal/session-ann'];

test.each([
  [403, 403, 'upstream-denied'],
  [401, 403, 'upstream-denied'],
  [503, 503, 'upstream-busy'],
  [500, 502, 'upstream-broken'],
  [200, 502, 'upstream-broken'],
  [302, 502, 'upstream-broken'],
])(
  'an upstream answers a handshake with %i: the client gets %i, and none of the answer',
  async (theirs, ours, code) => {
    const head = `HTTP/1.1 ${theirs} X\r\nlocation: http://127.0.0.1:1/\r\nset-cookie: a=b\r\ncontent-length: 6`;
    await scene.set({
      upstream: {
        answer(_, socket) {
          socket.end(`${head}\r\n\r\nsecret`);
          return true;
        },
      },
    });
    for (const path of PATHS) {
      const answer = await scene.gate.client(path, 'ann').refused();
      expect([answer.status, answer.code], path).toEqual([ours, code]);
      expect(`${answer.body} ${JSON.stringify(answer.headers)}`).not.toMatch(/secret|set-cookie|location/);
    }
    await scene.nothingIsLeft();
  },
);

test.each([
  ['a wrong key', 'A'.repeat(24), []],
  ['a sub-protocol that nobody offered', undefined, ['sec-websocket-protocol: other']],
  ['an extension that nobody offered', undefined, ['sec-websocket-extensions: permessage-deflate']],
])('a handshake of the upstream’s with %s is not believed', async (_, key, more) => {
  await scene.set({
    upstream: {
      answer({ headers }, socket) {
        socket.write(upgradeBytes(key ?? headers['sec-websocket-key'], more));
        return true;
      },
    },
  });
  for (const path of PATHS) {
    expect(await scene.gate.client(path, 'ann').refused()).toMatchObject({ status: 502, code: 'upstream-broken' });
  }
  await scene.nothingIsLeft();
});

test('an upstream is not there: 502', async () => {
  const gone = await webSocketUpstream();
  await gone[Symbol.asyncDispose]();
  const gate = await openGate({ upstreamUrl: gone.url });
  for (const path of PATHS) {
    expect(await gate.client(path, 'ann').refused()).toMatchObject({ status: 502, code: 'upstream-unreachable' });
  }
  await eventually(() => gate.open() === 0);
  await gate.stop();
});

test.each(PATHS)('a client that leaves %s while the upstream is asked is noticed', async (path) => {
  await scene.set({ upstream: { answer: () => true } });
  const leaving = [(socket: Socket) => socket.end(), (socket: Socket) => socket.resetAndDestroy()];
  for (const [round, leave] of leaving.entries()) {
    const socket = scene.gate.wire(handshakeBytes(path, 'ann'));
    await eventually(() => scene.upstream.asked.length === round + 1);
    leave(socket);
    await scene.nothingIsLeft();
    expect(scene.gate.records.at(-1)).toMatchObject({
      outcome: 'aborted',
      reason: 'client-gone',
      owner: 'test|ann',
    });
  }
});

test.each(PATHS)('what a client of %s says before it is answered is not lost', async (path) => {
  let answer: (() => void) | undefined;
  await scene.set({
    upstream: {
      verifyClient(_: unknown, done: (isFit: boolean) => void) {
        answer = () => done(true);
      },
    },
  });
  const socket = scene.gate.wire(`${handshakeBytes(path, 'ann')}\x81\x8f\0\0\0\0{"kind"`);
  await eventually(() => answer !== undefined);
  socket.write(':"ping"');
  await new Promise((resolve) => setTimeout(resolve, 50));
  answer?.();
  await eventually(() => scene.upstream.peers.length === 1);
  socket.write('}');
  await eventually(() => scene.upstream.peers[0]?.heard.length === 1);
  expect(scene.upstream.peers[0]?.heard).toEqual(['{"kind":"ping"}']);
  socket.destroy();
  await scene.nothingIsLeft();
});

test('an upstream never answers: 504', async () => {
  await scene.set({ upstream: { answer: () => true }, gate: { connectMillis: 50 } });
  for (const path of PATHS) {
    expect(await scene.gate.client(path, 'ann').refused()).toMatchObject({ status: 504, code: 'upstream-timeout' });
  }
  await scene.nothingIsLeft();
});

test('an upstream that answers plainly and never ends its answer keeps no connection', async () => {
  await scene.set({
    upstream: {
      answer(_, socket) {
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nand then');
        return true;
      },
    },
  });
  for (const path of PATHS) {
    expect(await scene.gate.client(path, 'ann').refused()).toMatchObject({ status: 502 });
  }
  await scene.nothingIsLeft();
});

test('an upstream that breaks off in the middle of its handshake is told of: 502', async () => {
  await scene.set({
    upstream: {
      answer(_, socket) {
        socket.end('HTTP/1.1 101 Switch');
        return true;
      },
    },
  });
  for (const path of PATHS) {
    expect(await scene.gate.client(path, 'ann').refused()).toMatchObject({ status: 502, code: 'upstream-broken' });
  }
  await scene.nothingIsLeft();
});

test.each(PATHS)(
  'an upstream that agrees too late, to a connection that was ended, is left again: %s',
  async (path) => {
    const { signal } = new AbortController();
    let agree = (): void => undefined;
    const late = new Promise<void>((resolve) => {
      agree = resolve;
    });
    await scene.set({
      gate: {
        dial: async (call) => {
          await late;
          return webSocketDial({ url: scene.upstream.url })(call, signal);
        },
        bore: async (call) => {
          await late;
          return tunnelTo({ url: scene.upstream.url })(call, signal);
        },
      },
    });
    const client = scene.gate.client(path, 'ann');
    await eventually(() => scene.gate.end(({ user }) => user === 'ann') === 1);
    agree();
    expect(await client.refused()).toMatchObject({ status: 401, code: 'token-revoked' });
    await eventually(() => scene.upstream.asked.length === 1);
    await scene.nothingIsLeft();
  },
);

test('a client that half closes its connection while the upstream is asked leaves nothing behind', async () => {
  let finish = (): void => undefined;
  await scene.set({
    upstream: {
      answer(_, socket) {
        finish = () => void socket.end('HTTP/1.1 403 X\r\ncontent-length: 0\r\n\r\n');
        return true;
      },
    },
  });
  const socket = scene.gate.wire(handshakeBytes('/ws/agent', 'ann'));
  await eventually(() => scene.upstream.asked.length === 1);
  socket.end();
  finish();
  await once(socket.resume(), 'close');
  await scene.nothingIsLeft();
});
