/** Who does not read is not read for: what is held of a raw WebSocket is bounded. */

import { describe, expect, test } from 'vitest';
import type { WebSocket } from 'ws';
import { eventually } from '../support/eventually.ts';
import { webSocketScene } from '../support/web-socket-scene.ts';

const scene = webSocketScene();

describe('back-pressure', () => {
  const big = JSON.stringify({ kind: 'hello', text: 'x'.repeat(30_000) });

  /** What is held before nothing more is read. */
  const FULL = 1 << 20;

  /** Says so much that no system's buffers hold it; returns how much has left when nothing moves any more. */
  const pour = async (from: WebSocket, text: string, times: number): Promise<number> => {
    let left = 0;
    for (let n = 0; n < times; n += 1) {
      from.send(text, () => {
        left += 1;
      });
    }
    await eventually(() => scene.gate.held().bytes > FULL);
    // Whatever can move has moved when a neighbour has said and heard so much.
    const { client, peer } = await scene.pair('eve');
    for (let words = 1; words <= 100; words += 1) {
      client.say({ kind: 'ping' });
      await eventually(() => peer.heard.length === words);
      peer.say({ kind: 'hello' });
      await eventually(() => client.heard.length === words);
    }
    client.socket.terminate();
    return left;
  };

  test('a client that does not read is not read for: what is held is bounded, and nothing is lost', async () => {
    await scene.set({ gate: { heartbeatMillis: 100_000, stallMillis: 100_000 } });
    const { client, peer } = await scene.pair();
    client.socket.pause();
    const left = await pour(peer.socket, big, 2_000);
    expect(left).toBeLessThan(1_500);
    expect(scene.gate.held().bytes).toBeLessThan(2 << 20);
    client.socket.resume();
    await eventually(() => client.heard.length === 2_000);
    await eventually(() => scene.gate.held().bytes === 0);
    expect(client.end()).toBeUndefined();
  });

  test('an upstream that does not read holds its client back', async () => {
    await scene.set({ gate: { heartbeatMillis: 100_000, stallMillis: 100_000 } });
    const { client, peer } = await scene.pair();
    peer.socket.pause();
    const text = JSON.stringify({ kind: 'ping', text: 'x'.repeat(30_000) });
    const left = await pour(client.socket, text, 2_000);
    expect(left).toBeLessThan(1_500);
    expect(scene.gate.held().bytes).toBeLessThan(2 << 20);
    peer.socket.resume();
    await eventually(() => peer.heard.length === 2_000);
    expect(client.end()).toBeUndefined();
  });

  test('costs nobody else anything', async () => {
    await scene.set({ gate: { heartbeatMillis: 100_000, stallMillis: 100_000 } });
    const slow = await scene.pair();
    slow.client.socket.pause();
    await pour(slow.peer.socket, big, 1_000);
    const quick = await scene.pair('bob');
    quick.peer.say({ kind: 'hello' });
    await eventually(() => quick.client.heard.length === 1);
  });

  test('a client that reads nothing for too long is ended: 4408', async () => {
    await scene.set({ gate: { heartbeatMillis: 100_000, stallMillis: 200 } });
    const { client, peer } = await scene.pair();
    client.socket.pause();
    for (let n = 0; n < 1_000; n += 1) peer.socket.send(big, () => undefined);
    await eventually(() => scene.gate.reasons().length > 0);
    expect(scene.gate.reasons()).toEqual(['receiver-slow']);
    await eventually(() => scene.gate.open() === 0 && scene.upstream.open() === 0);
    client.socket.resume();
    await client.closed;
    await scene.nothingIsLeft();
  });

  test('an upstream that reads nothing for too long is given up', async () => {
    await scene.set({ gate: { heartbeatMillis: 100_000, stallMillis: 200 } });
    const { client, peer } = await scene.pair();
    peer.socket.pause();
    const text = JSON.stringify({ kind: 'ping', text: 'x'.repeat(30_000) });
    for (let n = 0; n < 1_000; n += 1) client.socket.send(text, () => undefined);
    expect(await client.closed).toEqual({ code: 4504, reason: 'upstream-timeout' });
    await eventually(() => scene.gate.open() === 0);
    peer.socket.terminate();
    await scene.nothingIsLeft();
  });
});
