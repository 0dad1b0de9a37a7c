/** The upstream tells every socket everything. Behind the gateway a socket hears its owner's sessions, and nothing else. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { type Client, chatBody, type Ear, jaazClient, openEar } from '../support/jaaz-client.ts';
import { startWorld, type World } from '../support/world.ts';

let world: World;
let alice: Client;
let aliceEar: Ear;
let bobEar: Ear;
const packets: string[] = [];

beforeAll(async () => {
  world = await startWorld({ stepMillis: 0 });
  const { url } = world.gateway;
  const [aliceToken, bobToken] = [await world.issuer.token('alice'), await world.issuer.token('bob')];
  alice = jaazClient({ url, token: aliceToken });
  aliceEar = await openEar({ url, token: aliceToken });
  bobEar = await openEar({ url, token: bobToken, received: (packet) => packets.push(packet) });
  await eventually(() => world.upstream.sockets() === 1);
});
afterAll(async () => {
  aliceEar.close();
  bobEar.close();
  await world.close();
});

const scrape = async (): Promise<string> => (await fetch(`${world.gateway.adminUrl}/metrics`)).text();

const dropped = async (because: string): Promise<number> => {
  const lines = (await scrape()).split('\n').filter((line) => line.startsWith('gateway_events_total'));
  const line = lines.find((text) => text.includes(`because="${because}"`) && text.includes('outcome="dropped"'));
  return Number(line?.split(' ').at(-1) ?? 0);
};

/** Sends events, then one that Alice hears: what was to reach Bob before it would have. */
const broadcast = async (...payloads: readonly unknown[]): Promise<void> => {
  for (const payload of payloads) world.upstream.broadcast('session_update', payload);
  const before = aliceEar.updates.length;
  world.upstream.broadcast('session_update', { session_id: 'alice-s', canvas_id: null, type: 'delta', text: 'last' });
  await eventually(() => aliceEar.updates.length > before);
};

test('on the bare server Bob’s socket hears what Alice asks and is told', async () => {
  const ear = await openEar({ url: world.upstream.url, token: undefined });
  const direct = jaazClient({ url: world.upstream.url, token: undefined });
  await direct.post(
    '/api/canvas/create',
    chatBody({ canvas: 'direct-c', session: 'direct-s', prompt: 'PRIVATE-WORD' }),
  );
  await ear.done('direct-s', 2);
  ear.close();
  expect(JSON.stringify(ear.updates)).toContain('PRIVATE-WORD');
});

