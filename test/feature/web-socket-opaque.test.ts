/** Opaque endpoints: the handshake is judged, the bytes are not. */
import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { handshakeBytes, upgradeBytes, webSocketScene } from '../support/web-socket-scene.ts';

const scene = webSocketScene();

describe('an opaque endpoint', () => {
  test('lets bytes pass both ways, untouched', async () => {
    await scene.set();
    const { client, peer } = await scene.pair('ann', '/ws/terminal/session-ann', { protocols: ['tty'] });
    expect([client.socket.protocol, peer.request.url]).toEqual(['tty', '/ws/terminal/session-ann']);
    client.say(Buffer.from([0, 255, 1]));
    client.say(' { "not": json');
    peer.say(' anything ');
    await eventually(() => peer.heard.length === 2 && client.heard.length === 1);
    expect([peer.heard, client.heard]).toEqual([[Buffer.from([0, 255, 1]), ' { "not": json'], [' anything ']]);
    client.socket.close(4003, 'done');
    await eventually(() => peer.closed()?.code === 4003);
    await scene.nothingIsLeft();
  });

  test('tells the upstream who is calling, and nothing else of the client', async () => {
    await scene.set();
    const { peer } = await scene.pair('ann', '/ws/terminal/session-ann?x=1', {
      headers: {
        cookie: 'a=b',
        'x-user-id': 'root',
        'x-forwarded-for': '1.2.3.4',
        'sec-websocket-extensions': 'permessage-deflate',
      },
    });
    expect(Object.keys(peer.request.headers).sort()).toEqual(
      [
        'connection',
        'host',
        'sec-websocket-key',
        'sec-websocket-version',
        'upgrade',
        'x-request-id',
        'x-user-id',
      ].sort(),
    );
    expect(peer.request.headers).toMatchObject({ host: `127.0.0.1:${scene.upstream.port}`, 'x-user-id': 'test|ann' });
    expect(peer.request.url).toBe('/ws/terminal/session-ann');
  });

  test('shows the client nothing of the upstream’s own handshake', async () => {
    await scene.set({
      upstream: {
        answer({ headers }, socket) {
          socket.write(upgradeBytes(headers['sec-websocket-key'], ['set-cookie: a=b', 'server: x']));
          socket.write(Buffer.from([0x81, 2, 0x68, 0x69]));
          return true;
        },
      },
    });
    const client = scene.gate.client('/ws/terminal/session-ann', 'ann');
    let names: string[] = [];
    client.socket.on('upgrade', ({ headers }) => {
      names = Object.keys(headers);
    });
    await client.opened;
    expect(names.sort()).toEqual(['connection', 'sec-websocket-accept', 'upgrade']);
    await eventually(() => client.heard.length === 1);
    expect(client.heard).toEqual(['hi']);
  });

  test('passes what comes behind the handshake, on either side', async () => {
    await scene.set({ upstream: { greet: (peer) => peer.say('first') } });
    const socket = scene.gate.wire(`${handshakeBytes('/ws/terminal/session-ann', 'ann')}\x81\x82\x00\x00\x00\x00ok`);
    let got = '';
    socket.on('data', (chunk) => {
      got += chunk.toString('latin1');
    });
    await eventually(() => got.endsWith('first') && scene.upstream.peers[0]?.heard[0] === 'ok');
    socket.destroy();
    await scene.nothingIsLeft();
  });

  test('carries megabytes at the pace of whoever is slower', async () => {
    await scene.set();
    const { client, peer } = await scene.pair('ann', '/ws/terminal/session-ann');
    client.socket.pause();
    const chunk = Buffer.alloc(1 << 20, 7);
    for (let n = 0; n < 40; n += 1) peer.socket.send(chunk);
    await eventually(() => scene.gate.held().bytes > 0);
    expect(scene.gate.held().bytes).toBeLessThan(2 << 20);
    let bytes = 0;
    client.socket.on('message', (data: Buffer) => {
      bytes += data.length;
    });
    client.socket.resume();
    peer.socket.close(1000);
    expect((await client.closed).code).toBe(1000);
    expect(bytes).toBe(40 << 20);
    await scene.nothingIsLeft();
  });

  test('ends when nothing passes', async () => {
    let clock = Date.now();
    await scene.set({ gate: { now: () => clock } });
    const { client } = await scene.pair('ann', '/ws/terminal/session-ann');
    clock += 59_000;
    client.say('x');
    await eventually(() => scene.upstream.peers[0]?.heard.length === 1);
    clock += 59_000;
    client.say('y');
    await eventually(() => scene.upstream.peers[0]?.heard.length === 2);
    expect(client.end()).toBeUndefined();
    clock += 61_000;
    await client.closed;
    expect(scene.gate.reasons()).toEqual(['connection-idle']);
    await scene.nothingIsLeft();
  });

  test.each(['client', 'upstream'] as const)('leaves nothing behind when the %s vanishes', async (who) => {
    await scene.set();
    const { client, peer } = await scene.pair('ann', '/ws/terminal/session-ann');
    (who === 'client' ? client : peer).socket.terminate();
    await client.closed;
    await eventually(() => peer.closed() !== undefined);
    await scene.nothingIsLeft();
  });
});
