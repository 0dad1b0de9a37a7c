import { afterEach, describe, expect, test } from 'vitest';
import { connected, type Door, openDoor, refusal, until } from '../support/socket-door.ts';

let door: Door;
afterEach(() => door.stop());

const nobodyIsIn = async (): Promise<void> => {
  await until(() => door.open() === 0 && door.transports.size === 0);
  expect(door.count()).toBe(0);
};

describe('a socket without a good token', () => {
  test.each([
    ['no token', undefined, {}, 'token-missing'],
    ['an empty token', { token: '' }, {}, 'token-missing'],
    ['a forged token', { token: 'mallory' }, {}, 'token-signature'],
    [
      'a forged token in the header',
      undefined,
      { extraHeaders: { authorization: 'Bearer mallory' } },
      'token-signature',
    ],
    ['a token that is an object', { token: { token: 'alice-token' } }, {}, 'token-malformed'],
    [
      'a good and a forged one',
      { token: 'alice-token' },
      { extraHeaders: { authorization: 'Bearer mallory' } },
      'token-malformed',
    ],
  ])('is refused with %s', async (_, auth, more, code) => {
    door = await openDoor();
    const client = door.client(auth, more);
    const error = await refusal(client);
    expect(error.data).toEqual({ code, message: error.message });
    expect(door.records).toMatchObject([{ outcome: 'refused', reason: code, status: 401, owner: undefined }]);
    await nobodyIsIn();
  });

  test('hears nothing, whatever is sent to whom', async () => {
    door = await openDoor();
    const raw = door.raw();
    await until(() => raw.packets.length === 1);
    raw.socket.send('2["ping",1]');
    for (const owner of ['demo|alice', '', 'undefined'])
      expect(door.channels.send(owner, { name: 'session_update', payload: {} }, [])).toBe(0);
    await raw.closed;
    expect(raw.packets).toHaveLength(1);
    await nobodyIsIn();
  });

  test('does not get in by sending packets before its token is judged', async () => {
    let judge = (): void => undefined;
    const identify = () => new Promise<never>((_, reject) => (judge = () => reject(new Error('later'))));
    door = await openDoor({ identify });
    const raw = door.raw();
    await until(() => raw.packets.length === 1);
    raw.socket.send('40{"token":"x"}');
    raw.socket.send('42["ping",1]');
    await raw.closed;
    judge();
    expect(raw.packets).toHaveLength(1);
    await nobodyIsIn();
  });
});

test('a token in the query is refused where it is not listed', async () => {
  door = await openDoor();
  const raw = door.raw('EIO=4&transport=websocket&token=alice-token');
  await raw.closed;
  expect(raw.status()).toBe(400);
  expect(door.reasons()).toEqual(['query-invalid']);
  await nobodyIsIn();
});

test("another's Engine.IO session id is of no use", async () => {
  door = await openDoor();
  const client = door.client({ token: 'alice-token' });
  await connected(client);
  const raw = door.raw(`EIO=4&transport=websocket&sid=${client.io.engine.id}`);
  await raw.closed;
  expect(raw.status()).toBe(400);
  expect(door.reasons()).toEqual(['query-invalid']);
  expect(client.connected).toBe(true);
});

test('a refused token is in no record', async () => {
  door = await openDoor();
  await refusal(door.client({ token: 'mallory-secret' }));
  expect(JSON.stringify(door.records)).not.toContain('mallory-secret');
});
