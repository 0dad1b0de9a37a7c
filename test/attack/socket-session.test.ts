/** What a session opens ends with it, wherever it stands when that happens, and one user's opens nothing of another's. */
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import type { Identify } from '../../src/server/socket-handshake.ts';
import { testHistory } from '../support/history.ts';
import { ledger } from '../support/returning.ts';
import { openSessionDoor, type SessionDoor, type SessionPlane, sessionPlane } from '../support/session-door.ts';
import { connected, refusal, until } from '../support/socket-door.ts';
import { webSocketScene } from '../support/web-socket-scene.ts';

type Headers = Readonly<Record<string, string>>;

let door: SessionDoor | undefined;
let plane: SessionPlane | undefined;
const scene = webSocketScene();
afterEach(async () => {
  await door?.stop();
  plane?.stop();
  door = undefined;
  plane = undefined;
});

const open = async (...options: Parameters<typeof openSessionDoor>): Promise<SessionDoor> => {
  door = await openSessionDoor(...options);
  return door;
};

const openRaw = async (wrap: (identify: Identify) => Identify = (one) => one): Promise<SessionPlane> => {
  plane = await sessionPlane();
  await scene.set({ gate: { identify: wrap(plane.identify), lifetime: plane.watched } });
  plane.ending(scene.gate);
  return plane;
};

const rawClient = (path: string, headers: Headers) => scene.gate.client(path, undefined, { headers });

/** Lets a bare client in; resolves with how its connection ends. */
const enter = async (on: SessionDoor, headers: Headers) => {
  const raw = on.raw(undefined, headers);
  const closed = once(raw.socket, 'close').then(([code, reason]) => `${code} ${reason}`);
  await until(() => raw.packets.length === 1);
  raw.socket.send('40');
  return { ...raw, closed };
};

describe('a logout', () => {
  test('ends every socket of its session at once, and those of no other one', async () => {
    const on = await open();
    const [alice, elsewhere, bob] = [await on.logIn('bob'), await on.logIn('alice'), await on.logIn('bob')];
    const page = await enter(on, elsewhere);
    const other = await enter(on, alice);
    const third = await enter(on, bob);
    const sid = await on.polls.open({ headers: elsewhere });
    const waiting = on.polls.poll(sid, { headers: elsewhere });
    await on.polls.post(sid, '3', { headers: elsewhere });
    await until(() => on.count() === 3);
    await on.logOut('alice');
    expect(await page.closed).toBe('4401 session-ended');
    expect((await waiting).packets).toEqual(['6']);
    await until(() => on.open() === 2);
    expect([on.tell('PRIVATE'), on.tell('for Bob', 'test|bob')]).toEqual([0, 2]);
    expect(page.packets.join('')).not.toContain('PRIVATE');
    expect(on.records.filter(({ outcome }) => outcome === 'refused').map(({ reason }) => reason)).toEqual([
      'session-ended',
      'session-ended',
    ]);
    for (const { socket } of [other, third]) socket.terminate();
  });

  test('ends raw WebSockets, opaque ones too', async () => {
    const on = await openRaw();
    const ann = await on.logIn('ann');
    const messages = rawClient('/ws/agent', ann);
    const bytes = rawClient('/ws/terminal/session-ann', ann);
    const bob = rawClient('/ws/agent', await on.logIn('bob'));
    await Promise.all([messages.opened, bytes.opened, bob.opened]);
    await until(() => scene.gate.count() === 3);
    await on.logOut('ann');
    expect(await messages.closed).toEqual({ code: 4401, reason: 'session-ended' });
    expect((await bytes.closed).code).toBe(1006);
    await until(() => scene.gate.open() === 1 && scene.upstream.open() === 1);
    expect(bob.end()).toBeUndefined();
  });

  /** Is found good, and ended before whoever asked can take it up. */
  const endedMeanwhile =
    (of: () => Pick<SessionPlane, 'identify' | 'logOut'>, user: string): Identify =>
    async (request, token) => {
      const principal = await of().identify(request, token);
      await of().logOut(user);
      return principal;
    };

  test('between being identified and being let in leaves nothing open', async () => {
    const of: { on?: SessionDoor } = {};
    const identify = endedMeanwhile(() => of.on as SessionDoor, 'alice');
    const on = await open({ door: { identify } });
    of.on = on;
    const headers = await on.logIn('alice');
    expect((await refusal(on.client(undefined, { extraHeaders: headers }))).data).toMatchObject({
      code: 'session-ended',
    });
    const polled = await on.polls.ask({ headers: await on.logIn('alice') });
    expect([polled.status, polled.code]).toEqual([401, 'session-ended']);
    expect(on.tell('PRIVATE')).toBe(0);
    await until(() => on.open() === 0);
  });

  test('while a request of a session that polls is judged ends that request too', async () => {
    let isEnding = false;
    const of: { on?: SessionDoor } = {};
    const on = await open({
      door: {
        async identify(request, token) {
          const principal = await (of.on as SessionDoor).identify(request, token);
          if (isEnding) await of.on?.logOut('alice');
          return principal;
        },
      },
    });
    of.on = on;
    const headers = await on.logIn('alice');
    const sid = await on.polls.open({ headers });
    isEnding = true;
    const answer = await on.polls.post(sid, '40', { headers });
    expect([answer.status, answer.code]).toEqual([401, 'session-ended']);
    await on.nothingIsLeft();
  });

  test('between being identified and being known opens no raw WebSocket', async () => {
    let ended = 0;
    const on = await openRaw((identify) => async (request, token) => {
      const principal = await identify(request, token);
      ended += 1;
      if (ended === 1) await plane?.logOut('ann');
      return principal;
    });
    const client = rawClient('/ws/agent', await on.logIn('ann'));
    expect(await client.refused()).toMatchObject({ status: 401, code: 'session-ended' });
    expect(scene.upstream.asked).toEqual([]);
    await scene.nothingIsLeft();
  });

  test('while the ledger is asked what a page has missed tells it nothing', async () => {
    const asked = ledger();
    const memory = testHistory({ ownersOf: asked.ownersOf, patienceMillis: 60_000 });
    const on = await open({ door: { history: memory.history } });
    const headers = { ...(await on.logIn('alice')), 'user-agent': 'Mozilla/5.0' };
    const client = on.client(undefined, { extraHeaders: headers });
    const heard: unknown[] = [];
    client.on('session_update', (payload) => heard.push(payload));
    await connected(client);
    const say = (text: string) =>
      on.channels.send('test|alice', { name: 'session_update', payload: { text } }, [{ kind: 'session', id: 's' }]);
    say('heard');
    await until(() => heard.length === 1);
    client.io.engine.close();
    await until(() => on.count() === 0);
    say('PRIVATE');
    client.connect();
    await until(() => asked.waiting() === 1);
    await on.logOut('alice');
    asked.release();
    await until(() => on.open() === 0);
    expect([heard.length, on.count(), memory.returned]).toEqual([1, 0, []]);
    memory.missed.close();
  });
});

