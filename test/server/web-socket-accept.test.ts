import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import WebSocket from 'ws';
import type { Wire } from '../../src/model/wire.ts';
import { acceptor } from '../../src/server/web-socket-accept.ts';
import { eventually } from '../support/eventually.ts';

const accept = acceptor(100);
const server = createServer();
const accepted: Array<Wire | undefined> = [];
let subprotocol = '';
let maxBytes = 100;
let leaveFirst = false;

beforeEach(async () => {
  server.on('upgrade', (incoming, socket, head) => {
    if (leaveFirst) socket.destroy();
    accepted.push(accept({ incoming, socket, head, subprotocol, maxBytes }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterEach(async () => {
  server.closeAllConnections();
  server.removeAllListeners('upgrade');
  accepted.length = 0;
  subprotocol = '';
  maxBytes = 100;
  leaveFirst = false;
  await new Promise((resolve) => server.close(resolve));
});

const connect = (protocols: string[] = []): WebSocket => {
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/`, protocols);
  client.on('error', () => undefined);
  return client;
};

const closed = (client: WebSocket): Promise<number> => new Promise((resolve) => client.on('close', resolve));

test('the client’s end is there at once, without compression, with the sub-protocol that was agreed upon', async () => {
  subprotocol = 'b';
  const client = connect(['a', 'b']);
  await once(client, 'open');
  expect([client.protocol, client.extensions, accepted[0]?.protocol]).toEqual(['b', '', 'b']);
  client.terminate();
});

test('no sub-protocol is chosen that was not agreed upon', async () => {
  const client = connect(['a']);
  // It asked for one, and goes away again.
  await closed(client);
  expect(accepted[0]?.protocol).toBe('');
});

test('there is none when the client has gone', async () => {
  leaveFirst = true;
  const client = connect();
  await closed(client);
  expect(accepted).toEqual([undefined]);
});

test('messages are bounded by the endpoint’s own bound', async () => {
  const codes: number[] = [];
  for (const most of [100, 300]) {
    maxBytes = most;
    const client = connect();
    await once(client, 'open');
    accepted.at(-1)?.on('error', () => undefined);
    client.on('close', (code) => codes.push(code));
    client.send('x'.repeat(200));
    if (most === 300) client.close(1000);
    await closed(client);
  }
  expect(codes).toEqual([1009, 1000]);
});

test('a message in very many fragments ends the connection, however small they are', async () => {
  const client = connect();
  await once(client, 'open');
  const errors: unknown[] = [];
  accepted[0]?.on('error', ({ code }) => errors.push(code));
  for (let n = 0; n < 2_000; n += 1) client.send('', { fin: false });
  const code = await closed(client);
  expect([code, errors]).toEqual([1008, ['WS_ERR_TOO_MANY_BUFFERED_PARTS']]);
});

test('a client that does not answer the closing handshake is cut off', async () => {
  const client = connect();
  await once(client, 'open');
  client.pause();
  let closed = false;
  accepted[0]?.on('close', () => {
    closed = true;
  });
  accepted[0]?.close(1001);
  await eventually(() => closed);
  client.terminate();
});
