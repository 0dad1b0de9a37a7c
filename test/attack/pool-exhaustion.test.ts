/**
 * Clients that vanish while their answers are under way. A proxy that goes on waiting for them keeps the upstream's
 * connections with them, one by one, until it serves nobody (configurable-http-proxy #434, http-proxy-3 #26).
 */
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { chatBody } from '../support/jaaz-client.ts';
import { type PeopledWorld, startPeopledWorld } from '../support/people.ts';
import { jaazPolicy, withoutLimits } from '../support/policies.ts';
import { portOf, requestText } from '../support/wire.ts';

const MANY = 300;

let world: PeopledWorld;
beforeAll(async () => {
  world = await startPeopledWorld({ policy: jaazPolicy(...withoutLimits) });
  const { client, ear } = world.alice;
  await client.post('/api/canvas/create', chatBody({ canvas: 'a-c', session: 'a-s', prompt: 'mine' }));
  await ear.done('a-s', 2);
  const saved = await client.post('/api/canvas/a-c/save', { data: { text: 'x'.repeat(3e6) }, thumbnail: '' });
  expect(saved.status).toBe(200);
});
afterAll(() => world.close());

/** Sends a request and vanishes, at once or after the first bytes of its answer. */
const vanish = (bytes: string, after: 'the request' | 'the first bytes'): Promise<void> =>
  new Promise((resolve) => {
    const socket = connect(portOf(world.gateway.url), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.on('close', () => resolve());
    socket.write(bytes, () => after === 'the request' && socket.resetAndDestroy());
    socket.on('data', () => socket.resetAndDestroy());
  });

const expectServed = async (): Promise<void> => {
  const begun = performance.now();
  const answers = await Promise.all(Array.from({ length: 10 }, () => world.alice.client.get('/api/chat_session/a-s')));
  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200));
  expect(performance.now() - begun).toBeLessThan(5_000);
};

/** One for the gateway's ear, one for the test's own, and the few that are kept for the next requests. */
const expectConnectionsGivenBack = () => eventually(() => world.upstream.connections() <= 15, 20_000);

const own = (...headers: string[]) => ['Host: x', `Authorization: Bearer ${world.alice.token}`, ...headers];

test('while their answers come', async () => {
  const bytes = requestText('GET /api/canvas/a-c HTTP/1.1', own());
  await Promise.all(Array.from({ length: MANY }, () => vanish(bytes, 'the first bytes')));
  await expectServed();
  await expectConnectionsGivenBack();
}, 60_000);

test('before their answers come', async () => {
  const bytes = requestText('GET /api/canvas/a-c HTTP/1.1', own());
  await Promise.all(Array.from({ length: MANY }, () => vanish(bytes, 'the request')));
  await expectServed();
  await expectConnectionsGivenBack();
}, 60_000);

test('in the midst of a chat, which goes on without them', async () => {
  const chats = Array.from({ length: 50 }, (_, index) => `chat-${index}`);
  await Promise.all(
    chats.map((session) => {
      const body = JSON.stringify(chatBody({ canvas: 'a-c', session, prompt: 'x' }));
      const headers = own('Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`);
      return vanish(requestText('POST /api/chat HTTP/1.1', headers, body), 'the request');
    }),
  );
  await expectServed();
  await expectConnectionsGivenBack();
  const refused = world.audit().filter(({ route, outcome }) => route === 'chat.send' && outcome === 'failed');
  expect(refused).toEqual([]);
}, 60_000);

test('while they send', async () => {
  const headers = own('Content-Type: application/json', 'Content-Length: 1000000');
  const bytes = requestText('POST /api/canvas/a-c/save HTTP/1.1', headers, '{"data":');
  await Promise.all(Array.from({ length: MANY }, () => vanish(bytes, 'the request')));
  await expectServed();
  await expectConnectionsGivenBack();
}, 60_000);

test('with their sockets open: none is remembered', async () => {
  const { openEar } = await import('../support/jaaz-client.ts');
  const ears = await Promise.all(
    Array.from({ length: 16 }, () => openEar({ url: world.gateway.url, token: world.bob.token })),
  );
  const sockets = async (): Promise<number> => {
    const text = await (await fetch(`${world.gateway.adminUrl}/metrics`)).text();
    return Number(/^gateway_sockets (\d+)/m.exec(text)?.[1]);
  };
  const before = await sockets();
  expect(before).toBeGreaterThanOrEqual(ears.length);
  for (const { socket } of ears) socket.io.engine.transport.close();
  await eventually(async () => (await sockets()) === before - ears.length);
});
