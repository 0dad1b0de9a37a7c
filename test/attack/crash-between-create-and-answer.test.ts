/**
 * The gateway dies after it forwarded a create and before the answer came. Whether the canvas exists now, nobody knows: so
 * its id must stay its creator's, and become nobody else's by the crash.
 */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts';
import { chatBody, jaazClient } from '../support/jaaz-client.ts';
import { type SilentUpstream, startSilentUpstream } from '../support/silent-upstream.ts';

let upstream: SilentUpstream;
let gateway: GatewayProcess;
beforeEach(async () => {
  upstream = await startSilentUpstream();
  gateway = await startGatewayProcess(upstream.url);
});
afterEach(async () => {
  await gateway.stop();
  await upstream.close();
});

const clientOf = async (user: string) => jaazClient({ url: gateway.url(), token: await gateway.issuer.token(user) });
const body = chatBody({ canvas: 'the-canvas', session: 'the-session', prompt: 'mine' });
const creates = () => upstream.arrived.filter((line) => line === 'POST /api/canvas/create').length;

test('the id is its creator’s after the crash, and nobody else’s', async () => {
  const alice = await clientOf('alice');
  const unanswered = alice.post('/api/canvas/create', body).catch(() => 'cut');
  await eventually(() => creates() === 1);
  await gateway.kill();
  expect(await unanswered).toBe('cut');

  await gateway.restart();
  upstream.speak();
  const bob = await clientOf('bob');
  const before = upstream.arrived.length;
  expect((await bob.post('/api/canvas/create', body)).code).toBe('resource-taken');
  const claim = chatBody({ canvas: 'bobs-own', session: 'the-session', prompt: 'mine now' });
  expect((await bob.post('/api/canvas/create', claim)).code).toBe('resource-taken');
  expect((await bob.post('/api/chat', body)).code).toBe('resource-hidden');
  expect((await bob.get('/api/canvas/the-canvas')).text).toBe('null');
  expect((await bob.get('/api/chat_session/the-session')).text).toBe('[]');
  expect((await bob.post('/api/canvas/the-canvas/save', { data: {}, thumbnail: '' })).code).toBe('resource-hidden');
  expect((await bob.remove('/api/canvas/the-canvas/delete')).code).toBe('resource-hidden');
  // The probe of the one id that really was new is all that went through.
  expect(upstream.arrived.slice(before).filter((line) => !line.includes('/socket.io/'))).toEqual([
    'GET /api/canvas/bobs-own',
  ]);

  const again = await clientOf('alice');
  expect((await again.get('/api/canvas/the-canvas')).text).toContain('mine');
  expect((await again.post('/api/canvas/create', body)).status).toBe(200);
  expect(creates()).toBe(2);
  expect((await again.post('/api/canvas/create', body)).code).toBe('resource-taken');
}, 30_000);

test('killed again and again, it keeps every id that was forwarded', async () => {
  const rounds = 4;
  for (let round = 0; round < rounds; round += 1) {
    const alice = await clientOf('alice');
    const ids = { canvas: `canvas-${round}`, session: `session-${round}` };
    void alice.post('/api/canvas/create', chatBody({ ...ids, prompt: 'mine' })).catch(() => undefined);
    await eventually(() => creates() === round + 1);
    await gateway.kill();
    await gateway.restart();
  }
  const bob = await clientOf('bob');
  for (let round = 0; round < rounds; round += 1) {
    const ids = { canvas: `canvas-${round}`, session: `bobs-${round}` };
    expect((await bob.post('/api/canvas/create', chatBody({ ...ids, prompt: 'mine now' }))).code).toBe(
      'resource-taken',
    );
  }
}, 60_000);
