/** A client keeps one socket open over several tokens, as a front end with short-lived tokens does. */
import { afterEach, expect, test } from 'vitest';
import type { Principal } from '../../src/model/principal.ts';
import { Rejection } from '../../src/model/rejection.ts';
import type { CanonicalRequest } from '../../src/model/request.ts';
import { lifetime } from '../../src/realtime/lifetime.ts';
import { connected, type Door, openDoor, principal, until } from '../support/socket-door.ts';

let door: Door;
afterEach(() => door.stop());

const START = 1_000_000;

/** Tokens are `USER UNTIL`; the clock goes on when it is told to. */
const open = async () => {
  const clock = { now: START };
  const asked: string[] = [];
  const identify = async ({ address }: CanonicalRequest, token = ''): Promise<Principal> => {
    asked.push(`${token} from ${address}`);
    const [user = '', end = ''] = token.split(' ');
    if (user === 'forged') throw new Rejection('token-signature', 'forged');
    return principal(user, Number(end));
  };
  const watched = lifetime({ now: () => clock.now, slotMillis: 20 });
  door = await openDoor({ now: () => clock.now, lifetime: watched, identify });
  const client = door.client({ token: `alice ${START + 1000}` });
  const heard: unknown[] = [];
  client.on('session_update', (payload) => heard.push(payload));
  await connected(client);
  await until(() => door.count() === 1);
  return { client, clock, asked, heard, watched };
};

const say = (n: number): number => door.channels.send('demo|alice', { name: 'session_update', payload: { n } }, []);

test('ten renewals in a row interrupt nothing, and each event is heard once', async () => {
  const { client, clock, heard, watched } = await open();
  for (let round = 1; round <= 10; round += 1) {
    const end = START + 1000 * (round + 1);
    const answer = await client.emitWithAck('auth', { token: `alice ${end}` });
    expect(answer).toEqual({ status: 'renewed', expiresAtMillis: end });
    clock.now = end - 500;
    watched.tick();
    expect(say(round)).toBe(1);
  }
  await until(() => heard.length === 10);
  expect([client.connected, watched.size, door.reasons()]).toEqual([true, 1, []]);
  const gone = new Promise((resolve) => client.once('disconnect', resolve));
  clock.now = START + 11_000;
  watched.tick();
  expect(await gone).toBe('transport close');
  expect([heard.length, say(11), door.reasons()]).toEqual([10, 0, ['authority-expired']]);
});

test('a client that waits for no acknowledgement hears what came of it as an event', async () => {
  const { client } = await open();
  const answers: unknown[] = [];
  client.on('auth', (answer) => answers.push(answer));
  client.emit('auth', { token: `alice ${START + 9000}` });
  await until(() => answers.length === 1);
  client.emit('auth', { token: `bob ${START + 9000}` });
  await until(() => answers.length === 2);
  expect(answers).toEqual([
    { status: 'renewed', expiresAtMillis: START + 9000 },
    { status: 'refused', code: 'token-other-owner', message: 'The access token is of another user.' },
  ]);
  expect(say(1)).toBe(1);
});

test('bad tokens are judged as in a handshake, from where they come, until the connection ends', async () => {
  const { client, asked } = await open();
  const gone = new Promise((resolve) => client.once('disconnect', resolve));
  for (let i = 0; i < 4; i += 1)
    expect(await client.emitWithAck('auth', { token: 'forged' })).toMatchObject({ code: 'token-signature' });
  client.emit('auth', { token: 'forged' });
  expect(await gone).toBe('transport close');
  expect(asked.slice(1)).toEqual(Array(5).fill('forged from 127.0.0.1'));
  await until(() => door.count() === 0);
});
