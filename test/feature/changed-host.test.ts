/** Behind a proxy that changes Host, the operator says under which address browsers know the gateway: sockets believe it too. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import WebSocket from 'ws';
import { policyFrom } from '../support/stages.ts';
import { AGENT_POLICY } from '../support/web-socket-door.ts';
import { type WebSocketUpstream, webSocketUpstream } from '../support/web-socket-upstream.ts';
import { startWorld, type World } from '../support/world.ts';

const URL_OF_BROWSERS = 'https://jaaz.example.com';
const listen = { host: '127.0.0.1', port: 0, hosts: undefined, trustedProxies: [], url: URL_OF_BROWSERS, origins: [] };

let upstream: WebSocketUpstream;
const worlds: World[] = [];
beforeAll(async () => {
  upstream = await webSocketUpstream();
  worlds.push(await startWorld({ config: { listen } }));
  worlds.push(await startWorld({ config: { listen }, policy: policyFrom(AGENT_POLICY), upstreamUrl: upstream.url }));
});
afterAll(async () => {
  for (const world of worlds) await world.close();
  await upstream[Symbol.asyncDispose]();
});

/** Resolves with the status of the answer; 101 where it is a socket. The Host is that of the proxy's own request. */
const knock = async (world: World | undefined, path: string, origin: string): Promise<number | undefined> => {
  if (world === undefined) throw new Error('there is no world');
  const authorization = `Bearer ${await world.issuer.token('ann')}`;
  const headers = { origin, authorization, 'sec-fetch-site': 'same-origin' };
  const socket = new WebSocket(`${world.gateway.url.replace('http', 'ws')}${path}`, { headers });
  const status = await new Promise<number | undefined>((resolve) => {
    socket.on('open', () => resolve(101));
    socket.on('unexpected-response', (_, response) => resolve(response.statusCode));
    socket.on('error', () => undefined);
  });
  socket.terminate();
  return status;
};

test.each([
  ['Socket.IO', 0, '/socket.io/?EIO=4&transport=websocket'],
  ['a raw WebSocket', 1, '/ws/agent'],
] as const)('a page of that address opens %s, and no other page does', async (_, which, path) => {
  expect(await knock(worlds[which], path, URL_OF_BROWSERS)).toBe(101);
  for (const other of ['http://jaaz.example.com', 'https://evil.example', `${URL_OF_BROWSERS}:444`])
    expect([other, await knock(worlds[which], path, other)]).toEqual([other, 403]);
});
