/** A list of many megabytes goes through the real process row by row: it begins early, and no slow client makes it large. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openSqliteLedger } from '../../src/store/sqlite/ownership-ledger.ts';
import { eventually } from '../support/eventually.ts';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts';

const ROWS = 2_400;
const THUMBNAIL = `data:image/png;base64,${'A'.repeat(50_000)}`;
const rowText = (row: number): string => JSON.stringify({ id: `canvas-${row}`, name: 'x', thumbnail: THUMBNAIL });
const LIST_BYTES = ROWS * (rowText(100).length + 1);

/** The upstream's side of a list: how far it has come, and whether it may go on. */
const sending = { rows: 0, stopAfter: Number.POSITIVE_INFINITY, waiting: false };

const sendList = async (response: ServerResponse): Promise<void> => {
  response.setHeader('content-type', 'application/json');
  for (sending.rows = 0; sending.rows < ROWS; sending.rows += 1) {
    await eventually(() => sending.rows < sending.stopAfter, 30_000);
    const more = response.write(`${sending.rows === 0 ? '[' : ','}${rowText(sending.rows)}`);
    sending.waiting = !more;
    if (!more) await once(response, 'drain');
    sending.waiting = false;
  }
  response.end(']');
};

const upstream = createServer((request, response) => {
  if (request.url === '/api/canvas/list') void sendList(response);
  else response.writeHead(404).end();
});

let gateway: GatewayProcess;
let directory = '';
beforeAll(async () => {
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const { port } = upstream.address() as AddressInfo;
  gateway = await startGatewayProcess(`http://127.0.0.1:${port}`, (folder) => {
    directory = folder;
    return [resolve('policies/jaaz.yaml')];
  });
  const every = Array.from({ length: ROWS }, (_, row) => row);
  await own(
    'tenth',
    every.filter((row) => row % 10 === 0),
  );
  await own(
    'rest',
    every.filter((row) => row % 10 !== 0),
  );
}, 60_000);
afterAll(async () => {
  await gateway.stop();
  upstream.closeAllConnections();
  upstream.close();
});

const own = async (user: string, rows: readonly number[]): Promise<void> => {
  const ledger = openSqliteLedger({ path: join(directory, 'ownership.db') });
  const claims = rows.map((row) => ({
    ref: { kind: 'canvas', id: `canvas-${row}` },
    parent: undefined,
    verb: 'create' as const,
  }));
  const outcome = await ledger.claim(claims, `${gateway.issuer.settings.name}|${user}`, user);
  if (outcome.claimed) await ledger.settle(outcome.refs, user, 'kept');
  await ledger.close();
};

/** Asks for the list, and reads nothing of it yet. */
const ask = async (user: string): Promise<IncomingMessage> => {
  const authorization = `Bearer ${await gateway.issuer.token(user)}`;
  const request = get(`${gateway.url()}/api/canvas/list`, { headers: { authorization } });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return response;
};

test('the caller’s first rows arrive while the upstream still has most of them to send', async () => {
  sending.stopAfter = ROWS / 2;
  const response = await ask('tenth');
  const chunks: Buffer[] = [];
  response.on('data', (chunk: Buffer) => chunks.push(chunk));
  await eventually(() => chunks.length > 0);
  expect(sending.rows).toBeLessThanOrEqual(ROWS / 2);
  sending.stopAfter = Number.POSITIVE_INFINITY;
  await once(response, 'end');
  const wanted = Array.from({ length: ROWS / 10 }, (_, index) => rowText(index * 10));
  expect(Buffer.concat(chunks).toString() === `[${wanted.join(',')}]`).toBe(true);
}, 60_000);

/** Where the peak of another process's memory can be read. */
const isLinux = existsSync('/proc/self/status');

test.runIf(isLinux)(
  'a client that takes nothing for a while stops the upstream and not the gateway, and gets all of it then',
  async () => {
    const before = gateway.peakMemory();
    const response = await ask('rest');
    let stood = 0;
    let last = 0;
    await eventually(() => {
      stood = sending.waiting && sending.rows === last ? stood + 1 : 0;
      last = sending.rows;
      return stood === 40 || sending.rows === ROWS;
    }, 30_000);
    // The system's own buffers hold what they may: 32 MiB for each of two connections is not unusual.
    expect(sending.rows).toBeLessThan(ROWS);
    let bytes = 0;
    for await (const chunk of response) {
      bytes += (chunk as Buffer).length;
      await new Promise(setImmediate);
    }
    expect(bytes).toBeGreaterThan(LIST_BYTES * 0.89);
    // Chunks that were read and are not collected yet are most of it.
    expect(gateway.peakMemory() - before).toBeLessThan(48 * 1024 * 1024);
  },
  60_000,
);
