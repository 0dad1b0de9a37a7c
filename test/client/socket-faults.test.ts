/** The kit's socket where a user is put out, a limit refuses, and the server behind is away. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type StandIn, startStandIn } from '../../demo/jaaz/server.ts';
import { eventually } from '../support/eventually.ts';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts';
import { kitSocket, stopping } from '../support/kit-socket.ts';

let upstream: StandIn;
let gateway: GatewayProcess;
const folder = mkdtempSync(join(tmpdir(), 'kit-upstream-'));
const url = () => gateway.url();
beforeAll(async () => {
  upstream = await startStandIn({ dataDir: folder });
  gateway = await startGatewayProcess(upstream.url, undefined, { sockets: { 'per-user': 1 } });
});
afterAll(async () => {
  await gateway.stop();
  await upstream.close();
  rmSync(folder, { recursive: true });
});

const revoke = async (user: string): Promise<void> => {
  const authorization = `Bearer ${readFileSync(join(gateway.directory, 'admin.token'), 'utf8').trim()}`;
  const body = JSON.stringify({ user: `test|${user}` });
  const headers = { authorization, 'content-type': 'application/json' };
  expect((await fetch(`${gateway.adminUrl()}/revocations`, { method: 'POST', headers, body })).status).toBe(201);
};

test('a socket whose user was put out comes back with a token of later', async () => {
  let token = await gateway.issuer.token('carol');
  const refresh = async () => {
    // Of the second of the revocation none is good.
    const second = Math.floor(Date.now() / 1000);
    await eventually(() => Math.floor(Date.now() / 1000) > second);
    token = await gateway.issuer.token('carol');
    return token;
  };
  const { isIn, closings, connects, refusals } = kitSocket({ url: url(), token: () => token, refresh });
  await isIn();
  await revoke('carol');
  await eventually(() => connects() === 2);
  // It does not come with the old one first: that would count as a failed authentication.
  expect([closings, refusals]).toEqual([[4401], []]);
});

test('one socket too many is told when it comes again, and does', async () => {
  const token = () => gateway.issuer.token('dave');
  const first = kitSocket({ url: url(), token });
  await first.isIn();
  const second = kitSocket({ url: url(), token });
  await eventually(() => second.errors.length > 0);
  expect(second.errors[0]).toMatchObject({ status: 429, code: 'sockets-limited', retryAfterMillis: 5_000 });
  first.stop();
  await second.isIn();
});

test('one that would come again is stopped with nothing left', async () => {
  const first = kitSocket({ url: url(), token: () => gateway.issuer.token('frank') });
  await first.isIn();
  const ended = await stopping(url(), await gateway.issuer.token('frank'), 'error');
  expect(ended).toEqual({ code: 0, said: 'error\n', isSoon: true });
});

test('a gap is told, and the socket stays', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'kit-upstream-'));
  const before = await startStandIn({ dataDir });
  const behind = await startGatewayProcess(before.url);
  const { isIn, notices, connects } = kitSocket({ url: behind.url(), token: () => behind.issuer.token('alice') });
  await isIn();
  await eventually(() => before.sockets() > 0);
  await before.close();
  const after = await startStandIn({ dataDir, port: before.port });
  await eventually(() => notices.length > 0, 20_000);
  expect([notices[0]?.type, connects()]).toEqual(['gap', 1]);
  await behind.stop();
  await after.close();
  rmSync(dataDir, { recursive: true });
});
