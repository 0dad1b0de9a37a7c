import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type WebSocket from 'ws';
import type { SocketsOptions } from '../../src/server/sockets.ts';
import { openPollingDoor, token } from '../support/polling-door.ts';
import { connected, type Door, openDoor, until } from '../support/socket-door.ts';

let door: Door;
let waiting: { bytes: number; most: number };
const hangUps: Array<() => void> = [];

const meter = () => {
  waiting = { bytes: 0, most: 0 };
  return {
    add(bytes: number) {
      waiting.bytes += bytes;
      waiting.most = Math.max(waiting.most, waiting.bytes);
    },
  };
};

const open = async (options: Partial<SocketsOptions> = {}): Promise<void> => {
  door = await openDoor({ backlog: meter(), ...options });
};

afterEach(async () => {
  for (const hangUp of hangUps.splice(0)) hangUp();
  await door.stop();
});

const MIB = 1 << 20;
const messages = (n: number, size = MIB) => ({
  name: 'session_update',
  payload: { session_id: 's1', type: 'all_messages', n, messages: 'x'.repeat(size) },
});
const say = (user: string, n: number, size = MIB): number => door.channels.send(`demo|${user}`, messages(n, size), []);

/** A client that talks well enough to be let in, and reads no byte of its own accord. */
const neverReads = async (token: string): Promise<Socket> => {
  const hello = Buffer.from(`40{"token":"${token}"}`);
  const mask = Buffer.from([1, 2, 3, 4]);
  const masked = hello.map((byte, index) => byte ^ (mask[index % 4] ?? 0));
  const socket = connect(door.port, '127.0.0.1').pause();
  hangUps.push(() => socket.destroy());
  socket.on('error', () => undefined);
  socket.write(
    [
      'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1',
      `host: 127.0.0.1:${door.port}`,
      'connection: upgrade',
      'upgrade: websocket',
      'sec-websocket-version: 13',
      'sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
    ].join('\r\n'),
  );
  socket.write(Buffer.concat([Buffer.of(0x81, 0x80 | hello.length), mask, masked]));
  const before = door.count();
  await until(() => door.count() === before + 1);
  return socket;
};

/** The WebSocket frames behind the answer to a handshake: the opcode and the payload of each, and what is left over. */
const framesOf = (bytes: Buffer): { frames: Array<readonly [opcode: number, payload: Buffer]>; rest: number } => {
  const frames: Array<readonly [number, Buffer]> = [];
  let at = bytes.indexOf('\r\n\r\n') + 4;
  while (at + 2 <= bytes.length) {
    const short = (bytes[at + 1] ?? 0) & 0x7f;
    const [head, length] =
      short < 126 ? [2, short] : short === 126 ? [4, bytes.readUInt16BE(at + 2)] : [10, bytes.readUIntBE(at + 4, 6)];
    if (at + head + length > bytes.length) break;
    frames.push([(bytes[at] ?? 0) & 0xf, bytes.subarray(at + head, at + head + length)]);
    at += head + length;
  }
  return { frames, rest: bytes.length - at };
};

const stalled = async () => {
  const raw = door.raw();
  const closing = new Promise<{ code: number; reason: string }>((resolve) =>
    raw.socket.on('close', (code, reason) => resolve({ code, reason: String(reason) })),
  );
  await until(() => raw.packets.length === 1);
  raw.socket.send('40{"token":"alice-token"}');
  await until(() => raw.packets.some((text) => text.includes('connected')));
  raw.socket.pause();
  hangUps.push(() => raw.socket.terminate());
  return { ...raw, closing };
};

const numbersIn = (packets: readonly string[]): number[] =>
  packets.flatMap((text) => /"n":(\d+)/.exec(text)?.[1] ?? []).map(Number);

test('megabytes for one who never reads cost another user nothing', { timeout: 60_000 }, async () => {
  await open();
  await neverReads('alice-token');
  const bob = door.client({ token: 'bob-token' });
  const heard: number[] = [];
  bob.on('session_update', ({ n }) => heard.push(n));
  await connected(bob);
  await until(() => door.count() === 2);
  let sent = 0;
  for (; door.count() === 2 && sent < 200; sent += 1) {
    say('alice', sent);
    say('bob', sent, 10);
    await until(() => heard.length > sent);
  }
  expect(heard).toEqual(Array.from({ length: sent }, (_, n) => n));
  expect(door.records.at(-1)).toMatchObject({
    outcome: 'aborted',
    reason: 'receiver-slow',
    owner: 'demo|alice',
    detail: expect.stringMatching(/^\d+ bytes were not read$/),
  });
  expect(waiting.most).toBeGreaterThan(62 * MIB);
  expect(waiting.most).toBeLessThanOrEqual(65 * MIB);
  await until(() => waiting.bytes === 0);
  // Its connection goes too, although it took neither the close frame nor anything before.
  await until(() => door.transports.size === 1 && door.open() === 1);
  say('bob', sent, 10);
  await until(() => heard.length === sent + 1);
});

