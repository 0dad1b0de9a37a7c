import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, test } from 'vitest';
import { type Cohort, ENFORCED, type Mode, type Rollout } from '../../src/model/mode.ts';
import { Rejection } from '../../src/model/rejection.ts';
import type { RawRequest } from '../../src/model/request.ts';
import { lifetime } from '../../src/realtime/lifetime.ts';
import { canonical } from '../../src/server/canonical.ts';
import { connected, type Door, identifyByTable, openDoor, principal, refusal, until } from '../support/socket-door.ts';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

let door: Door;
afterEach(() => door.stop());

describe('a client', () => {
  test('has its ping answered with the same payload, and acknowledged when it asks', async () => {
    door = await openDoor();
    const client = door.client({ token: 'alice-token' });
    await connected(client);
    const pong = new Promise((resolve) => client.on('pong', resolve));
    const acknowledged = await client.emitWithAck('ping', { n: [1, null, 'x'] });
    expect(acknowledged).toBeUndefined();
    expect(await pong).toEqual({ n: [1, null, 'x'] });
  });

  test('that was let in is not held together with what it showed', async () => {
    const shown: Array<WeakRef<object>> = [];
    const read = canonical({ hosts: undefined, trustedProxies: [] });
    const remembering = (raw: RawRequest) => {
      const request = read(raw);
      shown.push(new WeakRef(request.headers));
      return request;
    };
    door = await openDoor({ canonical: remembering });
    await connected(door.client({ token: 'alice-token' }));
    await until(() => {
      collectGarbage();
      return shown.every((one) => one.deref() === undefined);
    });
    expect([shown.length, door.count()]).toEqual([1, 1]);
  });

  test('is told nothing about an event that is not listed, and is cut off after twenty', async () => {
    door = await openDoor();
    const client = door.client({ token: 'alice-token' });
    await connected(client);
    const gone = new Promise((resolve) => client.on('disconnect', resolve));
    for (let i = 0; i < 25; i += 1) client.emit('session_update', { session_id: 's1', type: 'done' });
    await gone;
    const refused = door.records.filter(({ kind }) => kind === 'event');
    expect(refused).toHaveLength(20);
    expect(refused[0]).toMatchObject({ outcome: 'refused', reason: 'event-refused', owner: 'demo|alice' });
    await until(() => door.count() === 0);
  });
});

describe('authority', () => {
  test('ends the transport when the token expires, so that the client comes back with a new one', async () => {
    let clock = 1_000_000;
    const watched = lifetime({ now: () => clock, slotMillis: 20 });
    const tokens = new Map([
      ['first', principal('alice', 1_060_000)],
      ['second', principal('alice', 9_000_000)],
    ]);
    door = await openDoor({ now: () => clock, lifetime: watched, identify: identifyByTable(tokens) });
    let token = 'first';
    const auth = (give: (auth: object) => void): void => give({ token });
    const client = door.client(auth, { reconnection: true, reconnectionDelay: 20 });
    await connected(client);
    const gone = new Promise((resolve) => client.once('disconnect', (...said) => resolve(said)));
    token = 'second';
    clock = 1_060_000;
    expect(await gone).toMatchObject(['transport close', { context: { code: 4401, reason: 'authority-expired' } }]);
    await until(() => client.connected);
    expect(door.reasons()).toEqual(['authority-expired']);
    expect(watched.size).toBe(1);
  });

  test('that has ended already is refused', async () => {
    door = await openDoor({ identify: () => principal('alice', Date.now() - 1) });
    expect((await refusal(door.client({ token: 'x' }))).data).toEqual({
      code: 'token-expired',
      message: 'The access token has expired.',
    });
  });

  test('that is taken back ends the sockets of that principal alone', async () => {
    door = await openDoor();
    const alice = door.client({ token: 'alice-token' });
    const bob = door.client({ token: 'bob-token' });
    await Promise.all([connected(alice), connected(bob)]);
    expect(door.end(({ owner }) => owner === 'demo|alice')).toBe(1);
    expect(door.channels.send('demo|alice', { name: 'session_update', payload: {} }, [])).toBe(0);
    await until(() => !alice.connected);
    expect(bob.connected).toBe(true);
  });
});

