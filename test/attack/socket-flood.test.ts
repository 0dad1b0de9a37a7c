import { afterEach, describe, expect, test } from 'vitest';
import { connected, type Door, openDoor, until } from '../support/socket-door.ts';

let door: Door;
afterEach(() => door.stop());

const joined = async () => {
  const raw = door.raw();
  await until(() => raw.packets.length === 1);
  raw.socket.send('40{"token":"alice-token"}');
  await until(() => door.count() === 1);
  return raw;
};

describe('a flood', () => {
  test.each([
    ['pings that are answered', (socket: WebSocketLike) => socket.send('42["ping",1]')],
    ['heartbeats', (socket: WebSocketLike) => socket.send('3')],
    ['WebSocket pings', (socket: WebSocketLike) => socket.ping('x')],
    ['WebSocket pongs', (socket: WebSocketLike) => socket.pong('x')],
  ])('of %s ends the connection, and the next one is served', async (_, send) => {
    door = await openDoor();
    const { socket, closed } = await joined();
    for (let i = 0; i < 1_000; i += 1) send(socket);
    await closed;
    await until(() => door.count() === 0);
    expect(door.reasons()).toEqual(['rate-limited']);
    await connected(door.client({ token: 'alice-token' }));
  });

  test('that keeps to the pace is served', async () => {
    door = await openDoor();
    const { socket, packets } = await joined();
    for (let i = 0; i < 90; i += 1) socket.send(`42["ping",${i}]`);
    await until(() => packets.includes('42["pong",89]'));
    expect(door.count()).toBe(1);
    socket.terminate();
  });
});

describe('one who does not read', () => {
  test('is cut off before the memory is full, and holds nobody up', async () => {
    door = await openDoor({ maxWaitingBytes: 4 << 20 });
    const raw = await joined();
    raw.socket.pause();
    const reader = door.client({ token: 'alice-token' });
    await connected(reader);
    let heard = 0;
    reader.on('session_update', () => void heard++);
    let sent = 0;
    while (door.count() === 2 && sent < 200) {
      door.channels.send('demo|alice', 'session_update', { text: 'x'.repeat(1 << 20) });
      sent += 1;
      await until(() => heard === sent);
    }
    expect(door.count()).toBe(1);
    expect(sent).toBeLessThan(60);
    expect(door.records.at(-1)).toMatchObject({
      outcome: 'aborted',
      detail: expect.stringMatching(/bytes were not read/),
    });
    raw.socket.terminate();
  });

  test('is cut off by the number of small events too', async () => {
    door = await openDoor({ maxWaitingPackets: 1_000 });
    const raw = await joined();
    raw.socket.pause();
    let sent = 0;
    for (; door.count() === 1 && sent < 1_000_000; sent += 1) {
      door.channels.send('demo|alice', 'session_update', { n: sent });
      if (sent % 500 === 0) await new Promise(setImmediate);
    }
    expect(door.count()).toBe(0);
    raw.socket.terminate();
  });
});

interface WebSocketLike {
  send(data: string): void;
  ping(data: string): void;
  pong(data: string): void;
}
