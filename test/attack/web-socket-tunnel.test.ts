/**
 * An upgrade that the upstream does not make is a request: whoever lets it pass, lets pass what comes behind it on the same
 * connection, to any path and past every rule. Shown against the upstream directly, then through the gateway.
 */
import { connect, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { handshakeBytes, webSocketScene } from '../support/web-socket-scene.ts';

const scene = webSocketScene();

/** The upstream that answers the handshake plainly and goes on reading requests, as one of HTTP does. */
const plainly = {
  upstream: {
    answer(_: unknown, socket: Socket): boolean {
      const answer = (body: string) => `HTTP/1.1 426 X\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
      socket.write(answer('no'));
      socket.on('data', (chunk: Buffer) => {
        requests.push(chunk.toString('latin1').split('\r\n')[0] ?? '');
        socket.write(answer('the secret of another'));
      });
      return true;
    },
  },
};
const requests: string[] = [];

const SECOND = 'GET /api/secret HTTP/1.1\r\nHost: a\r\n\r\n';

const said = (port: number, first: string, second: string): Promise<string> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let got = '';
    const late = setTimeout(() => socket.destroy(), 300);
    socket.on('data', (chunk) => {
      got += chunk.toString('latin1');
      if (got.includes('\r\n\r\n')) socket.write(second);
      if (got.includes('secret')) socket.destroy();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(late);
      resolve(got);
    });
    socket.write(first);
  });

test('directly, a second request on the connection is answered', async () => {
  requests.length = 0;
  await scene.set(plainly);
  const bytes = handshakeBytes('/ws/terminal/session-ann', 'ann');
  expect(await said(scene.upstream.port, bytes, SECOND)).toContain('the secret of another');
  expect(requests).toEqual(['GET /api/secret HTTP/1.1']);
});

test.each(['/ws/terminal/session-ann', '/ws/agent'])(
  'through %s no second request reaches the upstream',
  async (path) => {
    requests.length = 0;
    await scene.set(plainly);
    const got = await said(scene.gate.port, handshakeBytes(path, 'ann'), SECOND);
    expect(got).toMatch(/^HTTP\/1\.1 502 /);
    expect(got).not.toContain('secret');
    expect(requests).toEqual([]);
    await scene.nothingIsLeft();
  },
);

test('what a client sends behind a handshake that is refused goes nowhere', async () => {
  await scene.set();
  const got = await said(scene.gate.port, handshakeBytes('/ws/terminal/session-bob', 'ann') + SECOND, SECOND);
  expect(got.match(/HTTP\/1\.1 /g)).toHaveLength(1);
  expect(got).toMatch(/^HTTP\/1\.1 404 /);
  expect(scene.upstream.asked).toEqual([]);
});

test('a terminal of another is not opened by any spelling of the session', async () => {
  await scene.set();
  const spellings = [
    'session-bob',
    'session-ann%2f..%2fsession-bob',
    'session-ann/../session-bob',
    'SESSION-BOB',
    'session-bob%00',
    'session-bob?x=',
    '',
  ];
  for (const spelling of spellings) {
    const { status } = await scene.gate.client(`/ws/terminal/${spelling}`, 'ann').refused();
    expect([400, 404], spelling).toContain(status);
  }
  expect(scene.upstream.asked).toEqual([]);
  await eventually(() => scene.gate.open() === 0);
});
