import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/model/json.ts';
import type { Cohort } from '../../src/model/mode.ts';
import { Rejection } from '../../src/model/rejection.ts';
import { connected, type Door, identifyByTable, openDoor, refusal, until } from '../support/socket-door.ts';

let door: Door;
afterEach(() => door.stop());

describe('a connection', () => {
  test('is greeted as the upstream greets, and counted', async () => {
    door = await openDoor();
    const client = door.client({ token: 'alice-token' });
    const greeting = new Promise((resolve) => client.on('connected', resolve));
    await connected(client);
    expect(await greeting).toEqual({ status: 'connected' });
    expect(door.count()).toBe(1);
    expect(door.records).toMatchObject([
      { kind: 'socket', outcome: 'allowed', owner: 'demo|alice', path: '/socket.io/' },
    ]);
  });

  test('may show its token in the Authorization header', async () => {
    door = await openDoor();
    const client = door.client(undefined, { extraHeaders: { authorization: 'Bearer bob-token' } });
    await connected(client);
    expect(door.records.at(-1)?.owner).toBe('demo|bob');
  });

  test('leaves nothing behind when it is over', async () => {
    door = await openDoor({ maxSocketsPerOwner: 1, maxSocketsPerAddress: 1 });
    for (let i = 0; i < 3; i += 1) {
      const client = door.client({ token: 'alice-token' });
      await connected(client);
      client.disconnect();
      await until(() => door.open() === 0 && door.transports.size === 0);
      expect(door.count()).toBe(0);
    }
  });

  test('waits for an identification that takes its time', async () => {
    const identify = identifyByTable();
    door = await openDoor({
      async identify(request, token) {
        await new Promise(setImmediate);
        return identify(request, token);
      },
    });
    await connected(door.client({ token: 'alice-token' }));
    expect(door.count()).toBe(1);
  });

  test('is closed, not refused, while tokens cannot be verified, so that its client comes back', async () => {
    let isDown = true;
    const identify = identifyByTable();
    door = await openDoor({
      identify(request, token) {
        if (isDown) throw new Rejection('keys-unavailable', 'no keys');
        return identify(request, token);
      },
    });
    const client = door.client({ token: 'alice-token' }, { reconnection: true, reconnectionDelay: 20 });
    await until(() => door.reasons().length >= 2);
    expect(new Set(door.reasons())).toEqual(new Set(['keys-unavailable']));
    isDown = false;
    await until(() => client.connected);
  });

  test('is closed without an answer when identifying fails in a way that nobody foresaw', async () => {
    door = await openDoor({
      identify() {
        throw new Error('boom');
      },
    });
    const raw = door.raw();
    await until(() => raw.packets.length === 1);
    raw.socket.send('40{"token":"x"}');
    await raw.closed;
    expect(raw.packets.slice(1)).toEqual([]);
    expect(door.records).toMatchObject([{ outcome: 'failed', reason: 'internal-error', status: 500 }]);
  });

  test('is ended when it never says who it is', async () => {
    door = await openDoor({ connectMillis: 50 });
    const raw = door.raw();
    await raw.closed;
    await until(() => door.open() === 0);
  });

  test('that is refused is told why by its close frame too', async () => {
    door = await openDoor();
    const raw = door.raw();
    await until(() => raw.packets.length === 1);
    raw.socket.send('40{"token":"forged"}');
    const [code, reason] = await once(raw.socket, 'close');
    expect([raw.packets.at(-1), code, String(reason)]).toEqual([
      '44{"message":"The access token is not valid.","data":{"code":"token-signature","message":"The access token is not valid."}}',
      4401,
      'token-signature',
    ]);
  });

  test('is refused above the number for its owner', async () => {
    door = await openDoor({ maxSocketsPerOwner: 2 });
    await connected(door.client({ token: 'alice-token' }));
    await connected(door.client({ token: 'alice-token' }));
    expect((await refusal(door.client({ token: 'alice-token' }))).data).toMatchObject({ code: 'sockets-limited' });
    await connected(door.client({ token: 'bob-token' }));
    expect(door.count()).toBe(3);
  });

  test('is refused above the number for its address, with a status', async () => {
    door = await openDoor({ maxSocketsPerAddress: 1 });
    await connected(door.client({ token: 'alice-token' }));
    const raw = door.raw();
    await raw.closed;
    expect(raw.status()).toBe(429);
    expect(JSON.parse(raw.body())).toMatchObject({
      status: 429,
      code: 'sockets-limited',
      requestId: door.records.at(-1)?.requestId,
    });
  });

  test('is refused when the limit of its address says so', async () => {
    door = await openDoor({
      limit: async () => {
        throw new Rejection('failures-limited', 'too many');
      },
    });
    const raw = door.raw();
    await raw.closed;
    expect(raw.status()).toBe(429);
    expect(door.reasons()).toEqual(['failures-limited']);
    await until(() => door.transports.size === 0);
  });
});

