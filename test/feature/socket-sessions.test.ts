/** A page that has a session and no token: its socket, for as long as the session lasts. */
import { once } from 'node:events';
import type { Socket } from 'socket.io-client';
import { afterEach, describe, expect, test } from 'vitest';
import { Rejection } from '../../src/model/rejection.ts';
import { testHistory } from '../support/history.ts';
import { IDLE_MILLIS, openSessionDoor, type SessionDoor } from '../support/session-door.ts';
import { connected, refusal, until } from '../support/socket-door.ts';

let door: SessionDoor;
afterEach(() => door.stop());

const BROWSER = { 'user-agent': 'Mozilla/5.0' };

interface Page {
  readonly client: Socket;
  readonly heard: string[];
  /** The close code and reason, once it is closed. */
  readonly end: Promise<unknown>;
}

const pageWith = async (headers: object, more: object = {}, auth?: object): Promise<Page> => {
  const client = door.client(auth, { extraHeaders: { ...BROWSER, ...headers }, ...more });
  const heard: string[] = [];
  client.on('session_update', ({ text }) => heard.push(text));
  const end = new Promise((resolve) => {
    client.on('disconnect', (_, details) => {
      const context = details !== undefined && 'context' in details ? details.context : undefined;
      const { code, reason } = (context ?? {}) as { code?: number; reason?: string };
      resolve(`${code} ${reason}`);
    });
  });
  await connected(client);
  return { client, heard, end };
};

/** Lets the clock go on; what is asked then has been answered when this resolves. */
const goOn = async (millis: number): Promise<void> => {
  door.clock.now += millis;
  door.watched.tick();
  await new Promise(setImmediate);
};

describe('a page with a session', () => {
  test('hears what is its user’s, and nothing that is another’s', async () => {
    door = await openSessionDoor();
    const alice = await pageWith(await door.logIn('alice'));
    const bob = await pageWith(await door.logIn('bob'));
    expect([door.tell('for alice'), door.tell('for bob', 'test|bob')]).toEqual([1, 1]);
    await until(() => alice.heard.length + bob.heard.length === 2);
    expect([alice.heard, bob.heard]).toEqual([['for alice'], ['for bob']]);
  });

  test('polls with its cookie alone, and becomes a WebSocket', async () => {
    door = await openSessionDoor();
    const { client, heard } = await pageWith(await door.logIn('alice'), { transports: ['polling', 'websocket'] });
    door.tell('by a poll or not');
    await until(() => heard.length === 1 && client.io.engine.transport.name === 'websocket');
    expect(door.tell('by a WebSocket')).toBe(1);
    await until(() => heard.length === 2);
  });

  test('that comes back after its connection was lost is given what it missed', async () => {
    const memory = testHistory();
    door = await openSessionDoor({ door: { history: memory.history } });
    const { client, heard } = await pageWith(await door.logIn('alice'));
    const refs = memory.session('s1', 'test|alice');
    const say = (text: string) => door.channels.send('test|alice', { name: 'session_update', payload: { text } }, refs);
    say('heard');
    await until(() => heard.length === 1);
    client.io.engine.close();
    await until(() => door.count() === 0);
    say('missed');
    client.connect();
    await until(() => heard.length === 2);
    expect([heard, client.recovered]).toEqual([['heard', 'missed'], true]);
    memory.missed.close();
  });

  test('may show a token of its own user, and then lives as long as that', async () => {
    door = await openSessionDoor();
    const headers = await door.logIn('alice');
    const token = await door.issuer.token('alice', { expiresInSeconds: 600 });
    const page = await pageWith(headers, {}, { token });
    await goOn(601_000);
    expect(await page.end).toBe('4401 authority-expired');
  });
});

