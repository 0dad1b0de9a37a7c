import { afterEach, beforeEach, expect, test } from 'vitest';
import WebSocket from 'ws';
import { eventually } from './support/eventually.ts';
import { policyFrom } from './support/stages.ts';
import { AGENT_POLICY } from './support/web-socket-door.ts';
import { type WebSocketUpstream, webSocketUpstream } from './support/web-socket-upstream.ts';
import { SOCKETS, startWorld, type World } from './support/world.ts';

let upstream: WebSocketUpstream;
let world: World;

beforeEach(async () => {
  upstream = await webSocketUpstream();
  world = await startWorld({ policy: policyFrom(AGENT_POLICY), upstreamUrl: upstream.url });
});

afterEach(async () => {
  await world.close();
  await upstream[Symbol.asyncDispose]();
});

const connect = async (path: string, token: string) => {
  const socket = new WebSocket(`${world.gateway.url.replace('http', 'ws')}${path}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const heard: string[] = [];
  let status: number | undefined;
  let closed: number | undefined;
  socket.on('message', (data) => heard.push(String(data)));
  socket.on('error', () => undefined);
  socket.on('close', (code) => {
    closed = code;
  });
  socket.on('unexpected-response', (_, response) => {
    status = response.statusCode;
    response.resume().on('close', () => socket.terminate());
  });
  await eventually(() => socket.readyState === socket.OPEN || status !== undefined);
  return { socket, heard, status: () => status, closed: () => closed };
};

test('a client of the whole gateway speaks to the upstream, is judged, recorded and counted', async () => {
  const client = await connect('/ws/agent', await world.issuer.token('ann'));
  expect(upstream.asked[0]?.headers['x-user-id']).toBe('test|ann');
  upstream.peers[0]?.say({ kind: 'hello' });
  upstream.peers[0]?.say({ kind: 'delta', session_id: 'session-bob' });
  client.socket.send(JSON.stringify({ kind: 'say', session_id: 'session-bob', text: 'x' }));
  client.socket.send(JSON.stringify({ kind: 'open', canvas_id: 'canvas-bob', session_id: 'new-1' }));
  client.socket.send('{"kind":"ping"}');
  await eventually(() => client.heard.length === 3 && upstream.peers[0]?.heard.length === 1);
  expect(client.heard[0]).toBe('{"kind":"hello"}');
  const metrics = await (await fetch(`${world.gateway.adminUrl}/metrics`)).text();
  expect(metrics).toContain('gateway_events_total{outcome="dropped",because="unknown-owner"} 1');
  expect(metrics).toContain('gateway_events_total{outcome="forwarded",because="none"} 1');
  expect(world.audit().filter(({ route }) => route === 'agent')).toMatchObject([
    { kind: 'socket', outcome: 'allowed', owner: 'test|ann' },
    { kind: 'event', outcome: 'refused', reason: 'resource-hidden' },
    { kind: 'event', outcome: 'refused', reason: 'resource-hidden' },
  ]);
});

test('the limits of the configuration are those of raw WebSockets, too', async () => {
  const limited = async (sockets: Partial<typeof SOCKETS>): Promise<string> => {
    await world.close();
    const config = { sockets: { ...SOCKETS, ...sockets } };
    world = await startWorld({ policy: policyFrom(AGENT_POLICY), upstreamUrl: upstream.url, config });
    return world.issuer.token('ann');
  };
  let token = await limited({ perUser: 1 });
  await connect('/ws/agent', token);
  expect((await connect('/ws/agent', token)).status()).toBe(429);
  token = await limited({ perAddress: 1 });
  await connect('/ws/agent', token);
  expect((await connect('/ws/agent', await world.issuer.token('bob'))).status()).toBe(429);
  token = await limited({ packetsPerSecond: 1, burst: 3 });
  const client = await connect('/ws/agent', token);
  for (let n = 0; n < 4; n += 1) client.socket.send('{"kind":"ping"}');
  await eventually(() => client.closed() !== undefined);
  expect(client.closed()).toBe(4429);
});

test('large messages pass in slices, as they were read', async () => {
  await world.close();
  const policy = policyFrom(AGENT_POLICY.replace('max: 64KiB', 'max: 4MiB'));
  world = await startWorld({ policy, upstreamUrl: upstream.url });
  const client = await connect('/ws/agent', await world.issuer.token('ann'));
  const text = JSON.stringify({ kind: 'hello', list: Array.from({ length: 100_000 }, (_, n) => `item ${n}`) });
  upstream.peers[0]?.say(text);
  await eventually(() => client.heard.length === 1);
  expect(client.heard[0]).toBe(text);
});

test('a token that is none, and a path that is none, are answered plainly', async () => {
  expect((await connect('/ws/agent', 'forged')).status()).toBe(401);
  expect((await connect('/ws/none', 'forged')).status()).toBe(404);
  expect(upstream.asked).toEqual([]);
});

test('the gateway’s end is told to its clients', async () => {
  const client = await connect('/ws/agent', await world.issuer.token('ann'));
  await world.gateway.close(200);
  await eventually(() => client.closed() !== undefined);
  expect(client.closed()).toBe(1012);
  await eventually(() => upstream.open() === 0);
});