describe('a limit of its address', () => {
  const limit = async (): Promise<void> => {
    throw new Rejection('rate-limited', 'visitors');
  };
  const bob: Cohort = { name: 'bob', mode: 'enforce', has: ({ owner }) => owner === 'demo|bob' };

  test('is recorded, not done, where the policy is not in effect, but holds for a caller for whom it is', async () => {
    door = await openDoor({ limit, rollout: () => ({ mode: 'shadow', cohorts: [bob] }) });
    await connected(door.client(undefined));
    await connected(door.client({ token: 'alice-token' }));
    expect((await refusal(door.client({ token: 'bob-token' }))).data).toMatchObject({ code: 'rate-limited' });
    expect(
      door.records.map(({ outcome, findings }) => [outcome, findings?.map((one) => 'reason' in one && one.reason)]),
    ).toEqual([
      ['allowed', ['rate-limited', 'token-missing']],
      ['allowed', ['rate-limited']],
      ['refused', undefined],
    ]);
  });

  test('of sockets holds in every mode', async () => {
    door = await openDoor({ maxSocketsPerAddress: 1, rollout: () => ({ mode: 'off', cohorts: [] }) });
    await connected(door.client(undefined));
    const raw = door.raw();
    await raw.closed;
    expect(raw.status()).toBe(429);
  });
});

describe('a channel', () => {
  test('carries events to every socket of its owner and to no other', async () => {
    door = await openDoor();
    const heard: string[] = [];
    for (const [name, token] of [
      ['alice 1', 'alice-token'],
      ['alice 2', 'alice-token'],
      ['bob', 'bob-token'],
    ] as const) {
      const client = door.client({ token });
      client.on('session_update', (payload) => heard.push(`${name}: ${payload.text}`));
      await connected(client);
    }
    expect(door.channels.send('demo|alice', { name: 'session_update', payload: { text: 'one' } }, [])).toBe(2);
    expect(door.channels.send('demo|bob', { name: 'session_update', payload: { text: 'two' } }, [])).toBe(1);
    expect(door.channels.send('demo|carol', { name: 'session_update', payload: { text: 'three' } }, [])).toBe(0);
    await until(() => heard.length === 3);
    expect(heard.sort()).toEqual(['alice 1: one', 'alice 2: one', 'bob: two']);
  });

  test.each([0, 90, 200, 70_000, 20_000_000])('carries a text of %i characters whole', async (length) => {
    door = await openDoor();
    const client = door.client({ token: 'alice-token' });
    await connected(client);
    const arrived = new Promise<JsonObject>((resolve) => client.on('session_update', resolve));
    const text = 'é'.repeat(length / 2);
    door.channels.send('demo|alice', { name: 'session_update', payload: { text } }, []);
    expect((await arrived).text === text).toBe(true);
  });

  test('keeps the order of events', async () => {
    door = await openDoor();
    const client = door.client({ token: 'alice-token' });
    await connected(client);
    const heard: number[] = [];
    client.on('session_update', ({ n }) => heard.push(n));
    for (let n = 0; n < 2_000; n += 1) door.channels.send('demo|alice', { name: 'session_update', payload: { n } }, []);
    await until(() => heard.length === 2_000);
    expect(heard).toEqual(Array.from({ length: 2_000 }, (_, n) => n));
  });
});

describe('close', () => {
  test('ends every transport, refuses new ones, and resolves', async () => {
    door = await openDoor();
    const clients = [door.client({ token: 'alice-token' }), door.client({ token: 'bob-token' })];
    const silent = door.raw();
    await Promise.all([...clients.map(connected), until(() => silent.packets.length === 1)]);
    await door.close();
    expect(door.open()).toBe(0);
    const late = door.raw();
    await late.closed;
    expect(late.status()).toBe(503);
  });
});
