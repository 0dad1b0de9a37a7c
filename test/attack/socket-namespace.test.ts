import { afterEach, expect, test } from 'vitest';
import { connected, type Door, openDoor, refusal, until } from '../support/socket-door.ts';

let door: Door;
afterEach(() => door.stop());

test('another namespace is refused, with a good token too', async () => {
  door = await openDoor();
  const client = door.client({ token: 'alice-token' });
  await connected(client);
  const admin = client.io.socket('/admin', { auth: { token: 'alice-token' } });
  admin.connect();
  expect((await refusal(admin)).message).toBe('Invalid namespace');
  expect(client.connected).toBe(true);
  expect(door.count()).toBe(1);
});

test('asking for namespaces without end ends the transport', async () => {
  door = await openDoor({ burst: 1_000 });
  const raw = door.raw();
  await until(() => raw.packets.length === 1);
  for (let i = 0; i < 100; i += 1) raw.socket.send(`40/n${i},{"token":"alice-token"}`);
  await raw.closed;
  expect(raw.packets.length).toBeLessThan(30);
  expect(door.reasons()).toEqual(['packet-invalid']);
});

test('a second CONNECT behind one transport ends it', async () => {
  door = await openDoor();
  const raw = door.raw();
  await until(() => raw.packets.length === 1);
  raw.socket.send('40{"token":"alice-token"}');
  raw.socket.send('40{"token":"bob-token"}');
  await raw.closed;
  await until(() => door.open() === 0);
  expect(door.count()).toBe(0);
  expect(door.channels.send('demo|bob', { name: 'session_update', payload: {} }, [])).toBe(0);
  expect(door.reasons()).toContain('packet-invalid');
});

test('leaving the namespace ends the transport', async () => {
  door = await openDoor();
  const raw = door.raw();
  await until(() => raw.packets.length === 1);
  raw.socket.send('40{"token":"alice-token"}');
  await until(() => door.count() === 1);
  raw.socket.send('41');
  await raw.closed;
  expect(door.count()).toBe(0);
});
