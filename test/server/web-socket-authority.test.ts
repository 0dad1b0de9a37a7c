import { describe, expect, test } from 'vitest';
import { SESSION_COOKIE } from '../../src/model/cookie.ts';
import type { Policy } from '../../src/model/policy.ts';
import type { Principal } from '../../src/model/principal.ts';
import { Rejection } from '../../src/model/rejection.ts';
import { eventually } from '../support/eventually.ts';
import { policyFrom, principalOf } from '../support/stages.ts';
import { AGENT_POLICY } from '../support/web-socket-door.ts';
import { inMode, webSocketScene } from '../support/web-socket-scene.ts';

const scene = webSocketScene();

const shortly = () => new Map([['ann-token', { ...principalOf('ann'), expiresAtMillis: Date.now() + 1_000 }]]);

describe('the authority of a connection', () => {
  test('ends: the client is told 4401, the upstream 1001', async () => {
    await scene.set({ gate: { tokens: shortly() } });
    const { client, peer } = await scene.pair();
    expect(await client.closed).toEqual({ code: 4401, reason: 'authority-expired' });
    await eventually(() => peer.closed()?.code === 1001);
    expect(scene.gate.records.at(-1)).toMatchObject({
      outcome: 'refused',
      reason: 'authority-expired',
      owner: 'test|ann',
    });
    await scene.nothingIsLeft();
  });

  test('ends an opaque connection, too', async () => {
    await scene.set({ gate: { tokens: shortly() } });
    const { client } = await scene.pair('ann', '/ws/terminal/session-ann');
    expect((await client.closed).code).toBe(1006);
    expect(scene.gate.reasons()).toEqual(['authority-expired']);
    await scene.nothingIsLeft();
  });

  test('ends while the upstream is asked: 401', async () => {
    await scene.set({ upstream: { answer: () => true }, gate: { tokens: shortly() } });
    const answer = await scene.gate.client('/ws/agent', 'ann').refused();
    expect(answer).toMatchObject({ status: 401, code: 'authority-expired' });
    await scene.nothingIsLeft();
  });

  test('is nobody’s after its end where the policy is not in effect', async () => {
    await scene.set({ gate: { policy: () => inMode('shadow'), tokens: shortly() } });
    const { client, peer } = await scene.pair();
    await eventually(() => scene.gate.records.length === 2);
    expect(scene.gate.records.at(-1)).toMatchObject({
      outcome: 'allowed',
      mode: 'shadow',
      findings: [{ reason: 'authority-expired' }],
    });
    client.say({ kind: 'ping' });
    await eventually(() => peer.heard.length === 1);
  });

  test('is taken back: only that user’s connections end', async () => {
    await scene.set();
    const { client: ann } = await scene.pair('ann');
    const { client: raw } = await scene.pair('ann', '/ws/terminal/session-ann');
    const { client: bob } = await scene.pair('bob');
    expect(scene.gate.end(({ user }) => user === 'ann')).toBe(2);
    expect(scene.gate.end(({ user }) => user === 'ann')).toBe(0);
    expect(await ann.closed).toEqual({ code: 4401, reason: 'token-revoked' });
    await raw.closed;
    await eventually(() => scene.gate.open() === 1 && scene.upstream.open() === 1);
    expect(bob.end()).toBeUndefined();
  });

  test('over what its path names is looked at again and again', async () => {
    await scene.set();
    const { client } = await scene.pair('ann', '/ws/canvas/canvas-ann');
    const { client: raw } = await scene.pair('ann', '/ws/terminal/session-ann');
    const { ledger, lookup } = scene.gate;
    await lookup.forget(await ledger.release({ kind: 'canvas', id: 'canvas-ann' }, 'test|ann'));
    expect(await client.closed).toEqual({ code: 4404, reason: 'resource-hidden' });
    await raw.closed;
    await scene.nothingIsLeft();
  });

  test('is not lost when the ledger cannot be asked', async () => {
    let asked = 0;
    await scene.set({
      gate: {
        async ownersOf() {
          asked += 1;
          if (asked > 1) throw new Rejection('ledger-unavailable', 'down');
          return ['test|ann'];
        },
      },
    });
    const { client } = await scene.pair('ann', '/ws/canvas/canvas-ann');
    await eventually(() => asked > 5);
    expect(client.end()).toBeUndefined();
  });
});

