/**
 * A client comes back for what it missed, and its authority ends while the ledger is asked or while it reads: by then it
 * was found good, and has nothing to wait for.
 */
import { once } from 'node:events';
import type { Socket } from 'socket.io-client';
import { afterEach, expect, test } from 'vitest';
import type { Principal } from '../../src/model/principal.ts';
import { type TestHistory, testHistory } from '../support/history.ts';
import { ledger } from '../support/returning.ts';
import { connected, type Door, identifyByTable, openDoor, principal, until } from '../support/socket-door.ts';

let door: Door;
let memory: TestHistory;
afterEach(async () => {
  await door.stop();
  memory.missed.close();
});

const BROWSER = { 'user-agent': 'Mozilla/5.0' };

/** What a client keeps of its session. */
const placeOf = (client: Socket): { pid?: string; offset?: string } => {
  const { _pid, _lastOffset } = client as unknown as { _pid?: string; _lastOffset?: string };
  return { ...(_pid && { pid: _pid }), ...(_lastOffset && { offset: _lastOffset }) };
};

const say = (n: number): number =>
  door.channels.send('demo|alice', { name: 'session_update', payload: { n } }, [{ kind: 'session', id: 's' }]);

/** Alice has been here and has missed event 1. Her ledger answers when it is told to. */
const aliceIsAway = async () => {
  const asked = ledger();
  const clock = { now: 1_000_000 };
  const tokens = new Map<string, Principal>([['alice-token', principal('alice', 1_100_000)]]);
  memory = testHistory({ ownersOf: asked.ownersOf, patienceMillis: 60_000 });
  door = await openDoor({ history: memory.history, identify: identifyByTable(tokens), now: () => clock.now });
  const alice = door.client({ token: 'alice-token' }, { extraHeaders: BROWSER });
  await connected(alice);
  await until(() => memory.missed.of('demo|alice')?.sockets === 1);
  await until(() => placeOf(alice).offset !== undefined);
  const { pid, offset } = placeOf(alice);
  alice.io.engine.close();
  await until(() => door.count() === 0);
  say(1);
  /** Comes back; resolves when the ledger is asked whose event 1 is. */
  const comeBack = async () => {
    const { socket, packets, closed } = door.raw('EIO=4&transport=websocket', BROWSER);
    const end = once(socket, 'close');
    await until(() => packets.length === 1);
    socket.send(`40${JSON.stringify({ token: 'alice-token', pid, offset })}`);
    await until(() => asked.waiting() === 1);
    return {
      heard: () => packets.filter((packet) => packet.includes('session_update')).length,
      packets,
      async end(): Promise<string> {
        await closed;
        const [code, reason] = await end;
        return `${code} ${reason}`;
      },
    };
  };
  return { asked, clock, comeBack };
};

const ofAlice = ({ user }: Principal): boolean => user === 'alice';

test('who is revoked while the ledger is asked is told nothing at all', async () => {
  const { asked, comeBack } = await aliceIsAway();
  const back = await comeBack();
  expect(door.end(ofAlice)).toBe(1);
  asked.release();
  expect(await back.end()).toBe('4401 token-revoked');
  expect([back.packets.length, door.count(), memory.returned]).toEqual([1, 0, []]);
});

test('who is revoked while it reads reads no further', async () => {
  const { asked, comeBack } = await aliceIsAway();
  const back = await comeBack();
  say(2);
  asked.release();
  await until(() => asked.waiting() === 1);
  expect(door.end(ofAlice)).toBe(1);
  asked.release();
  expect(await back.end()).toBe('4401 token-revoked');
  expect([back.heard(), door.count(), memory.returned]).toEqual([1, 0, []]);
});

test('whose token expires while the ledger is asked is told nothing either', async () => {
  const { asked, clock, comeBack } = await aliceIsAway();
  const back = await comeBack();
  clock.now = 1_100_000;
  asked.release();
  expect(await back.end()).toBe('4401 authority-expired');
  expect([back.packets.length, door.count(), door.reasons()]).toEqual([1, 0, ['authority-expired']]);
});
