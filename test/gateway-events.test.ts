import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from './support/eventually.ts';
import { type Ear, jaazClient, openEar } from './support/jaaz-client.ts';
import { startWorld, type World } from './support/world.ts';

let world: World;
const ears: Record<string, Ear> = {};
beforeAll(async () => {
  world = await startWorld();
  for (const user of ['alice', 'bob']) {
    const token = await world.issuer.token(user);
    const client = jaazClient({ url: world.gateway.url, token });
    const messages = [{ role: 'user', content: 'a cat' }];
    await client.post('/api/canvas/create', { canvas_id: `${user}-c`, session_id: `${user}-s`, name: 'n', messages });
    ears[user] = await openEar({ url: world.gateway.url, token });
  }
  await eventually(() => world.upstream.sockets() === 1);
});
afterAll(async () => {
  for (const ear of Object.values(ears)) ear.close();
  await world.close();
});

const tell = (fields: object): void => world.upstream.broadcast('session_update', { canvas_id: null, ...fields });
const texts = (user: string): unknown[] => ears[user]?.updates.map(({ text }) => text) ?? [];
/** A last event of each user, behind which nothing of what was sent before can still come. */
const settled = async (): Promise<void> => {
  const mark = `mark ${Math.random()}`;
  for (const user of ['alice', 'bob']) tell({ session_id: `${user}-s`, type: 'delta', text: mark });
  await eventually(() => texts('alice').includes(mark) && texts('bob').includes(mark));
};

describe('an event', () => {
  test('reaches its owner and nobody else', async () => {
    tell({ session_id: 'alice-s', type: 'delta', text: 'for alice' });
    await settled();
    expect(texts('alice')).toContain('for alice');
    expect(texts('bob')).not.toContain('for alice');
  });

  test.each([
    ['of an unknown session', { session_id: 'nobody', type: 'delta' }],
    ['of no session', { session_id: null, type: 'delta' }],
    ['of an empty session', { session_id: '', type: 'delta' }],
    ['of an unlisted type', { session_id: 'alice-s', type: 'brand_new' }],
  ])('%s reaches nobody, and is counted', async (text, fields) => {
    tell({ ...fields, text });
    await settled();
    expect([...texts('alice'), ...texts('bob')]).not.toContain(text);
    const metrics = await (await fetch(`${world.gateway.adminUrl}/metrics`)).text();
    expect(metrics).toMatch(/gateway_events_total\{outcome="dropped",because="[a-z-]+"\} [1-9]/);
  });

  test('that names a session of one and a canvas of another reaches neither, and is recorded', async () => {
    tell({ session_id: 'alice-s', canvas_id: 'bob-c', type: 'delta', text: 'mixed' });
    await settled();
    expect([...texts('alice'), ...texts('bob')]).not.toContain('mixed');
    await eventually(() => world.audit().some(({ kind }) => kind === 'event'));
    expect(world.audit().filter(({ kind }) => kind === 'event')).toMatchObject([
      {
        outcome: 'refused',
        reason: 'event-disagrees',
        owner: 'test|alice',
        resources: ['session:alice-s', 'canvas:bob-c'],
      },
    ]);
  });
});

test('a file that an event made becomes its owner’s', async () => {
  const picture = (await ears.alice?.picture('alice-s').catch(() => undefined)) ?? 'abcdefghij.png';
  tell({
    session_id: 'alice-s',
    canvas_id: 'alice-c',
    type: 'image_generated',
    file: { dataURL: `/api/file/${picture}` },
    image_url: `http://localhost:57988/api/file/${picture}`,
  });
  await settled();
  const bob = jaazClient({ url: world.gateway.url, token: await world.issuer.token('bob') });
  const refused = await bob.post('/api/chat', {
    ...{ canvas_id: 'bob-c', session_id: 'bob-s', messages: [{ content: picture }, { content: picture }] },
  });
  expect(refused.code).toBe('reference-foreign');
  expect(ears.alice?.updates.at(-2)).toMatchObject({ image_url: `/api/file/${picture}` });
});

test('what the policy does not list is counted by its type', async () => {
  tell({ session_id: 'alice-s', type: 'quite_new', text: 'unlisted' });
  await settled();
  const metrics = await (await fetch(`${world.gateway.adminUrl}/metrics`)).text();
  expect(metrics).toContain('gateway_events_unlisted_total{event="session_update",type="quite_new"} 1');
});

test('what cannot be passed on at all is counted, and told of once', async () => {
  for (let n = 0; n < 50; n += 1) world.upstream.broadcast('session_update', [n] as unknown as object);
  await settled();
  const metrics = await (await fetch(`${world.gateway.adminUrl}/metrics`)).text();
  expect(metrics).toContain('gateway_events_total{outcome="dropped",because="payload-invalid"} 50');
  const lines = () => readFileSync(join(world.directory, 'gateway.log'), 'utf8').split('\n');
  await eventually(() => lines().some((line) => line.includes('payload-dropped')));
  expect(lines().filter((line) => line.includes('payload-dropped'))).toHaveLength(1);
});