describe('the session of a connection', () => {
  const START = 1_000_000;
  const sessionOf = (roles: readonly string[], expiresAtMillis = START + 60_000): Principal =>
    ({ ...principalOf('eve', [...roles]), sessionId: 's-eve', expiresAtMillis }) as Principal;

  /** Eve opens an endpoint with her cookie. The first time that her session runs out she is `later`; then it is over. */
  const open = async (path: string, later: Principal | undefined, more: object = {}) => {
    const clock = { now: START };
    await scene.set({
      gate: {
        now: () => clock.now,
        sessions: new Map([['eve-session', sessionOf(['admin'])]]),
        prolong: async ({ expiresAtMillis }) => (expiresAtMillis === START + 60_000 ? later : undefined),
        ...more,
      },
    });
    const headers = { cookie: `${SESSION_COOKIE}=eve-session` };
    const client = scene.gate.client(path, undefined, { headers });
    await client.opened;
    await eventually(() => scene.gate.records.length === 1);
    return { client, clock, peer: scene.upstream.peers[0] };
  };

  test('is prolonged while it is used, and ends it with 4401 when it is over', async () => {
    const { client, clock, peer } = await open('/ws/agent', sessionOf([], START + 120_000));
    clock.now += 60_000;
    scene.gate.watched.tick();
    await new Promise(setImmediate);
    client.say({ kind: 'ping' });
    await eventually(() => peer?.heard.length === 1);
    expect([client.end(), scene.gate.records.length]).toEqual([undefined, 1]);
    clock.now += 60_000;
    expect(await client.closed).toEqual({ code: 4401, reason: 'session-ended' });
    expect(scene.gate.records.at(-1)).toMatchObject({ outcome: 'refused', reason: 'session-ended', owner: 'test|eve' });
    await scene.nothingIsLeft();
  });

  test.each([
    ['goes on with the role that its endpoint asks for', ['staff', 'admin'], undefined],
    ['ends with 4403 when it has that no longer', ['staff'], { code: 4403, reason: 'role-missing' }],
  ])('%s', async (_, roles, end) => {
    const { client, clock } = await open('/ws/staff', sessionOf(roles, START + 120_000));
    clock.now += 60_000;
    scene.gate.watched.tick();
    await new Promise(setImmediate);
    if (end !== undefined) await client.closed;
    expect(client.end()).toEqual(end);
  });

  test('may lose its role where the policy is not in effect, and is turned out when that is', async () => {
    let policy = inMode('shadow');
    const { client, clock } = await open('/ws/staff', sessionOf([], START + 120_000), { policy: () => policy });
    clock.now += 60_000;
    scene.gate.watched.tick();
    await new Promise(setImmediate);
    expect(scene.gate.count()).toBe(1);
    policy = policyFrom(AGENT_POLICY);
    scene.gate.rejudge();
    expect(await client.closed).toEqual({ code: 4403, reason: 'role-missing' });
  });

  test('is taken back: the client is told that it has ended', async () => {
    const { client } = await open('/ws/agent', undefined);
    expect(scene.gate.end(({ sessionId }) => sessionId === 's-eve')).toBe(1);
    expect(await client.closed).toEqual({ code: 4401, reason: 'session-ended' });
  });
});

describe('another policy', () => {
  const inEffect = policyFrom(AGENT_POLICY);
  const changed = (found: string, by: string): Policy => {
    const text = AGENT_POLICY.replace(found, by);
    if (text === AGENT_POLICY) throw new Error(`nothing was found for ${found}`);
    return policyFrom(text);
  };

  test('with the same terms judges what is said from then on', async () => {
    let policy = inEffect;
    await scene.set({ gate: { policy: () => policy } });
    const { client, peer } = await scene.pair();
    policy = changed('      ping: { shared: true }\n', '      pong: { shared: true }\n');
    scene.gate.rejudge();
    client.say({ kind: 'ping' });
    client.say({ kind: 'pong' });
    await eventually(() => peer.heard.length === 1);
    expect(peer.heard).toEqual(['{"kind":"pong"}']);
    expect(client.end()).toBeUndefined();
  });

  test.each([
    ['without the endpoint', changed('- id: agent\n', '- id: agent2\n'), 503, 'shutting-down'],
    ['that is in effect', inEffect, 401, 'token-missing'],
  ])('%s is found by a handshake that began under the one before', async (_, next, status, code) => {
    let policy = inMode('shadow');
    let goOn: (() => void) | undefined;
    await scene.set({
      gate: {
        policy: () => policy,
        identify: () =>
          new Promise((_resolve, reject) => {
            goOn = () => reject(new Rejection('token-missing', 'nobody'));
          }),
      },
    });
    const client = scene.gate.client('/ws/agent', 'ann');
    await eventually(() => goOn !== undefined);
    policy = next;
    scene.gate.rejudge();
    goOn?.();
    expect(await client.refused()).toMatchObject({ status, code });
    expect(scene.upstream.asked).toEqual([]);
    await scene.nothingIsLeft();
  });

  test.each([
    ['with other terms', 'path: /ws/agent', 'path: /ws/agents'],
    ['that asks for a role', 'path: /ws/agent\n', 'path: /ws/agent\n    roles: [admin]\n'],
    ['that has no such endpoint', '- id: agent\n', '- id: agent2\n'],
  ])('%s ends what is open, and its client comes back', async (_, found, by) => {
    let policy = inEffect;
    await scene.set({ gate: { policy: () => policy } });
    const { client } = await scene.pair();
    policy = changed(found, by);
    scene.gate.rejudge();
    expect(await client.closed).toEqual({ code: 1012, reason: 'shutting-down' });
    await scene.nothingIsLeft();
  });

  test('that comes into effect turns out whom it would have refused', async () => {
    let policy = inMode('shadow');
    await scene.set({ gate: { policy: () => policy } });
    const nobody = scene.gate.client('/ws/agent');
    await nobody.opened;
    const { client: foreign } = await scene.pair('ann', '/ws/canvas/canvas-bob');
    const { client: ann } = await scene.pair();
    policy = inEffect;
    scene.gate.rejudge();
    expect((await nobody.closed).code).toBe(4401);
    expect((await foreign.closed).code).toBe(4404);
    await eventually(() => scene.gate.open() === 1);
    expect(ann.end()).toBeUndefined();
  });
});
