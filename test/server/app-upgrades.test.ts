import type { IncomingMessage } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import { app } from '../../src/server/app.ts';

test('an upgrade is taken by whoever takes its path, as it stands before the query, and by nobody else', async () => {
  const taken: string[] = [];
  const take = (name: string) => (incoming: IncomingMessage, socket: Duplex) => {
    taken.push(`${name} ${incoming.url}`);
    socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n');
  };
  const refused: string[] = [];
  const server = app({
    live: async () => undefined,
    refused: ({ rejection }) => void refused.push(rejection.reason),
    upgrade: take('socket'),
    socketPath: '/socket.io/',
    webSockets: { match: (path) => /^\/ws\/[a-z]+$/.test(path), handleUpgrade: take('raw') },
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  for (const target of ['/socket.io/?a=/ws/b', '/ws/a?b=c', '/ws/a', '/ws/', '/ws/a/b?x=/ws/a']) {
    const socket = connect(port, '127.0.0.1');
    socket.end(`GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`);
    await new Promise((resolve) => socket.resume().once('close', resolve));
  }
  expect(taken).toEqual(['socket /socket.io/?a=/ws/b', 'raw /ws/a?b=c', 'raw /ws/a']);
  expect(refused).toEqual(['route-unknown', 'route-unknown']);
  server.close();
});

const UPGRADE = 'GET /socket.io/ HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n';
const CONNECT = 'CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n';

/** Node hands over a stream in front of the connection while a body of the request's own has not come. */
test.each([
  ['an upgrade', `${UPGRADE}\r\n`],
  ['an upgrade whose own body is not there yet', `${UPGRADE}Content-Length: 5\r\n\r\nab`],
  ['CONNECT', `${CONNECT}\r\n`],
])('%s that comes while an answer is owed is not taken, and the answer is given up', async (_name, text) => {
  const refused: string[] = [];
  let cancelled = 0;
  const server = app({
    live: async ({ cancellation }) => {
      cancellation.onCancel = () => {
        cancelled += 1;
      };
    },
    refused: ({ rejection, remoteAddress }) => void refused.push(`${remoteAddress}: ${rejection.message}`),
    upgrade: (_, socket) => socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n'),
    socketPath: '/socket.io/',
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  let answer = '';
  socket.on('data', (data) => {
    answer += data;
  });
  socket.write(`GET /slow HTTP/1.1\r\nHost: x\r\n\r\n${text}`);
  await new Promise((resolve) => socket.once('close', resolve));
  expect([answer, refused, cancelled]).toEqual(['', ['127.0.0.1: an upgrade before an answer'], 1]);
  server.close();
});

test('whoever is turned away is recorded and counted by address, also while the body is not there yet', async () => {
  const refused: string[] = [];
  const server = app({
    live: async () => undefined,
    refused: ({ rejection, remoteAddress }) => void refused.push(`${remoteAddress}: ${rejection.reason}`),
    upgrade: undefined,
    socketPath: undefined,
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  for (const head of [UPGRADE, CONNECT]) {
    const socket = connect(port, '127.0.0.1');
    socket.write(`${head}Content-Length: 5\r\n\r\nab`);
    await new Promise((resolve) => socket.resume().once('close', resolve));
  }
  expect(refused).toEqual(['127.0.0.1: route-unknown', '127.0.0.1: target-invalid']);
  server.close();
});
