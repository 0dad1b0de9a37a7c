import { describe, expect, test } from 'vitest';
import { Rejection } from '../../src/model/rejection.ts';
import { eventually } from '../support/eventually.ts';
import { inMode, webSocketScene } from '../support/web-socket-scene.ts';

const scene = webSocketScene();

describe('a connection', () => {
  test('has one to the upstream of its own, and both are counted until they are closed', async () => {
    await scene.set();
    const { gate, upstream } = scene;
    const { client: ann } = await scene.pair('ann');
    const { client: bob } = await scene.pair('bob');
    expect([gate.count(), gate.open(), upstream.peers.length]).toEqual([2, 2, 2]);
    expect(gate.records).toMatchObject([
      { kind: 'socket', outcome: 'allowed', route: 'agent', path: '/ws/agent', owner: 'test|ann' },
      { kind: 'socket', outcome: 'allowed', route: 'agent', path: '/ws/agent', owner: 'test|bob' },
    ]);
    ann.socket.close();
    await eventually(() => gate.count() === 1 && upstream.open() === 1);
    bob.socket.terminate();
    await scene.nothingIsLeft();
  });

  test('above the number for its owner, or for its address, is refused, and gives its place back', async () => {
    await scene.set({ gate: { maxSocketsPerOwner: 1, maxSocketsPerAddress: 3 } });
    const { gate, upstream } = scene;
    const { client } = await scene.pair('ann');
    const refused = { status: 429, code: 'sockets-limited' };
    expect(await gate.client('/ws/agent', 'ann').refused()).toMatchObject(refused);
    await scene.pair('bob');
    await scene.pair('eve');
    expect(await gate.client('/ws/agent', 'eve').refused()).toMatchObject(refused);
    expect(upstream.asked.length).toBe(3);
    client.socket.close();
    await eventually(() => gate.open() === 2);
    await scene.pair('ann');
  });

  test('has its place as long as its upstream’s side is open, so that clients that come and go pile up nothing', async () => {
    let goOn: (() => void) | undefined;
    const ownersOf = () =>
      new Promise<['test|ann']>((resolve) => {
        goOn = () => resolve(['test|ann']);
      });
    await scene.set({ gate: { maxSocketsPerOwner: 1, maxSocketsPerAddress: 2, stages: { ownersOf } } });
    const { gate, upstream } = scene;
    const { client, peer } = await scene.pair('ann');
    client.say({ kind: 'subscribe', session_id: 'session-ann' });
    await eventually(() => goOn !== undefined);
    client.socket.close();
    await client.closed;
    expect(upstream.open()).toBe(1);
    const refused = { status: 429, code: 'sockets-limited' };
    expect(await gate.client('/ws/agent', 'ann').refused()).toMatchObject(refused);
    await scene.pair('bob');
    expect(await gate.client('/ws/agent', 'eve').refused()).toMatchObject(refused);
    goOn?.();
    await eventually(() => peer.closed() !== undefined && gate.open() === 1);
    await scene.pair('ann');
  });

  test('is refused by a limit of the policy, with its headers', async () => {
    await scene.set({
      gate: {
        limit: async () => {
          throw new Rejection('rate-limited', 'too many', { headers: ['retry-after', '7'] });
        },
      },
    });
    const answer = await scene.gate.client('/ws/agent', 'ann').refused();
    expect([answer.status, answer.headers['retry-after'], scene.upstream.asked.length]).toEqual([429, '7', 0]);
  });

  test('is let in beyond such a limit where the policy is not in effect, and the record says so', async () => {
    await scene.set({
      gate: {
        policy: () => inMode('shadow'),
        limit: async () => {
          throw new Rejection('rate-limited', 'too many');
        },
      },
    });
    await scene.pair('ann');
    await eventually(() => scene.gate.records.length === 1);
    expect(scene.gate.records[0]).toMatchObject({ mode: 'shadow', findings: [{ reason: 'rate-limited' }] });
  });

  test('is matched by its path, and by no other', async () => {
    await scene.set();
    const paths = ['/ws/agent', '/ws/canvas/canvas-ann', '/ws/canvas/list', '/ws/agent/', '/ws', '/ws/%61gent', ''];
    expect(paths.filter((path) => scene.gate.match(path))).toEqual(['/ws/agent', '/ws/canvas/canvas-ann']);
  });
});

describe('in shadow mode', () => {
  test('everybody is let in, and the record says who would not have been', async () => {
    await scene.set({ gate: { policy: () => inMode('shadow') } });
    const { gate, upstream } = scene;
    await gate.client('/ws/agent').opened;
    await gate.client('/ws/staff', 'ann').opened;
    await gate.client('/ws/terminal/session-bob', 'ann').opened;
    await eventually(() => gate.records.length === 3);
    expect(gate.records).toMatchObject([
      { mode: 'shadow', outcome: 'allowed', findings: [{ would: 'deny', reason: 'token-missing' }] },
      { mode: 'shadow', outcome: 'allowed', findings: [{ would: 'deny', reason: 'role-missing' }] },
      { mode: 'shadow', outcome: 'allowed', findings: [{ would: 'deny', reason: 'resource-hidden' }] },
    ]);
    expect(upstream.asked[0]?.headers['x-user-id']).toBeUndefined();
  });

  test('a page of another site is refused as ever', async () => {
    await scene.set({ gate: { policy: () => inMode('shadow') } });
    const headers = { origin: 'https://evil.example' };
    expect(await scene.gate.client('/ws/agent', 'ann', { headers }).refused()).toMatchObject({ status: 403 });
  });
});

describe('closing', () => {
  test('ends every connection with 1012, refuses what comes, and waits for all', async () => {
    await scene.set();
    const { gate } = scene;
    const { client } = await scene.pair();
    await scene.pair('ann', '/ws/terminal/session-ann');
    await gate.close();
    expect(gate.open()).toBe(0);
    expect(await client.closed).toEqual({ code: 1012, reason: 'shutting-down' });
    expect(await gate.client('/ws/agent', 'ann').refused()).toMatchObject({ status: 503, code: 'shutting-down' });
    expect(gate.reasons()).toEqual(['shutting-down']);
  });

  test('gives up a handshake that the upstream has not answered', async () => {
    await scene.set({ upstream: { answer: () => true } });
    const { gate, upstream } = scene;
    const client = gate.client('/ws/agent', 'ann');
    await eventually(() => upstream.open() === 1);
    await gate.close();
    expect(await client.refused()).toMatchObject({ status: 503, code: 'shutting-down' });
    await eventually(() => upstream.open() === 0);
  });
});
