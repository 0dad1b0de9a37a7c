import { afterEach, describe, expect, test } from 'vitest';
import { lifetime } from '../../src/realtime/lifetime.ts';
import { connected, type Door, openDoor, principal, refusal, until, verifyByTable } from '../support/socket-door.ts';

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
    door = await openDoor({ now: () => clock, lifetime: watched, verify: verifyByTable(tokens) });
    let token = 'first';
    const auth = (give: (auth: object) => void): void => give({ token });
    const client = door.client(auth, { reconnection: true, reconnectionDelay: 20 });
    await connected(client);
    const gone = new Promise((resolve) => client.once('disconnect', resolve));
    token = 'second';
    clock = 1_060_000;
    expect(await gone).toBe('transport close');
    await until(() => client.connected);
    expect(door.reasons()).toEqual(['authority-expired']);
    expect(watched.size).toBe(1);
  });

  test('that has ended already is refused', async () => {
    door = await openDoor({ verify: () => principal('alice', Date.now() - 1) });
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
    expect(door.channels.send('demo|alice', 'session_update', {})).toBe(0);
    await until(() => !alice.connected);
    expect(bob.connected).toBe(true);
  });
});
