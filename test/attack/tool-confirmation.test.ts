/**
 * The upstream obeys whoever names a waiting call, as often as he names it, and announces the answer in whatever session
 * he likes (contract, section 3). The gateway lets an answer pass in the one session in which the call was announced, for
 * its owner, once. Model providers make the ids of calls: where two sessions get the same one, nobody can say whose call
 * the upstream would take the answer for. The stand-in never makes an id twice, so there the broadcast itself says it.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { type Answer, type Client, chatBody, type Ear, type Update } from '../support/jaaz-client.ts';
import { type PeopledWorld, startPeopledWorld } from '../support/people.ts';
import { jaazPolicy, withoutLimits } from '../support/policies.ts';

let world: PeopledWorld;
beforeAll(async () => {
  world = await startPeopledWorld({ policy: jaazPolicy(...withoutLimits) });
  await eventually(() => world.upstream.sockets() === 2);
});
afterAll(() => world.close());

const ofType = ({ updates }: Ear, session: string, type: string): readonly Update[] =>
  updates.filter((update) => update.session_id === session && update.type === type);

/** Begins a run whose agent asks before it goes on, and resolves with the id of its call once it is known. */
const waitingCall = async ({ client, ear }: { client: Client; ear: Ear }, session: string): Promise<string> => {
  const body = chatBody({ canvas: `${session}-canvas`, session, prompt: '[[confirm]] a video' });
  expect((await client.post('/api/canvas/create', body)).status).toBe(200);
  await eventually(() => ofType(ear, session, 'tool_call_pending_confirmation').length > 0);
  return String(ofType(ear, session, 'tool_call_pending_confirmation')[0]?.id);
};

const confirm = (client: Client, session: string, call: unknown, confirmed: unknown = true): Promise<Answer> =>
  client.post('/api/tool_confirmation', { session_id: session, tool_call_id: call, confirmed });

const told = ({ status, code }: Answer) => [status, code];
const NOT_PENDING = [409, 'call-not-pending'];

describe('on the bare server', () => {
  test('a stranger confirms the call, again and again, and forges events of another session', async () => {
    const { direct } = world;
    const call = await waitingCall(direct, 'victim-s');
    for (let time = 0; time < 2; time += 1) {
      expect((await confirm(direct.client, 'elsewhere', call, 'yes')).text).toBe('{"status":"success"}');
    }
    await direct.ear.done('victim-s', 2);
    expect(ofType(direct.ear, 'elsewhere', 'tool_call_confirmed').map(({ id }) => id)).toEqual([call, call]);
  });
});

