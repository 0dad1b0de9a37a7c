/**
 * A token is taken back after it was found good and before what it opens is there: an event stream that its server is slow
 * to begin. Nothing that could be ended exists when the revocation is made.
 */
import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type BareUpstream, bareUpstream } from '../support/bare-upstream.ts';
import { commandLine } from '../support/command-line.ts';
import { eventually } from '../support/eventually.ts';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts';

const policy = `
version: 1
name: streams
routes:
  - { id: stream, match: GET /api/stream, timeout: 10m }
`;

let upstream: BareUpstream;
let gateway: GatewayProcess;
/** The connections on which the server has a request and has said nothing yet. */
const asked: Socket[] = [];
beforeAll(async () => {
  upstream = await bareUpstream(({ socket, target }) => void (target === '/api/stream' && asked.push(socket)));
  gateway = await startGatewayProcess(upstream.url, (directory) => {
    writeFileSync(join(directory, 'streams.yaml'), policy);
    return ['streams.yaml'];
  });
});
afterAll(async () => {
  await gateway.stop();
  await upstream[Symbol.asyncDispose]();
});

const EVENT_STREAM = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';
const EVENT = '9\r\ndata: 1\n\n\r\n';

const listen = async (user: string) => {
  const headers = { authorization: `Bearer ${await gateway.issuer.token(user)}` };
  const heard = { text: '', over: false };
  const sent = request(`${gateway.url()}/api/stream`, { headers, agent: false }, (response) => {
    response.setEncoding('utf8').on('data', (text: string) => {
      heard.text += text;
    });
    response.on('error', () => undefined);
  });
  sent.on('error', () => undefined);
  sent.on('close', () => {
    heard.over = true;
  });
  sent.end();
  await eventually(() => asked.length > 0);
  return { heard, server: asked.shift() as Socket };
};

test('an event stream that begins only after its listener was revoked ends as it begins, and no other', async () => {
  const bob = await listen('bob');
  const alice = await listen('alice');
  const place = ['--config', join(gateway.directory, 'gateway.yaml'), '--admin-port', new URL(gateway.adminUrl()).port];
  const { code, err } = await commandLine('revoke', 'user', 'test|alice', ...place);
  expect([code, err]).toEqual([0, '']);
  const closed = new Promise((resolve) => alice.server.once('close', resolve));
  for (const { server } of [alice, bob]) server.write(EVENT_STREAM + EVENT);
  await closed;
  await eventually(() => alice.heard.over);
  await eventually(() => bob.heard.text !== '');
  expect([alice.heard.text, bob.heard.over]).toEqual(['', false]);
  bob.server.destroy();
});
