import { afterEach, expect, test } from 'vitest';
import { eventually } from './support/eventually.ts';
import { chatBody, openEar } from './support/jaaz-client.ts';
import { type PeopledWorld, startPeopledWorld } from './support/people.ts';
import { jaazPolicy } from './support/policies.ts';

let world: PeopledWorld;
afterEach(() => world.close());

type Named = readonly [name: string, notice: unknown];

const tell = (fields: object): void => world.upstream.broadcast('session_update', { session_id: 'b-s', ...fields });

/** Each has made a picture, and Bob's agent is about to open Alice's. Returns what the gateway tells whom. */
const bobOpensHers = async (mode = 'mode: enforce'): Promise<Named[]> => {
  world = await startPeopledWorld({ policy: jaazPolicy([/^mode: enforce$/m, `${mode} # for the test`]) });
  const notices: Named[] = [];
  const token = await world.issuer.token('bob', { roles: ['guest'] });
  world.bob.ear.close();
  world = { ...world, bob: { ...world.bob, ear: await openEar({ url: world.gateway.url, token }) } };
  for (const name of ['alice', 'bob'] as const) {
    const { client, ear } = world[name];
    const [canvas, session] = [`${name[0]}-c`, `${name[0]}-s`];
    await client.post('/api/canvas/create', chatBody({ canvas, session, prompt: 'a cat' }));
    await ear.done(session, 2);
    ear.socket.on('gateway', (notice) => notices.push([name, notice]));
  }
  const file = await world.alice.ear.picture('a-s');
  tell({ canvas_id: null, type: 'tool_call_arguments', id: 'call_1', text: `{"input_images":["${file}"]}` });
  return notices;
};

const record = () => world.audit().find((one) => JSON.stringify(one).includes('foreign-file-opened'));

const isCancelled = (): boolean => world.upstream.requests.some(({ path }) => path === '/api/cancel/b-s');

test('a run that is stopped is cancelled upstream, its owner alone is told, and what it makes is nobody’s', async () => {
  const notices = await bobOpensHers();
  tell({ canvas_id: 'b-c', type: 'image_generated', image_url: '/api/file/copycopyco.png', file: {}, element: {} });
  await eventually(() => notices.length > 0 && isCancelled());
  expect(notices).toEqual([['bob', { type: 'run-stopped', kind: 'session', id: 'b-s', code: 'foreign-file-opened' }]]);
  tell({ canvas_id: null, type: 'done' });
  await world.bob.ear.done('b-s', 3);
  expect((await world.bob.client.get('/api/file/copycopyco.png')).status).toBe(404);
  await eventually(() => record() !== undefined);
  expect(record()).toMatchObject({ kind: 'event', owner: 'test|bob', outcome: 'refused' });
  expect(record()).not.toHaveProperty('mode');
});

test.each([
  ['the policy looks on', 'mode: shadow'],
  ['it looks on for the owner', "mode: enforce\ncohorts: { late: { mode: shadow, users: ['test|bob'] } }"],
  ['it looks on for a role of the owner', 'mode: enforce\ncohorts: { late: { mode: shadow, roles: [guest] } }'],
])('where %s, nothing changes for the run, and what would have been done is on record', async (_, mode) => {
  const notices = await bobOpensHers(mode);
  await eventually(() => record() !== undefined);
  tell({ canvas_id: 'b-c', type: 'image_generated', image_url: '/api/file/copycopyco.png', file: {}, element: {} });
  tell({ canvas_id: null, type: 'done' });
  await world.bob.ear.done('b-s', 3);
  const heard = world.bob.ear.updates.filter(({ session_id: id }) => id === 'b-s').map(({ type }) => type);
  expect(heard.slice(-3)).toEqual(['tool_call_arguments', 'image_generated', 'done']);
  expect(record()).toMatchObject({ owner: 'test|bob', outcome: 'allowed', mode: 'shadow' });
  expect([notices, isCancelled()]).toEqual([[], false]);
});

test('where the policy looks on for others, a run is stopped all the same', async () => {
  const notices = await bobOpensHers("mode: shadow\ncohorts: { first: { mode: enforce, users: ['test|bob'] } }");
  await eventually(() => notices.length > 0 && isCancelled() && record() !== undefined);
  expect(record()).toMatchObject({ owner: 'test|bob', outcome: 'refused' });
});