describe('where the policy is not in effect', () => {
  const SHADOW: Rollout = { mode: 'shadow', cohorts: [] };
  const aliceOnly = (mode: Mode): Cohort[] => [{ name: 'a', mode, has: ({ owner }) => owner === 'demo|alice' }];

  test.each([
    ['without a token', undefined, 'token-missing'],
    ['with a bad one', { token: 'forged' }, 'token-signature'],
    ['with one that is no text', { token: 7 }, 'token-malformed'],
  ])(
    'a client %s gets in, hears what is broadcast, and the record says why it would not have',
    async (_, auth, reason) => {
      door = await openDoor({ rollout: () => SHADOW });
      const client = door.client(auth, { extraHeaders: { 'user-agent': 'old page' } });
      const heard = new Promise((resolve) => client.on('session_update', resolve));
      await connected(client);
      await until(() => door.count() === 1);
      expect(door.channels.broadcast({ name: 'session_update', payload: { n: 1 } })).toBe(1);
      expect(await heard).toEqual({ n: 1 });
      expect(door.records).toMatchObject([
        {
          kind: 'socket',
          outcome: 'allowed',
          mode: 'shadow',
          client: 'old page',
          findings: [{ would: 'deny', reason }],
        },
      ]);
    },
  );

  test('a client without a token is let in unjudged when the mode is off', async () => {
    door = await openDoor({ rollout: () => ({ mode: 'off', cohorts: [] }) });
    await connected(door.client(undefined));
    expect(door.records).toMatchObject([{ outcome: 'allowed', mode: 'off' }]);
    expect(door.records[0]).not.toHaveProperty('findings');
    expect([door.channels.broadcast({ name: 'e', payload: {} }), door.channels.inShadow(undefined).all]).toEqual([
      1, 0,
    ]);
  });

  test('a cohort that is enforced hears its own alone, and one that is not hears all while others are refused', async () => {
    let rollout: Rollout = { mode: 'shadow', cohorts: aliceOnly('enforce') };
    door = await openDoor({ rollout: () => rollout });
    await Promise.all([
      connected(door.client({ token: 'alice-token' })),
      connected(door.client({ token: 'bob-token' })),
    ]);
    await until(() => door.count() === 2);
    expect(door.channels.broadcast({ name: 'e', payload: {} })).toBe(1);
    expect(door.channels.send('demo|alice', { name: 'e', payload: {} }, [])).toBe(1);
    rollout = { mode: 'enforce', cohorts: aliceOnly('shadow') };
    expect(door.channels.broadcast({ name: 'e', payload: {} })).toBe(1);
    expect((await refusal(door.client(undefined))).data).toMatchObject({ code: 'token-missing' });
  });

  test('the number of sockets of an owner holds all the same', async () => {
    door = await openDoor({ rollout: () => SHADOW, maxSocketsPerOwner: 1 });
    await connected(door.client({ token: 'alice-token' }));
    expect((await refusal(door.client({ token: 'alice-token' }))).data).toMatchObject({ code: 'sockets-limited' });
  });

  test('a change to enforce ends the sockets of the unknown, so that they come back, and no other', async () => {
    let rollout = SHADOW;
    door = await openDoor({ rollout: () => rollout });
    const alice = door.client({ token: 'alice-token' });
    let auth: object = {};
    const give = (hand: (auth: object) => void): void => hand(auth);
    const nobody = door.client(give, { reconnection: true, reconnectionDelay: 20 });
    await Promise.all([connected(alice), connected(nobody)]);
    await until(() => door.count() === 2);
    const gone = new Promise((resolve) => nobody.once('disconnect', resolve));
    auth = { token: 'bob-token' };
    rollout = ENFORCED;
    door.rejudge();
    expect(await gone).toBe('transport close');
    await until(() => nobody.connected && door.count() === 2);
    expect(door.reasons()).toEqual(['token-missing']);
    expect(door.records.filter(({ owner }) => owner === 'demo|alice')).toHaveLength(1);
    expect([
      alice.connected,
      door.channels.broadcast({ name: 'e', payload: {} }),
      door.channels.send('demo|alice', { name: 'e', payload: {} }, []),
    ]).toEqual([true, 0, 1]);
  });

  test('a change between being let in and being welcomed is noticed too', async () => {
    let rollout = SHADOW;
    const identify = (): never => {
      process.nextTick(() => {
        rollout = ENFORCED;
      });
      throw new Rejection('token-signature', 'forged');
    };
    door = await openDoor({ identify, rollout: () => rollout });
    const client = door.client({ token: 'forged' });
    const gone = new Promise((resolve) => client.once('disconnect', resolve));
    expect(await gone).toBe('transport close');
    expect(door.records).toMatchObject([{ outcome: 'refused', reason: 'token-signature' }]);
    expect(door.count()).toBe(0);
  });

  test('a change is noticed by the next broadcast at the latest, before anybody hears it', async () => {
    let rollout = SHADOW;
    door = await openDoor({ rollout: () => rollout });
    const nobody = door.client(undefined);
    const heard: unknown[] = [];
    nobody.on('session_update', (payload) => heard.push(payload));
    await connected(nobody);
    await until(() => door.count() === 1);
    rollout = ENFORCED;
    expect(door.channels.broadcast({ name: 'session_update', payload: {} })).toBe(0);
    await until(() => !nobody.connected);
    expect([heard, door.reasons()]).toEqual([[], ['token-missing']]);
  });

  test('a token that expires leaves somebody unknown, who is ended when the policy is in effect', async () => {
    let clock = 1_000_000;
    let rollout = SHADOW;
    const watched = lifetime({ now: () => clock, slotMillis: 20 });
    const identify = identifyByTable(new Map([['short', principal('alice', 1_060_000)]]));
    door = await openDoor({ now: () => clock, lifetime: watched, identify, rollout: () => rollout });
    const client = door.client({ token: 'short' }, { extraHeaders: { 'user-agent': 'old page' } });
    await connected(client);
    await until(() => door.count() === 1);
    expect(door.channels.inShadow('demo|alice')).toEqual({ all: 1, others: 0 });
    clock = 1_060_000;
    await until(() => watched.size === 0);
    expect([client.connected, door.channels.inShadow('demo|alice')]).toEqual([true, { all: 1, others: 1 }]);
    expect(door.channels.send('demo|alice', { name: 'e', payload: {} }, [])).toBe(0);
    expect(door.records.at(-1)).toMatchObject({
      ...{ outcome: 'allowed', owner: 'demo|alice', mode: 'shadow', client: 'old page', address: '127.0.0.1' },
      findings: [{ would: 'deny', reason: 'authority-expired' }],
    });
    rollout = ENFORCED;
    door.rejudge();
    await until(() => !client.connected);
    expect(door.reasons()).toEqual(['authority-expired']);
  });

  test('a token of an enforced cohort that expires ends its socket', async () => {
    let clock = 1_000_000;
    const watched = lifetime({ now: () => clock, slotMillis: 20 });
    const identify = identifyByTable(new Map([['short', principal('alice', 1_060_000)]]));
    const rollout: Rollout = { mode: 'shadow', cohorts: aliceOnly('enforce') };
    door = await openDoor({ now: () => clock, lifetime: watched, identify, rollout: () => rollout });
    const client = door.client({ token: 'short' });
    await connected(client);
    clock = 1_060_000;
    await until(() => !client.connected);
    expect(door.reasons()).toEqual(['authority-expired']);
  });

  test('packets are paced and capped as ever', async () => {
    door = await openDoor({ rollout: () => SHADOW, perSecond: 1, burst: 5 });
    const client = door.client(undefined);
    await connected(client);
    for (let i = 0; i < 10; i += 1) client.emit('ping', {});
    await until(() => !client.connected);
    expect(door.reasons()).toEqual(['rate-limited']);
  });
});
