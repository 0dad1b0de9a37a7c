import { Agent, createServer, get, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { listen, shutDown } from '../../src/server/shutdown.ts';
import { eventually } from '../support/eventually.ts';

const place = { host: '127.0.0.1', port: 0 };

describe('listen', () => {
  test('resolves to what was bound', async () => {
    const server = createServer();
    const { address, port } = await listen(server, place);
    expect([address, port > 0]).toEqual(['127.0.0.1', true]);
    await shutDown(server, 0);
  });

  test('rejects with the system’s error when the port is taken', async () => {
    const server = createServer();
    const { port } = await listen(server, place);
    await expect(listen(createServer(), { host: '127.0.0.1', port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await shutDown(server, 0);
  });
});

describe('shutDown', () => {
  const slow = async () => {
    const waiting: Array<() => void> = [];
    const server: Server = createServer({ keepAliveTimeout: 60_000 }, (_incoming, outgoing) => {
      waiting.push(() => outgoing.end('done'));
    });
    const { port } = await listen(server, place);
    const agent = new Agent({ keepAlive: true });
    const state = { text: '', failed: false };
    get({ port, agent }, (response) => response.on('data', (chunk: Buffer) => (state.text += chunk.toString()))).on(
      'error',
      () => {
        state.failed = true;
      },
    );
    await eventually(() => waiting.length === 1);
    return { server, port, agent, state, finish: () => waiting[0]?.() };
  };

  test('lets what is under way finish, and does not wait for its kept connection', async () => {
    const { server, agent, state, finish } = await slow();
    const begun = performance.now();
    const over = shutDown(server, 20_000);
    finish();
    await over;
    expect(state).toEqual({ text: 'done', failed: false });
    expect(performance.now() - begun).toBeLessThan(10_000);
    agent.destroy();
  });

  test('accepts nothing new', async () => {
    const { server, port, agent, finish } = await slow();
    const over = shutDown(server, 20_000);
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
    finish();
    agent.destroy();
    await over;
  });

  test('cuts what has not finished in time', async () => {
    const { server, agent, state } = await slow();
    await shutDown(server, 50);
    await eventually(() => state.failed);
    agent.destroy();
  });

  test('lets a client take what was written to it', async () => {
    const body = Buffer.alloc(20_000_000);
    const server = createServer((_incoming, outgoing) => void outgoing.end(body));
    const { port } = await listen(server, place);
    const socket = connect(port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await new Promise((resolve) => socket.once('readable', resolve));
    const over = shutDown(server, 20_000);
    let bytes = 0;
    socket.on('data', ({ length }) => {
      bytes += length;
    });
    await over;
    await eventually(() => socket.closed);
    expect(bytes).toBeGreaterThan(body.length);
  });

  test('ends idle connections at once', async () => {
    const server = createServer((_incoming, outgoing) => void outgoing.end());
    const { port } = await listen(server, place);
    const socket = connect(port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await new Promise((resolve) => socket.once('data', resolve));
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await shutDown(server, 20_000);
    await closed;
  });

  test('of a server that never listened resolves', async () => {
    const server = createServer();
    await shutDown(server, 20_000);
    expect(server.address() as AddressInfo | null).toBeNull();
  });
});
