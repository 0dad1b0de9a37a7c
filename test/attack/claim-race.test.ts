/** Many ask for one id at the same moment: one gets it, and nobody else is ever answered, or served, as if he had. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { type Client, chatBody, jaazClient, openEar } from '../support/jaaz-client.ts';
import { jaazPolicy, withoutLimits } from '../support/policies.ts';
import { startWorld, type World } from '../support/world.ts';

const USERS = 10;
const TRIES = 10;

let world: World;
let clients: Client[];
beforeAll(async () => {
  world = await startWorld({ policy: jaazPolicy(...withoutLimits), stepMillis: 0 });
  const tokens = await Promise.all(Array.from({ length: USERS }, (_, user) => world.issuer.token(`user-${user}`)));
  clients = tokens.map((token) => jaazClient({ url: world.gateway.url, token }));
});
afterAll(() => world.close());

/** A hundred requests at once; resolves with the users that were answered 200, and the codes of all others. */
const race = async (
  attempt: (client: Client, user: number, turn: number) => Promise<{ status: number; code: string | undefined }>,
) => {
  const winners = new Set<number>();
  const codes = new Set<string | undefined>();
  await Promise.all(
    Array.from({ length: USERS * TRIES }, async (_, turn) => {
      const user = turn % USERS;
      const client = clients[user];
      if (client === undefined) throw new Error('no such user');
      const { status, code } = await attempt(client, user, turn);
      if (status === 200) winners.add(user);
      else codes.add(status === 500 ? 'upstream 500' : code);
    }),
  );
  return { winners: [...winners], codes };
};

/** Who ran an agent with this text in its body. */
const ranUpstream = (path: string, text: string): Set<unknown> =>
  new Set(
    world.upstream.requests
      .filter((request) => request.path === path && request.body?.includes(text) === true)
      .map(({ headers }) => headers['x-user-id']),
  );

test('a hundred creates of one canvas by ten users have one owner, and only his reach the server', async () => {
  const { winners, codes } = await race((client, user, turn) =>
    client.post('/api/canvas/create', chatBody({ canvas: 'the-one', session: `s-${turn}`, prompt: `of ${user}` })),
  );
  expect(winners).toHaveLength(1);
  const [winner] = winners;
  expect([...codes].filter((code) => code !== 'resource-taken' && code !== 'upstream 500')).toEqual([]);
  expect(ranUpstream('/api/canvas/create', '"the-one"')).toEqual(new Set([`test|user-${winner}`]));
  const seen = await Promise.all(clients.map((client) => client.get('/api/canvas/the-one')));
  expect(
    seen.map(({ text }, user) => (text === 'null' ? undefined : user)).filter((user) => user !== undefined),
  ).toEqual([winner]);
});

test('a hundred creates of own canvases with one session have one owner of the session', async () => {
  const { winners, codes } = await race((client, user, turn) =>
    client.post(
      '/api/canvas/create',
      chatBody({ canvas: `own-${turn}`, session: 'one-session', prompt: `of ${user}` }),
    ),
  );
  expect(winners).toHaveLength(1);
  expect([...codes]).toEqual(['resource-taken']);
  expect(ranUpstream('/api/canvas/create', '"one-session"').size).toBe(1);
  // What was refused left nothing claimed: the canvases that lost are free for whoever comes.
  const [winner] = winners;
  const [other] = clients.filter((_, user) => user !== winner);
  const lost = Array.from({ length: USERS * TRIES }, (_, turn) => turn).find((turn) => turn % USERS !== winner);
  const again = await other?.post(
    '/api/canvas/create',
    chatBody({ canvas: `own-${lost}`, session: 'fresh', prompt: 'x' }),
  );
  expect(again?.status).toBe(200);
});

test('a hundred chats in one new session have one owner, and the others’ never ran', async () => {
  await Promise.all(
    clients.map((client, user) =>
      client.post('/api/canvas/create', chatBody({ canvas: `home-${user}`, session: `home-s-${user}`, prompt: 'x' })),
    ),
  );
  const { winners, codes } = await race((client, user) =>
    client.post('/api/chat', chatBody({ canvas: `home-${user}`, session: 'raced', prompt: 'raced' })),
  );
  expect(winners).toHaveLength(1);
  expect([...codes].filter((code) => code !== 'resource-taken' && code !== 'upstream 500')).toEqual([]);
  expect(ranUpstream('/api/chat', '"raced"')).toEqual(new Set([`test|user-${winners[0]}`]));
});

test('a create races a delete of the same id: the id is its owner’s or a tombstone, and never another’s', async () => {
  const [alice, bob] = clients;
  if (alice === undefined || bob === undefined) throw new Error('no such user');
  const ear = await openEar({ url: world.gateway.url, token: await world.issuer.token('user-1') });
  for (let round = 0; round < 20; round += 1) {
    const canvas = `contested-${round}`;
    await alice.post('/api/canvas/create', chatBody({ canvas, session: `a-${round}`, prompt: 'Alice’s' }));
    const [removed, taken] = await Promise.all([
      alice.remove(`/api/canvas/${canvas}/delete`),
      bob.post('/api/canvas/create', chatBody({ canvas, session: `a-${round}`, prompt: 'Bob’s' })),
    ]);
    expect(removed.status).toBe(200);
    // The client is told the same, whichever came first; the record says which it was.
    expect([taken.status, taken.code]).toEqual([409, 'resource-taken']);
    const requestId = taken.headers.get('x-request-id');
    const record = () => world.audit().find((written) => written.requestId === requestId);
    await eventually(() => record() !== undefined);
    expect(['resource-taken', 'resource-deleted']).toContain(record()?.reason);
    expect((await bob.get(`/api/chat_session/a-${round}`)).text).toBe('[]');
  }
  expect(ear.updates).toEqual([]);
  ear.close();
});