describe('through the gateway', () => {
  test('a stranger confirms nothing, whatever he says, and the call goes on waiting', async () => {
    const { alice, bob } = world;
    const call = await waitingCall(alice, 'alice-s');
    const his = await waitingCall(bob, 'bob-s');
    const mark = world.mark();
    // In her session, in none, and in his own, in which another call waits.
    expect(told(await confirm(bob.client, 'alice-s', call))).toEqual([404, 'resource-hidden']);
    expect(told(await confirm(bob.client, 'elsewhere', call))).toEqual([404, 'resource-hidden']);
    expect(told(await confirm(bob.client, 'bob-s', call))).toEqual(NOT_PENDING);
    expect(told(await confirm(bob.client, '', call))).toEqual([400, 'id-invalid']);
    expect(world.since(mark)).toEqual([]);
    expect(ofType(alice.ear, 'alice-s', 'tool_call_confirmed')).toEqual([]);
    expect(bob.ear.updates.filter(({ session_id: id }) => id !== 'bob-s')).toEqual([]);
    // Both still wait, each for its own user.
    expect((await confirm(alice.client, 'alice-s', call, false)).text).toBe('{"status":"success"}');
    expect((await confirm(bob.client, 'bob-s', his, false)).text).toBe('{"status":"success"}');
    await Promise.all([alice.ear.done('alice-s', 2), bob.ear.done('bob-s', 2)]);
    expect(ofType(alice.ear, 'alice-s', 'tool_call_cancelled')).toHaveLength(1);
  });

  test('his refusals look as those for a call that there is not', async () => {
    const { alice, bob } = world;
    const call = await waitingCall(alice, 'alice-s2');
    const seen = async (answer: Promise<Answer>) => {
      const { status, text } = await answer;
      return [status, text.replace(/"requestId":"[^"]*"/, '')];
    };
    expect(await seen(confirm(bob.client, 'bob-s', call))).toEqual(await seen(confirm(bob.client, 'bob-s', 'none')));
    expect(await seen(confirm(bob.client, 'alice-s2', call))).toEqual(await seen(confirm(bob.client, 'none', 'none')));
    expect(await world.told(await confirm(bob.client, 'bob-s', call))).toEqual([...NOT_PENDING, 'call-not-pending']);
    await alice.client.post('/api/cancel/alice-s2');
  });

  test('she confirms it in the session in which she was asked, and there alone', async () => {
    const { alice, bob } = world;
    const call = await waitingCall(alice, 'alice-s3');
    const other = await waitingCall(alice, 'alice-s4');
    const mark = world.mark();
    expect(told(await confirm(alice.client, 'alice-s4', call))).toEqual(NOT_PENDING);
    expect(told(await confirm(alice.client, 'alice-s3', `${call} `))).toEqual(NOT_PENDING);
    expect(told(await confirm(alice.client, 'alice-s3', call.toUpperCase()))).toEqual(NOT_PENDING);
    for (const word of ['yes', 1, null]) {
      expect(told(await confirm(alice.client, 'alice-s3', call, word))).toEqual([400, 'body-unfit']);
    }
    expect(world.since(mark)).toEqual([]);
    expect((await confirm(alice.client, 'alice-s3', call)).text).toBe('{"status":"success"}');
    await alice.ear.done('alice-s3', 2);
    expect(ofType(alice.ear, 'alice-s3', 'tool_call_confirmed').map(({ id }) => id)).toEqual([call]);
    expect(ofType(alice.ear, 'alice-s3', 'image_generated')).toHaveLength(1);
    expect(ofType(alice.ear, 'alice-s4', 'tool_call_confirmed')).toEqual([]);
    expect(bob.ear.updates.filter(({ session_id: id }) => String(id).startsWith('alice'))).toEqual([]);
    expect((await confirm(alice.client, 'alice-s4', other)).status).toBe(200);
    await alice.ear.done('alice-s4', 2);
  });

  test('she does so once, however many tabs do it at once, and however often they do it again', async () => {
    const { alice } = world;
    const call = await waitingCall(alice, 'alice-s5');
    const mark = world.mark();
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, tab) => confirm(alice.client, 'alice-s5', call, tab % 2 === 0)),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(9).fill(409)]);
    await alice.ear.done('alice-s5', 2);
    expect(told(await confirm(alice.client, 'alice-s5', call))).toEqual(NOT_PENDING);
    expect(world.since(mark)).toEqual(['POST /api/tool_confirmation']);
  });
});

/** What the upstream sends when it asks. */
const ask = (session: string, call: unknown): void =>
  world.upstream.broadcast('session_update', {
    ...{ session_id: session, canvas_id: null, type: 'tool_call_pending_confirmation' },
    ...{ id: call, name: 'tool', arguments: '{}' },
  });

