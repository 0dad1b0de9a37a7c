/** Foreign and missing look the same: otherwise who guesses ids learns which of them exist. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Answer, type Client, chatBody } from '../support/jaaz-client.ts';
import { type PeopledWorld, startPeopledWorld } from '../support/people.ts';
import { jaazPolicy, withoutLimits } from '../support/policies.ts';

let world: PeopledWorld;
let file: string;
beforeAll(async () => {
  world = await startPeopledWorld({ policy: jaazPolicy(...withoutLimits) });
  const { alice, bob } = world;
  await alice.client.post('/api/canvas/create', chatBody({ canvas: 'a-c', session: 'a-s', prompt: 'mine' }));
  await bob.client.post('/api/canvas/create', chatBody({ canvas: 'b-c', session: 'b-s', prompt: 'mine' }));
  await alice.client.post('/api/canvas/create', chatBody({ canvas: 'dead-c', session: 'dead-s', prompt: 'mine' }));
  expect((await alice.client.remove('/api/canvas/dead-c/delete')).status).toBe(200);
  const old = chatBody({ canvas: 'old-c', session: 'old-s', prompt: 'old' });
  await world.direct.client.post('/api/canvas/create', old);
  await alice.ear.done('a-s', 2);
  file = await alice.ear.picture('a-s');
});
afterAll(() => world.close());

interface Ids {
  readonly canvas: string;
  readonly session: string;
  readonly file: string;
}

const attempts: ReadonlyArray<readonly [what: string, attempt: (client: Client, ids: Ids) => Promise<Answer>]> = [
  ['read a canvas', (client, { canvas }) => client.get(`/api/canvas/${canvas}`)],
  ['save a canvas', (client, { canvas }) => client.post(`/api/canvas/${canvas}/save`, { data: {}, thumbnail: '' })],
  ['rename a canvas', (client, { canvas }) => client.post(`/api/canvas/${canvas}/rename`, { name: 'x' })],
  ['delete a canvas', (client, { canvas }) => client.remove(`/api/canvas/${canvas}/delete`)],
  [
    'chat on a canvas',
    (client, { canvas }) => client.post('/api/chat', chatBody({ canvas, session: 'b-s', prompt: 'x' })),
  ],
  [
    'magic on a canvas',
    (client, { canvas }) => client.post('/api/magic', chatBody({ canvas, session: 'b-s', prompt: 'x' })),
  ],
  ['cancel a run', (client, { session }) => client.post(`/api/cancel/${session}`)],
  ['cancel a magic run', (client, { session }) => client.post(`/api/magic/cancel/${session}`)],
  ['read a chat', (client, { session }) => client.get(`/api/chat_session/${session}`)],
  ['read a file', (client, ids) => client.get(`/api/file/${ids.file}`)],
  [
    'cite a file',
    (client, ids) =>
      client.post('/api/chat', chatBody({ canvas: 'b-c', session: 'b-s', prompt: `<image file_id="${ids.file}" />` })),
  ],
];

/** Everything but what differs between any two answers. */
const shape = ({ status, headers, text }: Answer): string => {
  const told = [...headers].filter(([name]) => !/^(?:date|x-request-id|ratelimit)$/.test(name));
  return JSON.stringify([status, told, text.replace(/"requestId":"[^"]*"/, '')]);
};

test.each(attempts)('to %s of another’s is answered as if there were none', async (_what, attempt) => {
  const { bob } = world;
  const mark = world.mark();
  const foreign = shape(await attempt(bob.client, { canvas: 'a-c', session: 'a-s', file }));
  const missing = { canvas: 'no-such-c', session: 'no-such-s', file: 'im_nosuch00.png' };
  expect(shape(await attempt(bob.client, missing))).toBe(foreign);
  const impossible = { canvas: 'default', session: 'x'.repeat(65), file: 'config.toml' };
  if (!_what.includes(' on a ')) expect(shape(await attempt(bob.client, impossible))).toBe(foreign);
  // Nor is it seen in how long it takes: the upstream is not asked about any of them.
  expect(world.since(mark)).toEqual([]);
});

test.each([
  ['a canvas', 'a-c', 'dead-c', 'old-c', (id: string) => ({ canvas: id, session: 'free-s' })],
  ['a session', 'a-s', 'dead-s', 'old-s', (id: string) => ({ canvas: 'free-c', session: id })],
])('to create %s that is another’s, deleted or nobody’s is answered alike', async (_what, ...given) => {
  const [foreign, deleted, old, ids] = given;
  const { client } = world.bob;
  const answers = [];
  for (const id of [foreign, deleted, old]) {
    answers.push(await client.post('/api/canvas/create', chatBody({ ...ids(id), prompt: 'x' })));
  }
  expect(new Set(answers.map(shape)).size).toBe(1);
  expect(await Promise.all(answers.map(world.told))).toEqual([
    [409, 'resource-taken', 'resource-taken'],
    [409, 'resource-taken', 'resource-deleted'],
    [409, 'resource-taken', 'resource-quarantined'],
  ]);
});
