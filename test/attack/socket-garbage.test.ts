import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { inbound } from '../../src/realtime/inbound.ts';
import { connected, type Door, openDoor, until } from '../support/socket-door.ts';

let door: Door;
const thrown: unknown[] = [];
const note = (error: unknown): void => void thrown.push(error);

beforeEach(() => {
  thrown.length = 0;
  process.on('uncaughtException', note);
  process.on('unhandledRejection', note);
});

afterEach(async () => {
  process.off('uncaughtException', note);
  process.off('unhandledRejection', note);
  await door.stop();
});

const stillServes = async (): Promise<void> => {
  const client = door.client({ token: 'alice-token' });
  await connected(client);
  const pong = new Promise((resolve) => client.on('pong', resolve));
  client.emit('ping', 'alive');
  expect(await pong).toBe('alive');
  expect(thrown).toEqual([]);
  client.disconnect();
  await until(() => door.open() === 0);
};

/** A small generator of its own, so that a failure can be repeated. */
const random = (seed: number) => {
  let state = seed;
  return (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
};

const pieces = [
  ...['0', '1', '2', '3', '4', '40', '41', '42', '43', '44', '45', '46', '451-', '5', '6', 'b', 'bAAAA'],
  ...['/', '/x,', '12', '-', '999999999999999999', '[', ']', '{', '}', '"', '\\', ',', ':', 'null', '\u0000', '\ud800'],
  ...['["ping"]', '["ping",1]', '["error"]', '["connect"]', '["disconnect"]', '[7]', '["__proto__",{"__proto__":1}]'],
  ...['{"_placeholder":true,"num":0}', '{"token":"alice-token"}', '["ping",{"_placeholder":true,"num":9}]'],
];

const names = ['ping', 'ping', 'ping', 'error', 'connection', '__proto__', 'toString', 'message', ''];
const values = [
  '1',
  '"x"',
  'null',
  '[]',
  '[[[]]]',
  '{"a":{"b":[1e999]}}',
  '{"__proto__":1}',
  '{"_placeholder":true,"num":0}',
];

/** Most are well formed, so that a connection hears of many before one ends it. */
const packets = (next: (below: number) => number): Array<string | Buffer> => {
  const pick = (list: readonly string[]): string => list[next(list.length)] ?? '';
  const bytes = (): Buffer => Buffer.from(Array.from({ length: next(20) }, () => next(256)));
  const id = next(3) === 0 ? next(1_000) : '';
  const name = JSON.stringify(pick(names));
  const kind = next(300);
  if (kind === 0) return [next(5) === 0 ? bytes() : Array.from({ length: 1 + next(5) }, () => pick(pieces)).join('')];
  if (kind > 60) return [`42${id}[${name},${pick(values)}]`];
  // Now and then a place or an attachment is missing, or one is there twice.
  const count = 1 + next(10);
  const slip = next(100);
  const places = Array.from({ length: count }, (_, n) => `{"_placeholder":true,"num":${slip === 0 ? n >> 1 : n}}`);
  const parts = Array.from({ length: slip === 1 ? next(12) : count }, bytes);
  return [`45${count}-${id}[${name},[${places.reverse().join()},${pick(values.slice(0, -1))}]]`, ...parts];
};

describe('garbage', () => {
  test('of a hundred thousand packets, text and binary, does not end the process', { timeout: 120_000 }, async () => {
    const accept = new Map([['ping', 'pong']]);
    const patient = inbound({ accept, packetsPerSecond: 1e9, burst: 1e9, maxRefused: 1e9 });
    let heard = 0;
    let binary = 0;
    const counting = () => {
      const judge = patient();
      const packet = (data: unknown, nowMillis: number) => {
        heard += 1;
        if (Buffer.isBuffer(data)) binary += 1;
        return judge.packet(data, nowMillis);
      };
      return { ...judge, packet };
    };
    door = await openDoor({ inbound: counting, maxSocketsPerAddress: 1_000 });
    const next = random(7);
    while (heard < 100_000) {
      const sockets = Array.from({ length: 20 }, () => door.raw());
      await until(() => sockets.every(({ packets }) => packets.length > 0));
      for (const { socket } of sockets) socket.send('40{"token":"bob-token"}');
      await until(() => sockets.every(({ packets }) => packets.some((text) => text.startsWith('40'))));
      for (const { socket } of sockets) {
        for (let i = 0; i < 300; i += 1) for (const one of packets(next)) socket.send(one);
        socket.close();
      }
      await Promise.all(sockets.map(({ closed }) => closed));
    }
    await until(() => door.open() === 0);
    expect(binary).toBeGreaterThan(10_000);
    expect(new Set(door.reasons())).toEqual(new Set(['packet-invalid', 'event-refused']));
    await stillServes();
  });

  test('in the upgrade leaves no connection open', async () => {
    door = await openDoor();
    const attempts = [
      door.raw('EIO=4&transport=websocket', { 'sec-websocket-protocol': 'a,,b' }),
      door.raw('EIO=4&transport=websocket', { 'sec-websocket-extensions': 'permessage-deflate; x=="' }),
      door.raw('EIO=4&transport=websocket', { origin: 'x' }),
      door.raw('', {}),
      door.raw('EIO=4&transport=websocket', {}, '/socket.io/%00'),
    ];
    await Promise.all(attempts.slice(2).map(({ closed }) => closed));
    for (const { socket } of attempts) socket.terminate();
    await until(() => door.transports.size === 0 && door.open() === 0);
    await stillServes();
  });
});

describe('nesting', () => {
  test.each([
    ['lists', (n: number) => '['.repeat(n) + ']'.repeat(n)],
    ['objects', (n: number) => `${'{"a":'.repeat(n)}1${'}'.repeat(n)}`],
    ['lists that never end', (n: number) => '['.repeat(n)],
  ])('of %s, thousands of levels deep, ends the connection and not the process', async (_, nested) => {
    door = await openDoor();
    for (const levels of [65, 5_500, 15_000]) {
      const raw = door.raw();
      await until(() => raw.packets.length === 1);
      raw.socket.send('40{"token":"alice-token"}');
      await until(() => door.count() === 1);
      raw.socket.send(`427["ping",${nested(levels)}]`);
      await raw.closed;
      await until(() => door.open() === 0);
    }
    expect(door.reasons()).toEqual(['packet-invalid', 'packet-invalid', 'packet-invalid']);
    await stillServes();
  });

  test('in the authentication payload ends the connection and not the process', async () => {
    door = await openDoor();
    const raw = door.raw();
    await until(() => raw.packets.length === 1);
    raw.socket.send(`40{"token":${'['.repeat(15_000)}${']'.repeat(15_000)}}`);
    await raw.closed;
    await stillServes();
  });
});

test('a packet that is larger than a ping needs to be ends the connection', async () => {
  door = await openDoor();
  const raw = door.raw();
  await until(() => raw.packets.length === 1);
  raw.socket.send('40{"token":"alice-token"}');
  await until(() => door.count() === 1);
  raw.socket.send(`42["ping","${'x'.repeat(100_000)}"]`);
  await raw.closed;
  await stillServes();
});

test('a message in a million tiny fragments ends the connection', async () => {
  door = await openDoor();
  const raw = door.raw();
  await until(() => raw.packets.length === 1);
  for (let i = 0; i < 1_000_000 && raw.socket.readyState === raw.socket.OPEN; i += 1) {
    raw.socket.send('', { fin: false });
    if (i % 5_000 === 0) await new Promise(setImmediate);
  }
  await raw.closed;
  await stillServes();
});