describe('a token of one user beside the cookie of another', () => {
  test('opens no socket, whoever it would be for', async () => {
    const on = await open();
    const headers = await on.logIn('alice');
    const token = await on.issuer.token('bob');
    const refused = await refusal(on.client({ token }, { extraHeaders: headers }));
    expect(refused.data).toMatchObject({ code: 'credentials-differ' });
    const polled = await on.polls.ask({ token, headers });
    expect([polled.status, polled.code]).toEqual([400, 'credentials-differ']);
    const sid = await on.polls.open({ headers });
    const { body } = await on.polls.post(sid, `40${JSON.stringify({ token })}`, { headers });
    expect([body, (await on.polls.poll(sid, { headers })).body]).toEqual([
      'ok',
      expect.stringContaining('credentials-differ'),
    ]);
    expect([on.count(), on.failed]).toEqual([0, []]);
  });

  test('opens no raw WebSocket', async () => {
    const on = await openRaw();
    const authorization = `Bearer ${await on.issuer.token('bob')}`;
    const client = rawClient('/ws/agent', { ...(await on.logIn('ann')), authorization });
    expect(await client.refused()).toMatchObject({ status: 400, code: 'credentials-differ' });
    expect(scene.upstream.asked).toEqual([]);
  });

  test('does not become the socket’s by renewal', async () => {
    const on = await open();
    const client = on.client(undefined, { extraHeaders: await on.logIn('alice') });
    await connected(client);
    const answer = await client.emitWithAck('auth', { token: await on.issuer.token('bob') });
    expect(answer).toMatchObject({ status: 'refused', code: 'token-other-owner' });
    expect([on.tell('for Alice'), on.tell('for Bob', 'test|bob')]).toEqual([1, 0]);
  });
});

describe('the id of a session that polls', () => {
  test.each([
    ['another’s cookie', 400, 'session-unknown'],
    ['a cookie that has ended', 401, 'session-ended'],
    ['no cookie', 401, 'token-missing'],
  ])('is of no use with %s', async (how, status, code) => {
    const on = await open();
    const headers = await on.logIn('alice');
    const sid = await on.polls.open({ headers });
    const mallory: Headers = how === 'no cookie' ? {} : await on.logIn('mallory');
    if (how === 'a cookie that has ended') await on.logOut('mallory');
    for (const answer of [
      await on.polls.poll(sid, { headers: mallory }),
      await on.polls.post(sid, '40', { headers: mallory }),
    ])
      expect([answer.status, answer.code]).toEqual([status, code]);
    expect((await on.polls.post(sid, '40', { headers })).status).toBe(200);
    expect(on.failed).toEqual([]);
  });
});

test('a forged token beside a good cookie is refused, and counts', async () => {
  const on = await open();
  const headers = await on.logIn('alice');
  const refused = await refusal(on.client({ token: 'x.y.z' }, { extraHeaders: headers }));
  expect(refused.data).toMatchObject({ code: expect.stringMatching(/^token-/) });
  expect([on.failed, on.count()]).toEqual([['127.0.0.1'], 0]);
});
