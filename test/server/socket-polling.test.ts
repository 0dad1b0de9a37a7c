import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { SocketRule } from '../../src/model/event.ts';
import { Rejection } from '../../src/model/rejection.ts';
import { lifetime } from '../../src/realtime/lifetime.ts';
import { openPollingDoor, type PollingDoor, token } from '../support/polling-door.ts';
import { pollingRule, socketRule } from '../support/session-events.ts';
import { connected, identifyByTable, principal, until } from '../support/socket-door.ts';

let door: PollingDoor;
afterEach(() => door.stop());

const bearer = { extraHeaders: { authorization: `Bearer ${token}` } };

describe('an answer', () => {
  test('is not stored, not guessed at and not compressed', async () => {
    door = await openPollingDoor();
    const headers = { 'accept-encoding': 'gzip, deflate' };
    const sid = await door.polls.open({ token });
    const answers = [await door.polls.post(sid, '40', { token, headers })];
    // What Socket.IO says itself comes first, then what is the gateway's own.
    answers.push(await door.polls.poll(sid, { token, headers }));
    await until(() => door.count() === 1);
    door.tell('x'.repeat(50_000));
    while (!answers.at(-1)?.body.includes('xxx')) answers.push(await door.polls.poll(sid, { token, headers }));
    answers.push(await door.polls.poll(sid, { headers }));
    expect(answers.map(({ status }) => status)).toEqual([...Array(answers.length - 1).fill(200), 401]);
    for (const { headers: one } of answers) {
      expect(one).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
      for (const name of ['content-encoding', 'set-cookie', 'access-control-allow-origin']) {
        expect(one[name]).toBeUndefined();
      }
    }
  });

  test('is given whatever busts a cache', async () => {
    door = await openPollingDoor();
    const sid = await door.polls.open({ token, more: '&t=abc.1' });
    expect((await door.polls.post(sid, '40', { token, more: '&t=abc.2' })).body).toBe('ok');
  });
});

describe('above the number of its address', () => {
  test('a session is refused, however few connections carry the others', async () => {
    door = await openPollingDoor({ maxSocketsPerAddress: 2 });
    const [first] = [await door.polls.open({ token }), await door.polls.open({ token: 'bob-token' })];
    const { status, code, headers, body } = await door.polls.ask({ token });
    expect([status, code]).toEqual([429, 'sockets-limited']);
    expect(headers['content-type']).toBe('application/problem+json');
    expect(JSON.parse(body)).toMatchObject({ detail: 'Too many connections are open.' });
    const raw = door.raw();
    await raw.closed;
    expect([raw.status(), JSON.parse(raw.body()).code]).toEqual([429, 'sockets-limited']);
    await door.polls.post(first, '1', { token });
    await until(() => door.open() === 1);
    await door.polls.open({ token });
  });

  test('the limit of knocks refuses a session too, but not what goes on', async () => {
    let left = 1;
    door = await openPollingDoor({
      limit() {
        if (left-- <= 0) throw new Rejection('rate-limited', 'visitors');
      },
    });
    const { sid } = await door.polls.join(token);
    const { status, code } = await door.polls.ask({ token });
    expect([status, code]).toEqual([429, 'rate-limited']);
    expect((await door.polls.post(sid, '42["ping",1]', { token })).status).toBe(200);
  });
});

