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
    const { socket } = await joined();
    const closing = new Promise((resolve) => socket.on('close', (code, reason) => resolve([code, String(reason)])));
    for (let i = 0; i < 1_000; i += 1) send(socket);
    expect(await closing).toEqual([4429, 'rate-limited']);
    await until(() => door.count() === 0);
    expect(door.reasons()).toEqual(['rate-limited']);
    await connected(door.client({ token: 'alice-token' }));
  });

  test('that goes on after its end is not listened to for long', async () => {
    door = await openDoor();
    const { socket } = await joined();
    const [transport] = door.transports;
    // It never hears that it was closed, so it does not stop.
    socket.pause();
    const text = `42["ping","${'x'.repeat(1_000)}"]`;
    while (door.transports.size > 0) {
      for (let i = 0; i < 50; i += 1) socket.send(text);
      await new Promise(setImmediate);
    }
    expect(door.reasons()).toEqual(['rate-limited']);
    expect(transport?.bytesRead).toBeLessThan(1 << 20);
    socket.terminate();
    await until(() => door.open() === 0);
  });

  test.each([
    ['a packet that the server alone sends', '2'],
    ['a DISCONNECT from somebody who never came in', '41'],
    ['a packet of no type', '7'],
  ])('behind %s, for which Engine.IO itself closes, is not listened to for long', async (_, last) => {
    door = await openDoor();
    const { socket, packets } = door.raw();
    await until(() => packets.length === 1);
    const [transport] = door.transports;
    socket.pause();
    socket.send(last);
    const junk = `4${'x'.repeat(90_000)}`;
    while (door.transports.size > 0 && Number(transport?.bytesRead) < 10 << 20) {
      for (let i = 0; i < 5; i += 1) socket.send(junk);
      await new Promise(setImmediate);
    }
    expect(transport?.bytesRead).toBeLessThan(1 << 20);
    socket.terminate();
    await until(() => door.open() === 0);
  });

  test('of good renewals ends the connection after twenty, and is not recorded any longer', async () => {
    door = await openDoor();
    const { socket } = await joined();
    const closing = new Promise((resolve) => socket.on('close', (code, reason) => resolve([code, String(reason)])));
    const before = door.records.length;
    for (let i = 0; i < 20; i += 1) {
      socket.send('42["auth",{"token":"alice-token"}]');
      await until(() => door.records.length === before + i + 1);
    }
    expect(door.reasons()).toEqual([]);
    for (let i = 0; i < 20; i += 1) socket.send('42["auth",{"token":"alice-token"}]');
    expect(await closing).toEqual([4429, 'rate-limited']);
    expect(door.records.slice(before + 20)).toMatchObject([{ reason: 'rate-limited', detail: 'renewals' }]);
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

interface WebSocketLike {
  send(data: string): void;
  ping(data: string): void;
  pong(data: string): void;
}
