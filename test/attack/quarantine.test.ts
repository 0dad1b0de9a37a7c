/** What was there before the gateway belongs to nobody: it is not the first comer's, however he asks for it. */
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { chatBody } from '../support/jaaz-client.ts';
import { type PeopledWorld, startPeopledWorld } from '../support/people.ts';

let world: PeopledWorld;
let file: string;
beforeAll(async () => {
  world = await startPeopledWorld();
  const { client, ear } = world.direct;
  await client.post('/api/canvas/create', chatBody({ canvas: 'old-c', session: 'old-s', prompt: 'OLD-SECRET' }));
  await ear.done('old-s', 2);
  file = await ear.picture('old-s');
  // A canvas that was deleted before the gateway came, whose chat is still there.
  await client.post('/api/canvas/create', chatBody({ canvas: 'gone-c', session: 'gone-s', prompt: 'OLD-SECRET' }));
  await ear.done('gone-s', 2);
  await client.remove('/api/canvas/gone-c/delete');
  // Rows that no request could name (contract, section 3, create).
  const database = new DatabaseSync(world.upstream.databasePath);
  database.exec("INSERT INTO canvases (id, name) VALUES (NULL, 'OLD-SECRET'), ('', 'OLD-SECRET')");
  database.close();
});
afterAll(() => world.close());

/** The client is not told why, the operator is. */
const isQuarantined = [409, 'resource-taken', 'resource-quarantined'];

test('it is not seen', async () => {
  expect((await world.direct.client.get('/api/canvas/list')).text).toContain('OLD-SECRET');
  const { client } = world.bob;
  expect((await client.get('/api/canvas/list')).text).toBe('[]');
  expect((await client.get('/api/canvas/old-c')).text).toBe('null');
  expect((await client.get('/api/canvas/default')).text).toBe('null');
  expect((await client.get('/api/chat_session/old-s')).text).toBe('[]');
  expect((await client.get('/api/chat_session/gone-s')).text).toBe('[]');
  expect((await client.get(`/api/file/${file}`)).status).toBe(404);
});

test.each([
  ['a create of its canvas', '/api/canvas/create', { canvas: 'old-c', session: 'new-s' }],
  ['a create with its session', '/api/canvas/create', { canvas: 'new-c', session: 'old-s' }],
  [
    'a create with the session of a canvas deleted long ago',
    '/api/canvas/create',
    { canvas: 'new-c', session: 'gone-s' },
  ],
])('it is not taken by %s', async (_how, path, ids) => {
  const mark = world.mark();
  for (const { client } of [world.alice, world.bob]) {
    const answer = await client.post(path, chatBody({ ...ids, prompt: 'mine' }));
    expect(await world.told(answer)).toEqual(isQuarantined);
  }
  expect(world.since(mark).filter((line) => line.startsWith('POST'))).toEqual([]);
});

test('it is not taken by a chat, a save, a rename, a delete or a citation', async () => {
  const { client, ear } = world.bob;
  await client.post('/api/canvas/create', chatBody({ canvas: 'bob-c', session: 'bob-s', prompt: 'mine' }));
  await ear.done('bob-s', 2);
  const mark = world.mark();
  const chat = (ids: { canvas: string; session: string }, prompt = 'mine') =>
    client.post('/api/chat', chatBody({ ...ids, prompt }));
  expect(await world.told(await chat({ canvas: 'bob-c', session: 'old-s' }))).toEqual(isQuarantined);
  expect(await world.told(await chat({ canvas: 'bob-c', session: 'gone-s' }))).toEqual(isQuarantined);
  expect((await chat({ canvas: 'old-c', session: 'bob-s' })).code).toBe('resource-hidden');
  expect((await chat({ canvas: 'default', session: 'bob-s' })).code).toBe('id-invalid');
  expect((await chat({ canvas: 'bob-c', session: 'bob-s' }, `<image file_id="${file}" />`)).code).toBe(
    'reference-foreign',
  );
  expect((await client.post('/api/canvas/old-c/save', { data: {}, thumbnail: '' })).code).toBe('resource-hidden');
  expect((await client.post('/api/canvas/default/save', { data: {}, thumbnail: '' })).code).toBe('resource-hidden');
  expect((await client.post('/api/canvas/old-c/rename', { name: 'mine' })).code).toBe('resource-hidden');
  expect((await client.remove('/api/canvas/old-c/delete')).code).toBe('resource-hidden');
  expect((await client.remove('/api/canvas/default/delete')).code).toBe('resource-hidden');
  expect((await client.post('/api/cancel/old-s')).text).toBe('{"status":"not_found_or_done"}');
  expect(world.since(mark).filter((line) => !line.startsWith('GET '))).toEqual([]);
  expect((await client.get('/api/canvas/old-c')).text).toBe('null');
});

test('a refusal claims nothing: the other id of the request is free afterwards', async () => {
  const refused = chatBody({ canvas: 'free-c', session: 'old-s', prompt: 'x' });
  expect(await world.told(await world.bob.client.post('/api/canvas/create', refused))).toEqual(isQuarantined);
  const taken = chatBody({ canvas: 'free-c', session: 'free-s', prompt: 'x' });
  expect((await world.alice.client.post('/api/canvas/create', taken)).status).toBe(200);
});

test('when the server cannot say whether it has an id, nobody gets it', async () => {
  // A saved NaN makes every later read of a canvas a 500 (contract, section 3, save).
  const { client } = world.direct;
  await client.post('/api/canvas/create', chatBody({ canvas: 'sick-c', session: 'sick-s', prompt: 'OLD-SECRET' }));
  const body = '{"data":{"x":NaN},"thumbnail":""}';
  await fetch(`${world.upstream.url}/api/canvas/sick-c/save`, { method: 'POST', body });
  expect((await client.get('/api/canvas/sick-c')).status).toBe(500);
  const mark = world.mark();
  const answer = await world.bob.client.post(
    '/api/canvas/create',
    chatBody({ canvas: 'sick-c', session: 'x-s', prompt: 'x' }),
  );
  expect([answer.status, answer.code]).toEqual([502, 'probe-failed']);
  expect(world.since(mark).filter((line) => line.startsWith('POST'))).toEqual([]);
});