describe('the token of a request', () => {
  const start = 1_000_000;
  let clock = start;
  let watched: ReturnType<typeof lifetime>;
  const tokens = new Map([
    ['short', principal('alice', start + 60_000)],
    ['long', principal('alice', start + 600_000)],
  ]);
  beforeEach(async () => {
    clock = start;
    watched = lifetime({ now: () => clock, slotMillis: 20 });
    door = await openPollingDoor({ now: () => clock, lifetime: watched, identify: identifyByTable(tokens) });
  });

  test('that expires ends the session and the poll that waits, and the next one is refused', async () => {
    const { sid } = await door.polls.join('short');
    const { answer: waiting } = await door.waitingPoll(sid, 'short');
    clock += 60_000;
    expect((await waiting).packets).toEqual(['6']);
    await door.nothingIsLeft();
    expect(door.reasons()).toEqual(['authority-expired']);
    expect(watched.size).toBe(0);
    const { status, code } = await door.polls.poll(sid, { token: 'short' });
    expect([status, code]).toEqual([401, 'token-expired']);
    expect((await door.polls.poll(sid, { token: 'long' })).code).toBe('session-unknown');
  });

  test('ends a session that nobody has connected to the namespace', async () => {
    const sid = await door.polls.open({ token: 'short' });
    const { answer: waiting } = await door.waitingPoll(sid, 'short');
    clock += 60_000;
    expect((await waiting).packets).toEqual(['6']);
    await door.nothingIsLeft();
  });

  test('is the last one that counts for the transport, `auth` for the socket', async () => {
    const sid = await door.polls.open({ token: 'short' });
    await door.polls.post(sid, '40{"token":"long"}', { token: 'short' });
    while (!(await door.polls.poll(sid, { token: 'long' })).body.includes('"connected"'));
    clock += 60_000;
    watched.tick();
    expect((await door.polls.post(sid, '42["ping",1]', { token: 'long' })).status).toBe(200);
    expect((await door.polls.poll(sid, { token: 'long' })).body).toBe('42["pong",1]');
    clock += 540_000;
    await door.nothingIsLeft();
  });

  test('may be a later one of the same user, and the session goes on with it', async () => {
    const { sid } = await door.polls.join('short');
    await door.polls.post(sid, '3', { token: 'long' });
    clock += 60_000;
    watched.tick();
    await door.polls.post(sid, '42["ping",1]', { token: 'long' });
    expect((await door.polls.poll(sid, { token: 'long' })).body).toBe('42["pong",1]');
    const { answer } = await door.waitingPoll(sid, 'long');
    clock += 540_000;
    expect((await answer).packets).toEqual(['6']);
    await door.nothingIsLeft();
    expect(watched.size).toBe(0);
  });

  test('does not end a session that has become a WebSocket, but the socket’s own does', async () => {
    const authorization = { extraHeaders: { authorization: 'Bearer short' } };
    const socket = door.client({ token: 'long' }, { transports: ['polling', 'websocket'], ...authorization });
    await connected(socket);
    await until(() => socket.io.engine.transport.name === 'websocket' && watched.size === 1);
    clock += 60_000;
    watched.tick();
    expect(watched.size).toBe(1);
    await socket.timeout(5_000).emitWithAck('ping', 1);
    clock += 540_000;
    await door.nothingIsLeft();
    expect(door.reasons()).toEqual(['authority-expired']);
  });

  test('that is taken back ends a WebSocket that would have gone on with it, but not one that has a later one', async () => {
    const opened = async (shown: string, auth: string) => {
      const more = { transports: ['polling', 'websocket'], extraHeaders: { authorization: `Bearer ${shown}` } };
      const socket = door.client({ token: auth }, more);
      await connected(socket);
      await until(() => socket.io.engine.transport.name === 'websocket');
    };
    await opened('long', 'short');
    await opened('short', 'long');
    await until(() => watched.size === 2);
    /** Takes a token back, and what was taken back is good again at once. */
    const end = (name: string): number => {
      const revoked = new Set([tokens.get(name)]);
      const ended = door.end((one) => revoked.has(one));
      revoked.clear();
      return ended;
    };
    expect(end('long')).toBe(2);
    await door.nothingIsLeft();
    await opened('short', 'long');
    await until(() => watched.size === 1);
    expect(end('short')).toBe(0);
    await opened('long', 'short');
    expect(end('short')).toBe(1);
  });

  test('that is taken back ends the session, connected or not', async () => {
    await door.waitingPoll(await door.polls.open({ token: 'short' }), 'short');
    await door.waitingPoll((await door.polls.join('long')).sid, 'long');
    expect(door.end(({ owner }) => owner === 'demo|bob')).toBe(0);
    expect(door.end(({ owner }) => owner === 'demo|alice')).toBe(2);
    await door.nothingIsLeft();
  });
});