describe('through the gateway', () => {
  test('Alice hears her run to its end, and Bob not one packet of it', async () => {
    packets.length = 0;
    await alice.post('/api/canvas/create', chatBody({ canvas: 'alice-c', session: 'alice-s', prompt: 'PRIVATE-WORD' }));
    await aliceEar.done('alice-s', 2);
    const types = new Set(aliceEar.updates.map(({ type }) => type));
    for (const type of ['all_messages', 'delta', 'tool_call', 'tool_call_result', 'image_generated', 'done']) {
      expect(types).toContain(type);
    }
    // Not even addresses of the server behind the gateway.
    expect(JSON.stringify(aliceEar.updates)).not.toContain('http://localhost');
    expect(bobEar.updates).toEqual([]);
    expect(packets.filter((packet) => packet.includes('session_update'))).toEqual([]);
  });

  test('events of a session that nobody owns reach nobody, and are counted', async () => {
    const before = await dropped('unknown-owner');
    await broadcast({ session_id: 'strangers', canvas_id: null, type: 'delta', text: 'SECRET' });
    expect(await dropped('unknown-owner')).toBe(before + 1);
    expect(JSON.stringify(aliceEar.updates)).not.toContain('SECRET');
  });

  test.each([
    ['no session', 'no-resource', { canvas_id: null, type: 'delta' }],
    ['an empty session', 'no-resource', { session_id: '', canvas_id: null, type: 'delta' }],
    ['a session that is a number', 'malformed', { session_id: 7, canvas_id: null, type: 'delta' }],
    ['a session that is a list', 'malformed', { session_id: ['alice-s', 'bob-s'], canvas_id: null, type: 'delta' }],
    ['a type that is not listed', 'unlisted-type', { session_id: 'alice-s', canvas_id: null, type: 'new_type' }],
    ['no type', 'malformed', { session_id: 'alice-s', canvas_id: null }],
    ['a canvas that is nobody’s', 'event-disagrees', { session_id: 'alice-s', canvas_id: 'elsewhere', type: 'delta' }],
  ])('an event with %s reaches nobody, and is counted as %s', async (_what, because, payload) => {
    const before = await dropped(because);
    await broadcast({ ...payload, text: 'SECRET' });
    expect(await dropped(because)).toBe(before + 1);
    expect(JSON.stringify([...aliceEar.updates, ...bobEar.updates])).not.toContain('SECRET');
  });

  test('an event that names Alice’s session and Bob’s canvas reaches neither', async () => {
    const bob = jaazClient({ url: world.gateway.url, token: await world.issuer.token('bob') });
    await bob.post('/api/canvas/create', chatBody({ canvas: 'bob-c', session: 'bob-s', prompt: 'Bob’s' }));
    await bobEar.done('bob-s', 2);
    const before = await dropped('event-disagrees');
    const file = { dataURL: '/api/file/im_forged01.png' };
    const forged = { canvas_id: 'bob-c', type: 'image_generated', file, image_url: file.dataURL, note: 'SECRET' };
    await broadcast({ session_id: 'alice-s', ...forged });
    expect(await dropped('event-disagrees')).toBe(before + 1);
    expect(JSON.stringify([...aliceEar.updates, ...bobEar.updates])).not.toContain('SECRET');
    // Nothing was learned from it either: the file is nobody's.
    expect((await alice.get('/api/file/im_forged01.png')).status).toBe(404);
    expect((await bob.get('/api/file/im_forged01.png')).status).toBe(404);
  });

  test('an event that names a file of Bob’s as Alice’s new picture is withheld, and the file stays his', async () => {
    const bob = jaazClient({ url: world.gateway.url, token: await world.issuer.token('bob') });
    const name = await bobEar.picture('bob-s');
    const before = await dropped('learn-conflict');
    const payload = { session_id: 'alice-s', canvas_id: 'alice-c', type: 'image_generated', note: 'SECRET' };
    await broadcast({ ...payload, file: { dataURL: `/api/file/${name}` }, image_url: `/api/file/${name}` });
    expect(await dropped('learn-conflict')).toBe(before + 1);
    expect(JSON.stringify(aliceEar.updates)).not.toContain('SECRET');
    expect((await alice.get(`/api/file/${name}`)).status).toBe(404);
    expect((await bob.get(`/api/file/${name}`)).status).toBe(200);
  });

  test('a file that only a text names is learned by nobody', async () => {
    const text = 'see ![x](http://localhost:57988/api/file/im_claimed1.png)';
    await broadcast(
      { session_id: 'alice-s', canvas_id: null, type: 'all_messages', messages: [{ role: 'user', content: text }] },
      { session_id: 'alice-s', canvas_id: null, type: 'delta', text },
      { session_id: 'alice-s', canvas_id: null, type: 'tool_call_result', id: 'c', message: { content: text } },
    );
    expect((await alice.get('/api/file/im_claimed1.png')).status).toBe(404);
  });

  test('events of other names reach nobody', async () => {
    packets.length = 0;
    const before = await dropped('unlisted-event');
    for (const name of ['init_done', 'connected', 'admin', 'session_updates']) {
      world.upstream.broadcast(name, { session_id: 'bob-s', type: 'delta', text: 'SECRET' });
    }
    await eventually(async () => (await dropped('unlisted-event')) >= before + 3);
    await broadcast();
    expect(packets.join()).not.toContain('SECRET');
  });
});