describe('a session that is used', () => {
  test('is good for its sockets beyond the time at which it would have ended', async () => {
    door = await openSessionDoor();
    const headers = await door.logIn('alice');
    const page = await pageWith(headers);
    for (let uses = 1; uses <= 4; uses += 1) {
      await goOn(IDLE_MILLIS - 60_000);
      // Another page of the same browser.
      (await pageWith(headers)).client.disconnect();
      await until(() => door.count() === 1);
    }
    expect([page.client.connected, door.tell('still here'), door.watched.size]).toEqual([true, 1, 1]);
    expect(door.lags).toEqual([]);
  });

  test('ends its sockets when it is used no longer: 4401, within a second', async () => {
    door = await openSessionDoor();
    const page = await pageWith(await door.logIn('alice'));
    await goOn(IDLE_MILLIS - 1_000);
    expect(page.client.connected).toBe(true);
    await goOn(1_100);
    expect(await page.end).toBe('4401 session-ended');
    expect([door.tell('too late'), door.reasons()]).toEqual([0, ['session-ended']]);
    expect(door.lags).toEqual([[expect.toSatisfy((late: number) => late <= 1_000), 'expiry']]);
  });

  test('is asked about at its provider when that is due, and its sockets go on or end with the answer', async () => {
    let answer: 'refused' | 'away' | 'good' = 'good';
    door = await openSessionDoor({
      async refresh() {
        if (answer === 'refused') return 'refused';
        if (answer === 'away') throw new Rejection('provider-unavailable', 'away');
        const refreshAtMillis = door.clock.now + 300_000;
        return { claims: undefined, refreshToken: 'r2', idToken: undefined, refreshAtMillis };
      },
    });
    const page = await pageWith(await door.logIn('alice', door.clock.now + 300_000));
    await goOn(300_100);
    await goOn(0);
    expect([page.client.connected, door.tell('refreshed')]).toEqual([true, 1]);
    answer = 'refused';
    await goOn(300_100);
    expect(await page.end).toBe('4401 session-ended');
    expect(door.count()).toBe(0);
  });
});

describe('a session of which nobody can say whether it goes on', () => {
  test('is good for its sockets for a while, and no longer', async () => {
    let isAway = false;
    door = await openSessionDoor({
      store: (store) => ({
        ...store,
        read: (digest) => (isAway ? Promise.reject(new Error('away')) : store.read(digest)),
      }),
    });
    const page = await pageWith(await door.logIn('alice'));
    isAway = true;
    await goOn(IDLE_MILLIS);
    for (let seconds = 0; seconds < 59; seconds += 1) await goOn(1_000);
    expect([page.client.connected, door.tell('nobody knows')]).toEqual([true, 1]);
    await goOn(2_000);
    expect(await page.end).toBe('4401 session-ended');
    expect(door.lags).toEqual([[expect.toSatisfy((late: number) => late <= 62_000), 'unanswered']]);
  });
});

describe('what a page is told that is not let in', () => {
  const codeOf = (error: { data?: unknown }) => (error.data as { code?: string } | undefined)?.code;

  test('whose session has ended: session-ended, in a CONNECT_ERROR and in the close frame', async () => {
    door = await openSessionDoor();
    const headers = await door.logIn('alice');
    await door.logOut('alice');
    expect(codeOf(await refusal(door.client(undefined, { extraHeaders: headers })))).toBe('session-ended');
    const raw = door.raw(undefined, headers);
    await until(() => raw.packets.length === 1);
    raw.socket.send('40');
    const [code, reason] = await once(raw.socket, 'close');
    expect([code, String(reason), door.failed]).toEqual([4401, 'session-ended', []]);
  });

  test('that has no session: token-missing, in both', async () => {
    door = await openSessionDoor();
    expect(codeOf(await refusal(door.client(undefined)))).toBe('token-missing');
    const raw = door.raw();
    await until(() => raw.packets.length === 1);
    raw.socket.send('40');
    const [code, reason] = await once(raw.socket, 'close');
    expect([code, String(reason), door.failed]).toEqual([4401, 'token-missing', []]);
  });

  test('while the store is away: nothing final, so that it comes back by itself', async () => {
    let isAway = true;
    door = await openSessionDoor({
      store: (store) => ({
        ...store,
        read: (digest) => (isAway ? Promise.reject(new Error('away')) : store.read(digest)),
      }),
    });
    const headers = await door.logIn('alice');
    // A session that is in use is good for some minutes without its store.
    door.clock.now += 301_000;
    const client = door.client(undefined, { extraHeaders: headers, reconnection: true, reconnectionDelay: 20 });
    await until(() => door.reasons().length >= 2);
    expect(new Set(door.reasons())).toEqual(new Set(['sessions-unavailable']));
    isAway = false;
    door.clock.now += 2_000;
    await until(() => client.connected);
  });

  test('that polls: 401 on each request, with the reason', async () => {
    door = await openSessionDoor();
    const headers = await door.logIn('alice');
    const sid = await door.polls.open({ headers });
    await door.logOut('alice');
    await door.nothingIsLeft();
    for (const answer of [await door.polls.ask({ headers }), await door.polls.poll(sid, { headers })])
      expect([answer.status, answer.code]).toEqual([401, 'session-ended']);
  });
});