describe('an id that waits in two sessions', () => {
  test('of two users is answered by neither, also when one of them was asked first', async () => {
    const { alice, bob } = world;
    const call = await waitingCall(alice, 'alice-s6');
    await waitingCall(bob, 'bob-s6');
    ask('bob-s6', call);
    await eventually(() => ofType(bob.ear, 'bob-s6', 'tool_call_pending_confirmation').length === 2);
    const mark = world.mark();
    const hers = await confirm(alice.client, 'alice-s6', call);
    expect(await world.told(hers)).toEqual([...NOT_PENDING, 'call-not-pending']);
    expect(told(await confirm(bob.client, 'bob-s6', call))).toEqual(NOT_PENDING);
    ask('alice-s6', call);
    await eventually(() => ofType(alice.ear, 'alice-s6', 'tool_call_pending_confirmation').length === 2);
    expect(told(await confirm(alice.client, 'alice-s6', call))).toEqual(NOT_PENDING);
    expect(world.since(mark)).toEqual([]);
    for (const { client } of [alice, bob]) {
      for (const session of ['alice-s6', 'bob-s6']) await client.post(`/api/cancel/${session}`);
    }
  });

  test('of which one is nobody’s is answered by nobody', async () => {
    const { alice } = world;
    const call = await waitingCall(alice, 'alice-s7');
    ask('nobodys-session', call);
    // Another event behind it, by which one can tell that it was heard.
    await waitingCall(alice, 'alice-s8');
    const mark = world.mark();
    expect(told(await confirm(alice.client, 'alice-s7', call))).toEqual(NOT_PENDING);
    expect(world.since(mark)).toEqual([]);
    for (const session of ['alice-s7', 'alice-s8']) await alice.client.post(`/api/cancel/${session}`);
  });
});

describe('what the upstream says of a call', () => {
  /** The upstream does not know such a call, and says so by a 500 (contract, section 3). */
  const asked = async (session: string, call: unknown): Promise<void> => {
    const before = ofType(world.alice.ear, session, 'tool_call_pending_confirmation').length;
    ask(session, call);
    await eventually(() => ofType(world.alice.ear, session, 'tool_call_pending_confirmation').length > before);
  };

  beforeAll(async () => {
    const body = chatBody({ canvas: 'alice-c9', session: 'alice-s9', prompt: 'a cat' });
    await world.alice.client.post('/api/canvas/create', body);
    await world.alice.ear.done('alice-s9', 2);
  });

  test('is not to be repeated after a 500, of which nobody knows what was done', async () => {
    const { alice } = world;
    await asked('alice-s9', 'call-500');
    expect((await confirm(alice.client, 'alice-s9', 'call-500')).status).toBe(500);
    expect(told(await confirm(alice.client, 'alice-s9', 'call-500'))).toEqual(NOT_PENDING);
  });

  test.each(['__proto__', 'constructor', 'a\u0000b', 'é', 'e\u0301', '\u202Ecall', ' ', '"', '☎'.repeat(256)])(
    'counts for the very text %j and no other',
    async (call) => {
      const { alice, bob } = world;
      await asked('alice-s9', call);
      const mark = world.mark();
      for (const other of [call.normalize('NFKC'), call.normalize('NFD'), `${call}\u0000`, call.trim()]) {
        if (other === call || other === '') continue;
        expect((await confirm(alice.client, 'alice-s9', other)).status).toBeGreaterThanOrEqual(400);
      }
      expect(told(await confirm(bob.client, 'alice-s9', call))).toEqual([404, 'resource-hidden']);
      expect(world.since(mark)).toEqual([]);
      await confirm(alice.client, 'alice-s9', call);
      expect(world.since(mark)).toEqual(['POST /api/tool_confirmation']);
    },
  );

  test.each([[''], ['x'.repeat(257)], [null], [7], [['call']]])(
    'counts for nothing as %j, which is no id',
    async (call) => {
      await asked('alice-s9', call);
      const mark = world.mark();
      expect((await confirm(world.alice.client, 'alice-s9', call)).status).toBe(400);
      expect(world.since(mark)).toEqual([]);
    },
  );

  test('is not pushed out by a flood of calls of others', async () => {
    const { alice, bob } = world;
    await waitingCall(bob, 'bob-s9');
    await asked('alice-s9', 'call-kept');
    for (let index = 0; index < 200; index += 1) {
      ask('bob-s9', `bobs-${index}`);
      ask('nobodys-session', `nobodys-${index}`);
    }
    await eventually(() => ofType(bob.ear, 'bob-s9', 'tool_call_pending_confirmation').length === 201);
    const mark = world.mark();
    await confirm(alice.client, 'alice-s9', 'call-kept');
    expect(world.since(mark)).toEqual(['POST /api/tool_confirmation']);
    await bob.client.post('/api/cancel/bob-s9');
  });
});
