/** An Engine.IO session id is a bearer credential to whoever knows it, unless each request says whose it is. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { startStandIn } from '../../demo/jaaz/server.ts';
import type { SocketRule } from '../../src/model/event.ts';
import type { Rollout } from '../../src/model/mode.ts';
import { type Poller, poller } from '../support/poller.ts';
import { pollingRule } from '../support/session-events.ts';
import { type Door, openDoor, until } from '../support/socket-door.ts';

let door: Door;
let alice: Poller;
let mallory: Poller;
afterEach(async () => {
  await Promise.all([alice?.leave(), mallory?.leave()]);
  await door?.stop();
});

const open = async (more: { rollout?: () => Rollout; rule?: SocketRule } = {}) => {
  door = await openDoor({ rule: pollingRule, ...more });
  alice = poller(door.port);
  mallory = poller(door.port);
};

const event = (text: string) => ({ name: 'session_update', payload: { text } });

/** A WebSocket that says the id of a session, and what it got. */
const tryUpgrade = async (sid: string, headers: Record<string, string>) => {
  const raw = door.raw(`EIO=4&transport=websocket&sid=${sid}`, headers);
  raw.socket.on('open', () => raw.socket.send('2probe'));
  await Promise.race([raw.closed, until(() => raw.packets.length > 0)]);
  const { code } = raw.body() === '' ? { code: undefined } : (JSON.parse(raw.body()) as { code: string });
  return { ...raw, code };
};

test('on the bare server whoever knows the id of a session hears it and speaks for it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'bare-'));
  const upstream = await startStandIn({ dataDir: folder });
  const port = Number(new URL(upstream.url).port);
  const [victim, thief] = [poller(port), poller(port)];
  const sid = await victim.open();
  expect((await thief.post(sid, '40')).body).toBe('ok');
  await thief.poll(sid);
  upstream.broadcast('session_update', { text: 'PRIVATE' });
  await until(() => upstream.sockets() > 0);
  expect((await thief.poll(sid)).body).toContain('PRIVATE');
  victim.close();
  thief.close();
  await upstream.close();
  rmSync(folder, { recursive: true });
});

describe('the id of another’s session', () => {
  test.each([
    ['a poll', (sid: string) => mallory.poll(sid, { token: 'bob-token' })],
    ['packets', (sid: string) => mallory.post(sid, '41', { token: 'bob-token' })],
  ])('is of no use for %s, and the session goes on', async (_, attempt) => {
    await open();
    const { sid } = await alice.join('alice-token');
    const answer = await attempt(sid);
    expect([answer.status, answer.code]).toEqual([400, 'session-unknown']);
    const waiting = alice.poll(sid, { token: 'alice-token' });
    door.channels.send('demo|alice', event('PRIVATE'), []);
    expect((await waiting).body).toContain('PRIVATE');
    expect(answer.body).not.toContain('PRIVATE');
  });

  test('is of no use for its WebSocket', async () => {
    await open();
    const { sid } = await alice.join('alice-token');
    const { packets, code, status } = await tryUpgrade(sid, { authorization: 'Bearer bob-token' });
    expect([status(), code, packets]).toEqual([400, 'session-unknown', []]);
    expect(door.reasons()).toEqual(['session-unknown']);
  });

  test.each([
    ['no token', undefined, 'token-missing'],
    ['a forged token', 'mallory', 'token-signature'],
  ])('is of no use with %s', async (_, token, code) => {
    await open();
    const { sid } = await alice.join('alice-token');
    for (const answer of [await mallory.poll(sid, { token }), await mallory.post(sid, '41', { token })]) {
      expect([answer.status, answer.code]).toEqual([401, code]);
      if (token === undefined) expect(answer.headers['www-authenticate']).toBe('Bearer realm="jaaz-gateway"');
    }
    const attempt = await tryUpgrade(sid, token === undefined ? {} : { authorization: `Bearer ${token}` });
    expect([attempt.status(), attempt.code]).toEqual([401, code]);
    expect(door.count()).toBe(1);
  });

  test('cannot be told from one that is closed or was never given', async () => {
    await open();
    const { sid } = await alice.join('alice-token');
    const closed = await alice.open({ token: 'alice-token' });
    await alice.post(closed, '1', { token: 'alice-token' });
    await until(() => door.open() === 1);
    for (const ask of [mallory.poll, (one: string, more: object) => mallory.post(one, '2["ping"]', more)]) {
      const seen = new Set<string>();
      for (const tried of [sid, closed, 'AAAAAAAAAAAAAAAAAAAA', '', '__proto__', 'constructor']) {
        const { status, body, headers } = await ask(tried, { token: 'bob-token' });
        const { 'x-request-id': id, date, ...others } = headers;
        seen.add(JSON.stringify([status, body.replace(String(id), 'ID'), others]));
      }
      expect([...seen]).toEqual([expect.stringContaining('session-unknown')]);
    }
  });

  test('counts like any other knock of its address, whichever it is', async () => {
    const asked: string[] = [];
    door = await openDoor({ rule: pollingRule, limit: (address) => void asked.push(address) });
    [alice, mallory] = [poller(door.port), poller(door.port)];
    const { sid } = await alice.join('alice-token');
    expect(asked).toHaveLength(1);
    await alice.post(sid, '42["ping",1]', { token: 'alice-token' });
    await mallory.poll(sid, { token: 'bob-token' });
    await mallory.poll('AAAAAAAAAAAAAAAAAAAA', { token: 'bob-token' });
    await mallory.poll(sid);
    await tryUpgrade(sid, { authorization: 'Bearer bob-token' });
    expect(asked).toEqual(Array(5).fill('127.0.0.1'));
  });

  test('is in no answer, and no token is in a record', async () => {
    await open();
    const { sid } = await alice.join('alice-token');
    const { body } = await mallory.poll(sid, { token: 'mallory-secret' });
    expect(body).not.toContain(sid);
    expect(JSON.stringify(door.records)).not.toMatch(new RegExp(`mallory-secret|alice-token|${sid}`));
  });
});

