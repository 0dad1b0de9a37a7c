/**
 * A request is let in by a good token, and sends its body slowly. When the token is taken back meanwhile, what the body asks
 * for is not done.
 */
import { request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { answer, type BareUpstream, bareUpstream } from '../support/bare-upstream.ts';
import { commandLine } from '../support/command-line.ts';
import { eventually } from '../support/eventually.ts';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts';
import { own } from '../support/own-sessions.ts';

let upstream: BareUpstream;
let gateway: GatewayProcess;
beforeAll(async () => {
  upstream = await bareUpstream(({ socket }) =>
    socket.write(answer(200, '{"id":"x"}', { 'content-type': 'application/json' })),
  );
  gateway = await startGatewayProcess(upstream.url);
  await own(gateway.directory, ['alice', 'bob']);
});
afterAll(async () => {
  await gateway.stop();
  await upstream[Symbol.asyncDispose]();
});

const BODY = '{"name":"renamed"}';

/** Sends all but the last byte of a body. */
const slowly = async (user: string) => {
  const headers = {
    authorization: `Bearer ${await gateway.issuer.token(user)}`,
    'content-type': 'application/json',
    'content-length': String(BODY.length),
    expect: '100-continue',
  };
  const path = `/api/canvas/${user}-c/rename`;
  const sent = request(`${gateway.url()}${path}`, { method: 'POST', headers, agent: false });
  const told = new Promise<[number | undefined, string]>((resolve, reject) => {
    sent.on('error', reject);
    sent.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
      });
      response.on('end', () => resolve([response.statusCode, text]));
    });
  });
  // The gateway wants the body: the token was good.
  const wanted = new Promise((resolve) => sent.once('continue', resolve));
  sent.flushHeaders();
  await wanted;
  sent.write(BODY.slice(0, -1));
  return { told, end: () => sent.end(BODY.slice(-1)) };
};

test('the body of a token that was revoked meanwhile is not forwarded, and another user’s is', async () => {
  const [alice, bob] = [await slowly('alice'), await slowly('bob')];
  const place = ['--config', join(gateway.directory, 'gateway.yaml'), '--admin-port', new URL(gateway.adminUrl()).port];
  expect((await commandLine('revoke', 'user', 'test|alice', ...place)).code).toBe(0);
  for (const each of [alice, bob]) each.end();
  const [status, text] = await alice.told;
  expect([status, text]).toEqual([401, expect.stringContaining('"code":"token-revoked"')]);
  expect((await bob.told)[0]).toBe(200);
  await eventually(() => upstream.seen.includes('POST /api/canvas/bob-c/rename'));
  expect(upstream.seen.filter((seen) => seen.includes('alice-c'))).toEqual([]);
});
