import { afterEach, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { inbound } from '../../src/realtime/inbound.ts';
import { socketRule } from '../support/session-events.ts';
import { connected, type Door, openDoor, until } from '../support/socket-door.ts';

let door: Door;
afterEach(() => door.stop());

type Said = string | Buffer;

/** A bare WebSocket that was let in, with what it hears as it comes: text, or a Buffer. */
const joined = async (options: Parameters<typeof openDoor>[0] = {}) => {
  door = await openDoor(options);
  const { socket } = door.raw();
  const heard: Said[] = [];
  socket.on('message', (data: Buffer, isBinary) => heard.push(isBinary ? data : data.toString()));
  const closing = new Promise((resolve) => socket.on('close', (code, reason) => resolve([code, String(reason)])));
  await until(() => socket.readyState === WebSocket.OPEN);
  socket.send('40{"token":"alice-token"}');
  await until(() => heard.some((said) => String(said).includes('connected')));
  heard.length = 0;
  return { socket, heard, closing };
};

const place = (num: number): string => `{"_placeholder":true,"num":${num}}`;
const bytes = (size: number): Buffer => Buffer.alloc(size, 7);

describe('a binary ping', () => {
  test('is answered with the same payload, and acknowledged', async () => {
    const { socket, heard } = await joined();
    socket.send(`452-7["ping",{"b":[${place(1)}],"a":${place(0)},"c":1.5}]`);
    for (const part of [Buffer.from('first'), Buffer.alloc(0)]) socket.send(part);
    await until(() => heard.length === 4);
    expect(heard).toEqual([
      `452-["pong",{"b":[${place(0)}],"a":${place(1)},"c":1.5}]`,
      Buffer.alloc(0),
      Buffer.from('first'),
      '437[]',
    ]);
    socket.terminate();
  });

  test('of the standard client comes back to it as it was, and is acknowledged', async () => {
    door = await openDoor();
    const client = door.client({ token: 'alice-token' });
    await connected(client);
    const payload = { image: Buffer.from([0, 255, 128]), more: [new Uint8Array([1]).buffer, 'text', null], n: 1 };
    const pong = new Promise((resolve) => client.once('pong', resolve));
    expect(await client.emitWithAck('ping', payload)).toBeUndefined();
    expect(await pong).toEqual({ image: Buffer.from([0, 255, 128]), more: [Buffer.from([1]), 'text', null], n: 1 });
    const bare = new Promise((resolve) => client.once('pong', resolve));
    client.emit('ping', Buffer.from('alone'));
    expect(await bare).toEqual(Buffer.from('alone'));
    expect(door.reasons()).toEqual([]);
  });

  test('is not read by any other parser, whose limits are others', async () => {
    const { socket, heard } = await joined({ inbound: inbound({ accept: socketRule.accept, maxAttachments: 20 }) });
    socket.send(`4512-["ping",[${Array.from({ length: 12 }, (_, n) => place(n)).join()}]]`);
    for (let n = 0; n < 12; n += 1) socket.send(bytes(n));
    await until(() => heard.length === 13);
    expect(heard.slice(1).map(({ length }) => length)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    socket.terminate();
  });

  test('and one that only looks like it are told apart', async () => {
    const { socket, heard } = await joined();
    socket.send(`42["ping",${place(3)}]`);
    await until(() => heard.length === 1);
    expect(heard).toEqual([`42["pong",${place(3)}]`]);
    socket.terminate();
  });
});

test('an event of the upstream that holds binary reaches the standard client whole', async () => {
  door = await openDoor();
  const client = door.client({ token: 'alice-token' });
  const heard = new Promise((resolve) => client.once('session_update', resolve));
  await connected(client);
  await until(() => door.count() === 1);
  const payload = { redacted: true, preview: { _placeholder: true, num: 1 } };
  const attachments = [Buffer.from('taken away'), Buffer.from([1, 2, 3])];
  expect(door.channels.send('demo|alice', { name: 'session_update', payload, attachments }, [])).toBe(1);
  expect(await heard).toEqual({ redacted: true, preview: Buffer.from([1, 2, 3]) });
});

describe('what ends the connection as packet-invalid', () => {
  const event = `451-["ping",${place(0)}]`;

  test.each<[string, Said[]]>([
    ['an attachment that was not announced', [bytes(3)]],
    ['an attachment in text that was not announced', ['bAAAA']],
    ['a text where an attachment should be', [event, '42["ping",1]']],
    ['a second event where an attachment should be', [event, event]],
    ['a DISCONNECT where an attachment should be', [event, '41']],
    ['an attachment too many', [event, bytes(1), bytes(1)]],
    ['eleven attachments', [`4511-["ping",${Array.from({ length: 11 }, (_, n) => place(n)).join()}]`]],
    ['a place beyond what was announced', [`451-["ping",${place(1)}]`]],
    ['a place for nothing', [`451-["ping",1]`]],
    ['one place for two', [`452-["ping",[${place(0)},${place(0)}]]`]],
    [
      'attachments that are too large together',
      [`452-["ping",[${place(0)},${place(1)}]]`, bytes(60_000), bytes(40_001)],
    ],
    ['a binary acknowledgement', [`461-7[${place(0)}]`, bytes(1)]],
    ['an acknowledgement', ['437[]']],
  ])('%s', async (_, said) => {
    const { socket, closing } = await joined();
    for (const one of said) socket.send(one);
    expect(await closing).toEqual([4400, 'packet-invalid']);
    expect(door.reasons()).toEqual(['packet-invalid']);
    await until(() => door.open() === 0);
  });

  test('an event, binary or not, before its sender was let in', async () => {
    door = await openDoor();
    for (const said of [event, '42["ping",1]']) {
      const { socket } = door.raw();
      const closing = new Promise((resolve) => socket.on('close', (code) => resolve(code)));
      await until(() => socket.readyState === WebSocket.OPEN);
      socket.send(said);
      if (said === event) socket.send(bytes(1));
      expect(await closing).toBe(4400);
    }
    expect(door.reasons()).toEqual(['packet-invalid', 'packet-invalid']);
  });
});

test('attachments that just fit are accepted', async () => {
  const { socket, heard } = await joined();
  socket.send(`452-["ping",[${place(0)},${place(1)}]]`);
  socket.send(bytes(60_000));
  socket.send(bytes(40_000));
  await until(() => heard.length === 3);
  expect(heard.slice(1).map(({ length }) => length)).toEqual([60_000, 40_000]);
  socket.terminate();
});

test('each attachment counts against the pace', async () => {
  const { socket, closing } = await joined({ perSecond: 1, burst: 12 });
  const ten = `4510-["ping",[${Array.from({ length: 10 }, (_, n) => place(n)).join()}]]`;
  for (let event = 0; event < 2; event += 1) {
    socket.send(ten);
    for (let n = 0; n < 10; n += 1) socket.send(bytes(1));
  }
  expect(await closing).toEqual([4429, 'rate-limited']);
});

test('a binary event that is not listed is refused like any other', async () => {
  const { socket, closing } = await joined();
  for (let n = 0; n < 20; n += 1) {
    socket.send(`451-["session_update",${place(0)}]`);
    socket.send(bytes(1));
  }
  expect(await closing).toEqual([4403, 'event-refused']);
});

test('a frame that is larger than any packet is closed by its own code, and recorded', async () => {
  const { socket, closing } = await joined();
  socket.send(bytes(100_001));
  expect(await closing).toEqual([1009, '']);
  expect(door.records.at(-1)).toMatchObject({
    outcome: 'refused',
    reason: 'packet-invalid',
    detail: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
  });
});
