/** A create with the id of another's canvas fails upstream, after the agent was set to work on it (contract, section 3). */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { chatBody } from '../support/jaaz-client.ts';
import { type PeopledWorld, startPeopledWorld } from '../support/people.ts';
import { jaazPolicy, withoutLimits } from '../support/policies.ts';

let world: PeopledWorld;
beforeAll(async () => {
  world = await startPeopledWorld({ policy: jaazPolicy(...withoutLimits) });
});
afterAll(() => world.close());

const pictures = (canvas: string): number => (canvas.match(/"dataURL"/g) ?? []).length;

test('on the bare server the agent of a refused create draws on the victim’s canvas', async () => {
  const { client, ear } = world.direct;
  await client.post('/api/canvas/create', chatBody({ canvas: 'victim', session: 'victim-s', prompt: 'mine' }));
  await ear.done('victim-s', 2);
  const answer = await client.post(
    '/api/canvas/create',
    chatBody({ canvas: 'victim', session: 'evil-s', prompt: 'EVIL' }),
  );
  expect(answer.status).toBe(500);
  await ear.done('evil-s', 2);
  const canvas = (await client.get('/api/canvas/victim')).text;
  expect(pictures(canvas)).toBe(2);
  expect(canvas).toContain('evil-s');
});

test('through the gateway it is refused before anything is forwarded', async () => {
  const { alice, bob, direct } = world;
  await alice.client.post('/api/canvas/create', chatBody({ canvas: 'alice-c', session: 'alice-s', prompt: 'mine' }));
  await alice.ear.done('alice-s', 2);
  const mark = world.mark();
  for (const session of ['bob-s', 'alice-s']) {
    const body = chatBody({ canvas: 'alice-c', session, prompt: 'EVIL' });
    const answer = await bob.client.post('/api/canvas/create', body);
    expect([answer.status, answer.code]).toEqual([409, 'resource-taken']);
  }
  // Her own id is not for a second create either: the upstream would run the agent and answer 500.
  const own = await alice.client.post(
    '/api/canvas/create',
    chatBody({ canvas: 'alice-c', session: 's2', prompt: 'x' }),
  );
  expect(own.code).toBe('resource-taken');
  expect(world.since(mark).filter((line) => line.startsWith('POST'))).toEqual([]);
  const canvas = (await alice.client.get('/api/canvas/alice-c')).text;
  expect(pictures(canvas)).toBe(1);
  expect(canvas).not.toContain('bob-s');
  expect(direct.ear.updates.filter(({ session_id: id }) => id === 'bob-s')).toEqual([]);
});

const impossible = [
  ...[null, 7, 7.5, true, '', 'default', 'list', 'create', 'a/b', 'a b', '../x', 'x'.repeat(65), ['a'], { a: 1 }],
  ...['ä', 'a\n', 'a%41', 'a\u0000', '\u{1f600}', '__proto__.x'],
];

test.each(impossible.map((id) => ({ id })))('the id $id is refused, for a canvas and for a session', async ({ id }) => {
  const mark = world.mark();
  const canvas = { ...chatBody({ canvas: 'x', session: 'fresh-s', prompt: 'x' }), canvas_id: id };
  expect((await world.bob.client.post('/api/canvas/create', canvas)).code).toBe('id-invalid');
  if (['default', 'list', 'create'].includes(String(id))) return;
  const session = { ...chatBody({ canvas: 'fresh-c', session: 'x', prompt: 'x' }), session_id: id };
  expect((await world.bob.client.post('/api/canvas/create', session)).code).toBe('id-invalid');
  expect(world.since(mark).filter((line) => line.startsWith('POST'))).toEqual([]);
});
