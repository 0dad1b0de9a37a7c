import { afterEach, describe, expect, test } from 'vitest';
import { type Door, openDoor, until } from '../support/socket-door.ts';

let door: Door;
afterEach(() => door.stop());

describe('a page of another site', () => {
  test.each(['https://evil.example', 'null', 'http://localhost', 'https://app.example.evil.example'])(
    'that is %s cannot open a socket with the visitor’s browser',
    async (origin) => {
      door = await openDoor();
      const raw = door.raw(undefined, { origin });
      await raw.closed;
      expect(raw.status()).toBe(403);
      expect(door.reasons()).toEqual(['origin-refused']);
      await until(() => door.open() === 0 && door.transports.size === 0);
    },
  );

  test.each(['https://app.example', 'same'])('is told from one that is allowed: %s', async (origin) => {
    door = await openDoor();
    const raw = door.raw(undefined, { origin: origin === 'same' ? `http://127.0.0.1:${door.port}` : origin });
    await until(() => raw.packets.length === 1);
    expect(raw.packets[0]).toMatch(/^0\{"sid":/);
    raw.socket.terminate();
  });
});
