/** Two issuers may both have a user "alice". They are two people, and nothing of the one is the other's. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testIssuer } from '../support/issuer.ts';
import { chatBody, type Ear, jaazClient, openEar } from '../support/jaaz-client.ts';
import { startWorld, type World } from '../support/world.ts';

const folder = mkdtempSync(join(tmpdir(), 'same-name-'));
let world: World;
const ears: Ear[] = [];

const aliceOf = async (name: string) => {
  const issuer = await testIssuer(folder, name);
  return { settings: issuer.settings, token: await issuer.token('alice') };
};

const person = async (token: string) => {
  const { url } = world.gateway;
  const ear = await openEar({ url, token });
  ears.push(ear);
  return { client: jaazClient({ url, token }), ear };
};

const [one, two] = [await aliceOf('one'), await aliceOf('two')];

beforeAll(async () => {
  world = await startWorld({ stepMillis: 0, config: { issuers: [one.settings, two.settings] } });
});
afterAll(async () => {
  for (const ear of ears) ear.close();
  await world.close();
  rmSync(folder, { recursive: true });
});

test('users of two issuers with one sub share nothing: no canvas, no list, no chat, no file, no event, no id', async () => {
  const [hers, others] = [await person(one.token), await person(two.token)];
  const body = chatBody({ canvas: 'c-one', session: 's-one', prompt: 'Draw a cat' });
  expect((await hers.client.post('/api/canvas/create', body)).status).toBe(200);
  await hers.ear.done('s-one');
  const drawn = await hers.ear.picture('s-one');
  expect((await hers.client.get(`/api/file/${drawn}`)).status).toBe(200);
  expect((await others.client.get('/api/canvas/c-one')).text).toBe('null');
  expect((await others.client.get('/api/canvas/list')).text).toBe('[]');
  expect((await others.client.get('/api/chat_session/s-one')).text).toBe('[]');
  expect((await others.client.get(`/api/file/${drawn}`)).status).toBe(404);
  expect((await others.client.post('/api/canvas/create', body)).status).toBe(409);
  expect(others.ear.updates).toEqual([]);
  const owners = new Set(world.audit().map(({ owner }) => owner));
  expect([...owners].filter(Boolean).sort()).toEqual(['one|alice', 'two|alice']);
});
