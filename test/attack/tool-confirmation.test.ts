/** The upstream obeys whoever names a waiting call, and announces the answer in whatever session he likes. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { chatBody, type Update } from '../support/jaaz-client.ts';
import { type PeopledWorld, startPeopledWorld } from '../support/people.ts';

let world: PeopledWorld;
beforeAll(async () => {
  world = await startPeopledWorld();
});
afterAll(() => world.close());

const waitingCall = async (updates: readonly Update[], session: string): Promise<string> => {
  const pending = () =>
    updates.find(({ type, session_id: id }) => type === 'tool_call_pending_confirmation' && id === session);
  await eventually(() => pending() !== undefined);
  return String(pending()?.id);
};

test('on the bare server a stranger confirms the call, and forges an event of another session', async () => {
  const { client, ear } = world.direct;
  const body = chatBody({ canvas: 'victim', session: 'victim-s', prompt: '[[confirm]] a video' });
  await client.post('/api/canvas/create', body);
  const call = await waitingCall(ear.updates, 'victim-s');
  const forged = { session_id: 'elsewhere', tool_call_id: call, confirmed: true };
  expect((await client.post('/api/tool_confirmation', forged)).text).toBe('{"status":"success"}');
  await ear.done('victim-s', 2);
  expect(ear.updates).toContainEqual(expect.objectContaining({ session_id: 'elsewhere', type: 'tool_call_confirmed' }));
});

test('through the gateway nobody confirms anything, and the call goes on waiting', async () => {
  const { alice, bob } = world;
  const body = chatBody({ canvas: 'alice-c', session: 'alice-s', prompt: '[[confirm]] a video' });
  await alice.client.post('/api/canvas/create', body);
  const call = await waitingCall(alice.ear.updates, 'alice-s');
  const mark = world.mark();
  for (const session of ['alice-s', 'elsewhere']) {
    const answer = await bob.client.post('/api/tool_confirmation', {
      session_id: session,
      tool_call_id: call,
      confirmed: true,
    });
    expect([answer.status, answer.code]).toEqual([403, 'route-denied']);
  }
  expect(world.since(mark)).toEqual([]);
  expect(alice.ear.updates.filter(({ type }) => type === 'tool_call_confirmed')).toEqual([]);
  expect(bob.ear.updates).toEqual([]);
  // Bob cannot cancel it either: the answer is the one for a session that is not running.
  expect((await bob.client.post('/api/cancel/alice-s')).text).toBe('{"status":"not_found_or_done"}');
  expect(alice.ear.updates.filter(({ type }) => type === 'done')).toEqual([]);
  expect((await alice.client.post('/api/cancel/alice-s')).text).toBe('{"status":"cancelled"}');
  await alice.ear.done('alice-s');
});
