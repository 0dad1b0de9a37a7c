import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Rejection } from '../../src/model/rejection.ts';
import { app } from '../../src/server/app.ts';
import { listen, shutDown } from '../../src/server/shutdown.ts';
import { eventually } from '../support/eventually.ts';
import { startWorld, type World } from '../support/world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

/** Sends bytes, and returns everything that comes back until the connection ends. */
const say = async (text: string): Promise<string> => {
  const socket = connect(Number(new URL(world.gateway.url).port), '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => undefined);
  socket.write(text);
  await once(socket, 'close');
  return Buffer.concat(chunks).toString();
};

describe('what is refused before it is a request', () => {
  test.each([
    ['CONNECT', 'CONNECT evil.example:443 HTTP/1.1\r\nHost: gateway\r\n\r\n', 400, 'target-invalid'],
    ['bytes that are no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n\r\n', 400, 'request-malformed'],
    [
      'an upgrade at a path without a socket',
      'GET /api/canvas/list HTTP/1.1\r\nHost: gateway\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
      404,
      'route-unknown',
    ],
  ])('%s is answered with a problem, and on record', async (_what, text, status, reason) => {
    const before = world.upstream.requests.length;
    const answer = await say(text);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer).toContain(`"code":"${reason}"`);
    await eventually(() => world.audit().some((record) => record.reason === reason && record.address === '127.0.0.1'));
    expect(world.upstream.requests.slice(before).filter(({ path }) => !path.startsWith('/socket.io'))).toEqual([]);
  });
});

test('an offer to upgrade to h2c is not taken up, and the request is served as it is', async () => {
  const text = 'GET / HTTP/1.1\r\nHost: gateway\r\nConnection: close, Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n';
  expect(await say(text)).toMatch(/^HTTP\/1\.1 200 /);
});

test('a connection is kept after an answer that is given in the very turn of the request', async () => {
  const { promise: refusing } = Promise.withResolvers<void>();
  const server = app({
    live: (life, reply) => {
      void reply.refuse(new Rejection('route-unknown', life.raw.target), undefined, []);
      return refusing;
    },
    refused: () => undefined,
    upgrade: undefined,
    socketPath: undefined,
  });
  const { port } = await listen(server, { host: '127.0.0.1', port: 0 });
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  socket.write('GET /one HTTP/1.1\r\nHost: x\r\n\r\n');
  await eventually(() => text.split('HTTP/1.1 404').length === 2);
  socket.write('GET /two HTTP/1.1\r\nHost: x\r\n\r\n');
  await eventually(() => text.split('HTTP/1.1 404').length === 3);
  expect(text).not.toMatch(/connection: close/i);
  socket.destroy();
  await shutDown(server, 0);
});
