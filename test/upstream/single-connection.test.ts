import { once } from 'node:events';
import { createServer, get, Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { expect, test } from 'vitest';
import { singleConnection } from '../../src/upstream/single-connection.ts';
import { eventually } from '../support/eventually.ts';

test('a connection ends the one before, though that was upgraded', async () => {
  const server = createServer();
  const open = new Set<Socket>();
  server.on('connection', (socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
  });
  server.on('upgrade', (_, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n');
    socket.on('end', () => socket.destroy()).resume();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const { agent, end } = singleConnection('http:');
  const upgrade = async (): Promise<void> => {
    const request = get({ port, host: '127.0.0.1', agent, headers: { connection: 'upgrade', upgrade: 'x' } });
    request.on('error', () => undefined);
    const [, socket] = await once(request, 'upgrade');
    socket.on('error', () => undefined);
  };
  for (let times = 0; times < 3; times += 1) {
    await upgrade();
    await eventually(() => open.size === 1);
  }
  end();
  await eventually(() => open.size === 0);
  server.close();
});

test('the agent is of the protocol', () => {
  expect(singleConnection('https:').agent).toBeInstanceOf(HttpsAgent);
  const { agent, end } = singleConnection('http:');
  expect([agent instanceof HttpAgent, agent instanceof HttpsAgent]).toEqual([true, false]);
  end();
});