describe('one who stops reading', () => {
  test('hears a beginning of it without a gap, then why, and nothing behind that', async () => {
    await open({ maxWaitingBytes: 4 * MIB });
    const { socket, packets, closing } = await stalled();
    let sent = 0;
    for (; door.count() === 1 && sent < 200; sent += 1) {
      say('alice', sent);
      await new Promise(setImmediate);
    }
    expect([door.count(), waiting.bytes, say('alice', sent)]).toEqual([0, 0, 0]);
    socket.resume();
    expect(await closing).toEqual({ code: 4408, reason: 'receiver-slow' });
    const heard = numbersIn(packets);
    expect(heard).toEqual(heard.map((_, n) => n));
    expect(heard.length).toBeGreaterThan(0);
    expect(heard.length).toBeLessThan(sent);
  });

  test('finds whole frames on the wire, and the close frame behind them all', async () => {
    await open({ maxWaitingBytes: 4 * MIB });
    const socket = await neverReads('alice-token');
    for (let sent = 0; door.count() === 1 && sent < 200; sent += 1) {
      say('alice', sent, 300_000);
      await new Promise(setImmediate);
    }
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.resume();
    await until(() => framesOf(Buffer.concat(chunks)).frames.at(-1)?.[0] === 8);
    await until(() => socket.destroyed);
    const { frames, rest } = framesOf(Buffer.concat(chunks));
    expect(rest).toBe(0);
    expect(frames.slice(0, -1).filter(([opcode]) => opcode !== 1)).toEqual([]);
    expect(frames.at(-1)).toEqual([
      8,
      Buffer.concat([Buffer.of(4408 >> 8, 4408 & 0xff), Buffer.from('receiver-slow')]),
    ]);
  });

  test('is cut off by the number of small events too', async () => {
    await open({ maxWaitingPackets: 1_000 });
    const { socket, closing } = await stalled();
    let sent = 0;
    for (; door.count() === 1 && sent < 1_000_000; sent += 1) {
      say('alice', sent, 0);
      if (sent % 500 === 0) await new Promise(setImmediate);
    }
    expect([door.count(), waiting.bytes]).toEqual([0, 0]);
    socket.resume();
    expect(await closing).toEqual({ code: 4408, reason: 'receiver-slow' });
  });

  test('and reads again before too much waits has missed nothing', async () => {
    await open();
    const { socket, packets } = await stalled();
    for (let n = 0; n < 40; n += 1) say('alice', n);
    await until(() => waiting.bytes > 20 * MIB);
    socket.resume();
    await until(() => numbersIn(packets).length === 40);
    expect(numbersIn(packets)).toEqual(Array.from({ length: 40 }, (_, n) => n));
    await until(() => waiting.bytes === 0);
    expect(door.reasons()).toEqual([]);
  });

  test('and vanishes leaves nothing behind that waits', async () => {
    await open();
    const { socket } = await stalled();
    for (let n = 0; n < 40; n += 1) say('alice', n);
    await until(() => waiting.bytes > 20 * MIB);
    socket.terminate();
    await until(() => door.open() === 0);
    expect([waiting.bytes, door.reasons()]).toEqual([0, []]);
  });

  test('is told by its own library, which comes back', async () => {
    await open({ maxWaitingBytes: 4 * MIB });
    const client = door.client({ token: 'alice-token' }, { reconnection: true, reconnectionDelay: 20 });
    await connected(client);
    await until(() => door.count() === 1);
    const told = new Promise((resolve) =>
      client.once('disconnect', (reason, details) => resolve([reason, closeOf(details)])),
    );
    const { ws } = client.io.engine.transport as unknown as { ws: WebSocket };
    ws.pause();
    for (let n = 0; door.count() === 1 && n < 200; n += 1) {
      say('alice', n);
      await new Promise(setImmediate);
    }
    ws.resume();
    expect(await told).toEqual(['transport close', { code: 4408, reason: 'receiver-slow' }]);
    await until(() => client.connected && door.count() === 1);
  });
});

const closeOf = (details: unknown): object => {
  const { context } = details as { context: { code: number; reason: string } };
  return { code: context.code, reason: context.reason };
};

describe('one who polls, and does not come for it,', () => {
  test('is cut off like any other, and nothing waits for it then', async () => {
    const polling = await openPollingDoor({ backlog: meter(), maxWaitingBytes: 4 * MIB });
    door = polling;
    const { sid } = await polling.polls.join(token);
    let sent = 0;
    for (; door.count() === 1 && sent < 200; sent += 1) say('alice', sent);
    expect([sent, waiting.bytes, door.reasons()]).toEqual([4, 0, ['receiver-slow']]);
    expect((await polling.polls.poll(sid, { token })).status).toBe(400);
  });

  test('has it in order when it comes', async () => {
    const polling = await openPollingDoor({ backlog: meter() });
    door = polling;
    const { sid } = await polling.polls.join(token);
    for (let n = 0; n < 20; n += 1) say('alice', n, 300_000);
    const heard: number[] = [];
    while (heard.length < 20) heard.push(...numbersIn((await polling.polls.poll(sid, { token })).packets));
    expect(heard).toEqual(Array.from({ length: 20 }, (_, n) => n));
    await until(() => waiting.bytes === 0);
  });
});

test('one event that is larger than all that may wait ends the connection', async () => {
  await open({ maxWaitingBytes: MIB });
  const client = door.client({ token: 'alice-token' });
  await connected(client);
  await until(() => door.count() === 1);
  const told = new Promise((resolve) => client.once('disconnect', (_, details) => resolve(closeOf(details))));
  say('alice', 1, 2 * MIB);
  expect(await told).toEqual({ code: 4408, reason: 'receiver-slow' });
  expect(door.reasons()).toEqual(['receiver-slow']);
});

test('a client that asks for replies and reads none is cut off long before events would be', async () => {
  await open();
  const { socket, closing } = await stalled();
  const ask = `42["ping","${'x'.repeat(90_000)}"]`;
  const asking = setInterval(() => socket.send(ask), 25);
  hangUps.push(() => clearInterval(asking));
  await until(() => door.open() === 0 || waiting.most > 8 * MIB);
  expect(waiting).toMatchObject({ bytes: 0 });
  expect(waiting.most).toBeLessThan(3 * MIB);
  expect(door.reasons()).toEqual(['receiver-slow']);
  socket.resume();
  await closing;
});