describe('what a client says late to a session of its own', () => {
  test('is taken, or answered, without a word to anybody', async () => {
    const knocks: string[] = [];
    door = await openPollingDoor({ limit: (address) => void knocks.push(address) });
    const { sid } = await door.polls.join(token);
    await door.polls.post(sid, '1', { token });
    await door.nothingIsLeft();
    const [records, counted] = [door.records.length, knocks.length];
    const { status, body, headers } = await door.polls.post(sid, '42["ping",1]', { token });
    expect([status, body, headers['cache-control']]).toEqual([200, 'ok', 'no-store']);
    expect((await door.polls.poll(sid, { token })).code).toBe('session-unknown');
    expect([door.records.length, knocks.length]).toEqual([records, counted]);
    expect((await door.polls.post(sid, '42["ping",1]', { token: 'bob-token' })).code).toBe('session-unknown');
    expect([door.records.length, knocks.length]).toEqual([records + 1, counted + 1]);
  });

  test('is taken twenty times, and then costs what knocking costs', async () => {
    const knocks: string[] = [];
    door = await openPollingDoor({ limit: (address) => void knocks.push(address) });
    const sid = await door.polls.open({ token });
    await door.polls.post(sid, '1', { token });
    await door.nothingIsLeft();
    const [records, counted] = [door.records.length, knocks.length];
    const codes: unknown[] = [];
    for (let n = 0; n < 22; n += 1) codes.push((await door.polls.post(sid, '3', { token })).code);
    expect(codes).toEqual([...Array(20).fill(undefined), 'session-unknown', 'session-unknown']);
    expect([door.records.length, knocks.length]).toEqual([records + 2, counted + 2]);
  });

  test('is remembered of the last thousand', async () => {
    door = await openPollingDoor();
    const sids: string[] = [];
    for (let n = 0; n < 1_001; n += 1) {
      const sid = await door.polls.open({ token });
      await door.polls.post(sid, '1', { token });
      sids.push(sid);
    }
    await door.nothingIsLeft();
    const late = async (sid = '') => (await door.polls.post(sid, '3', { token })).status;
    expect([await late(sids[0]), await late(sids[1]), await late(sids[1_000])]).toEqual([400, 200, 200]);
  });
});

describe('when the policy lets nobody poll', () => {
  test('requests are what they are everywhere else, and no session can be named', async () => {
    door = await openPollingDoor({ rule: socketRule });
    expect((await door.polls.ask({ token })).status).toBe(404);
    const raw = door.raw('EIO=4&transport=websocket&sid=AAAAAAAAAAAAAAAAAAAA', { authorization: `Bearer ${token}` });
    await raw.closed;
    expect([raw.status(), door.reasons()]).toEqual([400, ['query-invalid']]);
  });

  test('any more, those who poll are ended, and those who do no longer go on', async () => {
    const transports: Set<'websocket' | 'polling'> = new Set(['websocket', 'polling']);
    const rule: SocketRule = { ...pollingRule, transports };
    door = await openPollingDoor({ rule });
    const upgraded = door.client(undefined, { transports: ['polling', 'websocket'], ...bearer });
    await connected(upgraded);
    await until(() => upgraded.io.engine.transport.name === 'websocket');
    const { sid } = await door.polls.join(token);
    const { answer: waiting } = await door.waitingPoll(sid);
    transports.delete('polling');
    door.rejudge();
    expect((await waiting).packets).toEqual(['6']);
    expect((await door.polls.poll(sid, { token })).status).toBe(404);
    await until(() => door.open() === 1);
    expect(upgraded.connected).toBe(true);
    expect(door.reasons()).toEqual(['route-unknown']);
  });
});

test('a replica that closes gives polls their end, refuses new sessions, and waits for nobody', async () => {
  door = await openPollingDoor();
  const { sid } = await door.polls.join(token);
  await door.polls.join('bob-token');
  const { answer: waiting } = await door.waitingPoll(sid);
  const closed = door.close();
  expect((await waiting).packets).toEqual(['6']);
  const late = await door.polls.ask({ token });
  expect([late.status, late.code]).toEqual([503, 'shutting-down']);
  await closed;
  expect(door.open()).toBe(0);
});