describe('a token in `auth`', () => {
  test('that is another’s does not make a session theirs', async () => {
    await open();
    const sid = await alice.open({ token: 'alice-token' });
    await alice.post(sid, '40{"token":"bob-token"}', { token: 'alice-token' });
    const { body } = await alice.poll(sid, { token: 'alice-token' });
    expect(body).toContain('44{"message":"The access token is of another user.","data":{"code":"token-other-owner"');
    expect(door.channels.send('demo|bob', event('PRIVATE'), [])).toBe(0);
    await until(() => door.open() === 0);
  });

  test('that is good does not replace the one of a request', async () => {
    await open();
    const answer = await mallory.ask({});
    expect([answer.status, answer.code]).toEqual([401, 'token-missing']);
    expect(door.open()).toBe(0);
  });
});

describe('where the policy is in effect for nobody', () => {
  const SHADOW: Rollout = { mode: 'shadow', cohorts: [] };

  test('a session that somebody opened is theirs all the same', async () => {
    await open({ rollout: () => SHADOW });
    const { sid } = await alice.join('alice-token');
    for (const token of [undefined, 'forged', 'bob-token']) {
      const answer = await mallory.poll(sid, { token });
      expect([answer.status, answer.code]).toEqual([400, 'session-unknown']);
    }
    expect((await tryUpgrade(sid, {})).code).toBe('session-unknown');
  });

  test('a session that nobody opened stays nobody’s, whatever its client shows later', async () => {
    await open({ rollout: () => SHADOW });
    const sid = await mallory.open({});
    await mallory.post(sid, '40{"token":"alice-token"}', {});
    await until(() => door.count() === 1);
    expect(door.channels.send('demo|alice', event('PRIVATE'), [])).toBe(0);
    expect(door.records.at(-1)).toMatchObject({ owner: undefined, findings: [{ reason: 'token-missing' }] });
    const answer = await mallory.poll(sid, { token: 'alice-token' });
    expect([answer.status, answer.code]).toEqual([400, 'session-unknown']);
    expect((await mallory.poll(sid, { token: 'forged' })).status).toBe(200);
  });

  test('it is refused again as soon as the policy is', async () => {
    let rollout = SHADOW;
    await open({ rollout: () => rollout });
    const sid = await mallory.open({});
    await mallory.post(sid, '40', {});
    await until(() => door.count() === 1);
    rollout = { mode: 'enforce', cohorts: [] };
    door.rejudge();
    expect((await mallory.poll(sid)).code).toBe('token-missing');
    await until(() => door.open() === 0);
  });
});

test('a page of another site can open and use no session, and is offered none', async () => {
  await open();
  const { sid } = await alice.join('alice-token');
  const headers = { origin: 'https://evil.example' };
  for (const asking of [{ headers }, { headers, sid }, { headers, sid, method: 'POST', body: '41' }]) {
    const answer = await mallory.ask({ token: 'alice-token', ...asking });
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    expect(answer.status).toBeGreaterThanOrEqual(400);
  }
  expect(door.reasons()).toContain('origin-refused');
  const asked = { 'access-control-request-method': 'GET', 'access-control-request-headers': 'authorization' };
  const preflight = await mallory.ask({ method: 'OPTIONS', headers: { ...headers, ...asked } });
  expect(preflight.status).toBe(400);
  expect(Object.keys(preflight.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  expect(door.count()).toBe(1);
});

test.each(['&j=0', '&j=___eio[0]', '&b64=1'])(
  'an answer that a page could include as a script is not given: %s',
  async (more) => {
    await open();
    const answer = await mallory.ask({ token: 'alice-token', more });
    expect([answer.status, answer.code]).toEqual([400, 'query-invalid']);
  },
);

test('two WebSockets are not taken for one session, and the first goes on', async () => {
  await open();
  const { sid } = await alice.join('alice-token');
  const headers = { authorization: 'Bearer alice-token' };
  const first = await tryUpgrade(sid, headers);
  expect(first.packets).toEqual(['3probe']);
  const second = await tryUpgrade(sid, headers);
  expect([second.status(), second.code]).toEqual([400, 'session-busy']);
  first.socket.send('5');
  first.socket.send('42["ping",1]');
  await until(() => first.packets.includes('42["pong",1]'));
  const late = await tryUpgrade(sid, headers);
  expect(late.code).toBe('session-unknown');
  expect((await alice.poll(sid, { token: 'alice-token' })).code).toBe('session-unknown');
  expect(first.socket.readyState).toBe(WebSocket.OPEN);
  first.socket.terminate();
  await until(() => door.open() === 0);
});
