/** Deleting a canvas deletes one row upstream: its chats and files stay there, readable for ever (contract, section 3). */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { chatBody, type Ear } from '../support/jaaz-client.ts';
import { type PeopledWorld, type Person, startPeopledWorld } from '../support/people.ts';

let world: PeopledWorld;
beforeAll(async () => {
  world = await startPeopledWorld();
});
afterAll(() => world.close());

/** Makes a canvas with a picture and deletes it; resolves with the picture's name. */
const makeAndDelete = async (
  { client, ear }: { client: Person['client']; ear: Ear },
  name: string,
): Promise<string> => {
  const body = chatBody({ canvas: `${name}-c`, session: `${name}-s`, prompt: 'PRIVATE-WORD' });
  await client.post('/api/canvas/create', body);
  await ear.done(`${name}-s`, 2);
  const file = await ear.picture(`${name}-s`);
  expect((await client.get(`/api/file/${file}`)).status).toBe(200);
  expect((await client.remove(`/api/canvas/${name}-c/delete`)).status).toBe(200);
  return file;
};

test('on the bare server the chat and the picture of a deleted canvas are read by anybody', async () => {
  const file = await makeAndDelete(world.direct, 'direct');
  expect((await world.direct.client.get('/api/chat_session/direct-s')).text).toContain('PRIVATE-WORD');
  expect((await world.direct.client.get(`/api/file/${file}`)).status).toBe(200);
});

test('through the gateway they are gone for everybody, and their ids nobody’s for ever', async () => {
  const { alice, bob, direct } = world;
  const file = await makeAndDelete(alice, 'alice');
  expect((await direct.client.get('/api/chat_session/alice-s')).text).toContain('PRIVATE-WORD');
  const mark = world.mark();
  for (const { client } of [alice, bob]) {
    expect((await client.get('/api/canvas/alice-c')).text).toBe('null');
    expect((await client.get('/api/chat_session/alice-s')).text).toBe('[]');
    expect((await client.get(`/api/file/${file}`)).status).toBe(404);
    expect((await client.get('/api/canvas/list')).text).toBe('[]');
    expect((await client.post('/api/canvas/alice-c/save', { data: {}, thumbnail: '' })).code).toBe('resource-hidden');
    expect((await client.post('/api/canvas/alice-c/rename', { name: 'x' })).code).toBe('resource-hidden');
    expect((await client.remove('/api/canvas/alice-c/delete')).code).toBe('resource-hidden');
    expect((await client.post('/api/cancel/alice-s')).text).toBe('{"status":"not_found_or_done"}');
    const again = chatBody({ canvas: 'alice-c', session: 'new-s', prompt: 'mine' });
    const isDeleted = [409, 'resource-taken', 'resource-deleted'];
    expect(await world.told(await client.post('/api/canvas/create', again))).toEqual(isDeleted);
    expect((await client.post('/api/chat', again)).code).toBe('resource-hidden');
    const claim = chatBody({ canvas: 'new-c', session: 'alice-s', prompt: 'mine' });
    expect(await world.told(await client.post('/api/canvas/create', claim))).toEqual(isDeleted);
    const cited = chatBody({ canvas: 'new-c', session: 'new-s', prompt: `<image file_id="${file}" />` });
    expect((await client.post('/api/canvas/create', cited)).code).toBe('reference-foreign');
  }
  const reached = world
    .since(mark)
    .filter((line) => !/^GET \/api\/(?:canvas\/list|canvas\/new-c|chat_session\/new-s)$/.test(line));
  expect(reached).toEqual([]);
});

test('a run that goes on after its canvas was deleted is heard by nobody, and its picture is nobody’s', async () => {
  const { alice, bob, direct } = world;
  const body = chatBody({ canvas: 'late-c', session: 'late-s', prompt: '[[slow]] PRIVATE-WORD' });
  await alice.client.post('/api/canvas/create', body);
  expect((await alice.client.remove('/api/canvas/late-c/delete')).status).toBe(200);
  const heard = alice.ear.updates.length;
  const file = await direct.ear.picture('late-s');
  await direct.ear.done('late-s', 2);
  for (const { client } of [alice, bob]) expect((await client.get(`/api/file/${file}`)).status).toBe(404);
  // A last event that she does hear: nothing of the run came before it.
  await alice.client.post('/api/canvas/create', chatBody({ canvas: 'next-c', session: 'next-s', prompt: 'x' }));
  await alice.ear.done('next-s');
  expect(alice.ear.updates.slice(heard).filter(({ type }) => type === 'image_generated')).toHaveLength(1);
  expect(
    alice.ear.updates.slice(heard).filter(({ session_id: id, type }) => id === 'late-s' && type === 'done'),
  ).toEqual([]);
});
