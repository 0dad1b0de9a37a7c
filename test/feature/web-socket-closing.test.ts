/** How raw WebSockets end: closing handshakes, and peers that are found dead. */
import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { mine, transportOf, webSocketScene } from '../support/web-socket-scene.ts';

const scene = webSocketScene();

describe('closing', () => {
  test.each([
    [1000, 'bye', 1000, 'bye'],
    [1001, '', 1001, ''],
    [3000, 'app', 3000, 'app'],
    [4000, 'private', 4000, 'private'],
    [4999, '', 4999, ''],
    [1011, 'oh', 1011, 'oh'],
    [undefined, undefined, 1005, ''],
  ])('with %s %s passes on %i, in both directions', async (code, reason, toCode, toReason) => {
    await scene.set();
    const one = await scene.pair();
    one.client.socket.close(code, reason);
    await eventually(() => one.peer.closed() !== undefined);
    expect(one.peer.closed()).toEqual({ code: toCode, reason: toReason });
    const two = await scene.pair();
    two.peer.socket.close(code, reason);
    expect(await two.client.closed).toEqual({ code: toCode, reason: toReason });
    await scene.nothingIsLeft();
  });

  test('comes after everything that was said before', async () => {
    await scene.set({ gate: { stages: { ownersOf: async (refs) => refs.map(() => 'test|ann') } } });
    const { client, peer } = await scene.pair();
    for (let n = 0; n < 200; n += 1) peer.say({ kind: 'delta', session_id: 'session-ann', n });
    peer.socket.close(4000);
    expect((await client.closed).code).toBe(4000);
    expect(client.heard.length).toBe(200);
    const other = await scene.pair();
    for (let n = 0; n < 200; n += 1) other.client.say(mine);
    other.client.socket.close(4001);
    await eventually(() => other.peer.closed() !== undefined);
    expect([other.peer.closed()?.code, other.peer.heard.length]).toEqual([4001, 200]);
  });

  test('without a word is told to the other side: 1001 for the upstream, 4502 for the client', async () => {
    await scene.set();
    const one = await scene.pair();
    one.client.socket.terminate();
    await eventually(() => one.peer.closed() !== undefined);
    expect(one.peer.closed()).toEqual({ code: 1001, reason: '' });
    const two = await scene.pair();
    two.peer.socket.terminate();
    expect(await two.client.closed).toEqual({ code: 4502, reason: 'upstream-broken' });
    expect(scene.gate.reasons()).toEqual(['upstream-broken']);
    await scene.nothingIsLeft();
  });

  test('in the middle of a frame leaves nothing behind', async () => {
    await scene.set();
    const { client, peer } = await scene.pair();
    // The head of a text frame of 100 bytes, and a few of them.
    transportOf(peer.socket).write(Buffer.from([0x81, 100, 0x7b, 0x22]));
    transportOf(peer.socket).end();
    expect((await client.closed).code).toBe(4502);
    expect(client.heard).toEqual([]);
    await scene.nothingIsLeft();
  });
});

describe('pings', () => {
  test('of either side are answered by the gateway, and not passed on', async () => {
    await scene.set({ gate: { heartbeatMillis: 100_000 } });
    const { client, peer } = await scene.pair();
    const pongs: string[] = [];
    client.socket.on('pong', (data) => pongs.push(`client ${data}`));
    peer.socket.on('pong', (data) => pongs.push(`upstream ${data}`));
    client.socket.ping('a');
    peer.socket.ping('b');
    await eventually(() => pongs.length === 2);
    expect(pongs.sort()).toEqual(['client a', 'upstream b']);
    expect([peer.pings(), client.heard, peer.heard]).toEqual([0, [], []]);
  });

  test('find out who is dead: a client', async () => {
    await scene.set({ gate: { heartbeatMillis: 200 } });
    const { client, peer } = await scene.pair('ann', '/ws/agent', { autoPong: false });
    expect((await client.closed).code).toBe(1006);
    await eventually(() => peer.closed()?.code === 1001);
    expect(scene.gate.records.at(-1)).toMatchObject({ outcome: 'aborted', reason: 'client-gone' });
    await scene.nothingIsLeft();
  });

  test('find out who is dead: the upstream', async () => {
    await scene.set({ upstream: { autoPong: false }, gate: { heartbeatMillis: 200 } });
    const { client } = await scene.pair();
    expect(await client.closed).toEqual({ code: 4504, reason: 'upstream-timeout' });
    expect(scene.gate.reasons()).toEqual(['upstream-timeout']);
    await scene.nothingIsLeft();
  });

  test('keep those alive who answer', async () => {
    await scene.set({ gate: { heartbeatMillis: 200 } });
    const { client, peer } = await scene.pair();
    await eventually(() => peer.pings() >= 3);
    expect(client.end()).toBeUndefined();
  });
});
