import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, test } from 'vitest';
import { inbound } from '../../src/realtime/inbound.ts';
import { lifetime } from '../../src/realtime/lifetime.ts';
import { canonical } from '../../src/server/canonical.ts';
import { ownerChannels } from '../../src/server/socket-channels.ts';
import { cut, type Door as Given, leave } from '../../src/server/socket-door.ts';
import type { Link, LinkNote } from '../../src/server/socket-link.ts';
import { tally } from '../../src/server/socket-tally.ts';
import { socketRule } from '../support/session-events.ts';
import { connected, type Door, identifyByTable, openDoor, until } from '../support/socket-door.ts';

describe('the end of a connection', () => {
  let door: Door;
  afterEach(() => door.stop());

  type End = (door: Door) => unknown;
  const ends: ReadonlyArray<readonly [string, End, number, string]> = [
    ['a revocation', (one) => one.end(() => true), 4401, 'token-revoked'],
    ['a restart', (one) => one.close(), 1012, 'shutting-down'],
  ];

  test.each(ends)('by %s is told to the standard client, which comes back', async (_, end, code, reason) => {
    door = await openDoor();
    const client = door.client({ token: 'alice-token' }, { reconnection: true, reconnectionDelay: 60_000 });
    await connected(client);
    const told = new Promise((resolve) => client.once('disconnect', (...said) => resolve(said)));
    await until(() => door.count() === 1);
    end(door);
    expect(await told).toMatchObject(['transport close', { context: { code, reason } }]);
    expect(client.active).toBe(true);
    await until(() => door.open() === 0);
  });

  test.each(ends)('by %s is a close frame behind what was said before', async (_, end, code, reason) => {
    door = await openDoor();
    const raw = door.raw();
    const closing = new Promise((resolve) => raw.socket.on('close', (...said) => resolve(said)));
    await until(() => raw.packets.length === 1);
    raw.socket.send('40{"token":"alice-token"}');
    await until(() => door.count() === 1);
    door.channels.send('demo|alice', { name: 'session_update', payload: { last: 'x'.repeat(500_000) } }, []);
    end(door);
    expect(await closing).toEqual([code, Buffer.from(reason)]);
    expect(raw.packets.at(-1)).toMatch(/^42\["session_update",\{"last":"x+"\}\]$/);
    await until(() => door.open() === 0);
  });

  test('by too many refused events is told too', async () => {
    door = await openDoor();
    const client = door.client({ token: 'alice-token' });
    await connected(client);
    const told = new Promise((resolve) => client.once('disconnect', (...said) => resolve(said)));
    for (let i = 0; i < 20; i += 1) client.emit('unheard of');
    expect(await told).toMatchObject(['transport close', { context: { code: 4403, reason: 'event-refused' } }]);
  });

  test('in a restart waits for what a client has not read yet, but not for ever', async () => {
    let waiting = 0;
    door = await openDoor({
      backlog: {
        add(bytes) {
          waiting += bytes;
        },
      },
    });
    const sockets = [door.raw(), door.raw()];
    for (const { socket, packets } of sockets) {
      await until(() => packets.length === 1);
      socket.send('40{"token":"alice-token"}');
    }
    await until(() => door.count() === 2);
    const [reader, sleeper] = sockets;
    const closing = new Promise((resolve) => reader?.socket.on('close', (code) => resolve(code)));
    for (const { socket } of sockets) socket.pause();
    const payload = { last: 'x'.repeat(1 << 20) };
    for (let i = 0; i < 30; i += 1) door.channels.send('demo|alice', { name: 'e', payload }, []);
    await until(() => waiting > 30 << 20);
    const closed = door.close();
    reader?.socket.resume();
    expect(await closing).toBe(1012);
    expect(reader?.packets.filter((text) => text.startsWith('42["e"'))).toHaveLength(30);
    await closed;
    expect(waiting).toBe(0);
    sleeper?.socket.terminate();
  });
});

describe('a socket that is sent away', () => {
  /** A link whose libraries never notice that it was closed. */
  const deaf = () => {
    const notes: LinkNote[] = [];
    const closes: unknown[] = [];
    const channels = ownerChannels();
    const socket = { close: (...said: unknown[]) => void closes.push(said), on: () => 0, prependListener: () => 0 };
    const conn = {
      ...{ transport: { name: 'websocket', socket }, request: {} },
      ...{ write: () => 0, on: () => 0, close: () => socket.close() },
    };
    const finish = (given: () => void): void => given();
    const member = { send: () => undefined, mayReply: () => true, drop: () => undefined, finish };
    const request = canonical({ hosts: undefined, trustedProxies: [] })({
      ...{ method: 'GET', target: '/socket.io/', rawHeaders: ['host', 'a.example'], remoteAddress: '192.0.2.1' },
    });
    const options = {
      ...{ rule: socketRule, identify: identifyByTable(), lifetime: lifetime() },
      inbound: inbound({ accept: socketRule.accept }),
    };
    const given: Given = {
      ...{ options, channels, byOwner: tally(1), now: Date.now, modeOf: () => 'enforce', isRevoked: () => false },
      record: { link: (_, note) => void notes.push(note), refused: () => undefined },
    };
    const link: Link = {
      ...{ request, duplex: new PassThrough(), judge: options.inbound(), startedMillis: 0, conn, peer: member },
      ...{ principal: undefined, limited: undefined, denials: [], unwatch: undefined, ended: false },
      seat: channels.add(member, 'demo|alice', 'enforce'),
    };
    return { given, link, notes, closes, channels };
  };

  test('leaves its channel at once, whatever its libraries notice', () => {
    const { given, link, closes, channels, notes } = deaf();
    leave(given, link, 'authority-expired');
    expect([channels.size, closes, notes]).toEqual([0, [[4401, 'authority-expired']], []]);
  });

  test('for abuse leaves it too, with one record and the reason of that', () => {
    const { given, link, closes, channels, notes } = deaf();
    const note = { outcome: 'refused', reason: 'rate-limited', detail: 'packets' } as const;
    cut(given, link, note);
    expect([channels.size, closes, notes]).toEqual([0, [[4429, 'rate-limited']], [note]]);
    cut(given, link, note);
    expect([notes.length, link.duplex.destroyed]).toEqual([1, true]);
  });
});
