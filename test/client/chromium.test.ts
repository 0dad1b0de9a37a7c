/** The kit in a real browser: a page of the gateway's own origin, with requests and a socket through a real gateway. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { onePlace, openChromium, type Page } from '../support/chromium.ts';
import { kitSources } from '../support/kit-sources.ts';
import { plainAnswers } from '../support/plain-answers.ts';
import { startWorld, type World } from '../support/world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld({ stepMillis: 0 });
});
afterAll(() => world.close());

const SOCKET_IO = join(dirname(createRequire(import.meta.url).resolve('socket.io-client/package.json')), 'dist');

interface Given {
  readonly stale: string;
  readonly fresh: readonly string[];
  readonly elsewhere: string;
}

/** What the page does; its tokens are given, and what it found is posted. */
const program = (given: Given): string => `
import { gatewayClient, GatewayError } from '/kit/index.ts';
import { io } from '/socket.io.js';

const { stale, fresh, elsewhere } = ${JSON.stringify(given)};
const found = { refreshed: [], notices: [], errors: [], closings: [], heard: 0, connects: 0 };
let token = stale;
const client = gatewayClient({
  token: () => token,
  refresh(old) {
    found.refreshed.push(old === stale ? 'stale' : 'later');
    return (token = fresh.shift());
  },
});
const until = async (holds) => {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 10));
};
const create = (id) => client.fetch('/api/canvas/create', {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ name: 'x', canvas_id: id, session_id: 's-' + id, messages: [{ role: 'user', content: 'a cat' }] }),
});

const work = async () => {
  found.created = await Promise.all([create('kit-web-1'), create('kit-web-2')]
    .map(async (answer) => (await (await answer).json()).id));
  found.hidden = await client.fetch('/api/nowhere').catch((error) =>
    [error instanceof GatewayError, error.status, error.code, typeof error.requestId]);
  found.foreign = await client.fetch(elsewhere).catch((error) => error.name);
  found.typeless = await client.fetch('/api/canvas/create', { method: 'POST', body: new Blob(['{']) })
    .catch((error) => error.code);
  const { socket, stop } = client.socket(io, {
    io: { reconnectionDelay: 300, reconnectionDelayMax: 300 },
    onNotice: (notice) => found.notices.push(notice.type + ' ' + notice.recovered),
    onError: (error) => found.errors.push(error.code),
  });
  socket.on('connect', () => (found.connects += 1));
  socket.on('disconnect', (reason, details) => found.closings.push(details?.context?.code ?? reason));
  socket.on('session_update', () => (found.heard += 1));
  await until(() => socket.connected);
  await create('kit-web-3');
  await until(() => found.heard > 0);
  await until(() => found.refreshed.length >= 3);
  // What comes behind a renewal comes to the socket that was renewed.
  const before = found.heard;
  await create('kit-web-4');
  await until(() => found.heard > before);
  found.afterRenewal = [found.connects, socket.connected];
  socket.io.engine.close();
  await until(() => found.connects === 2 && found.notices.length > 0);
  stop();
  found.stopped = [socket.connected, socket.active];
};
await work().catch((error) => (found.failed = String(error.stack)));
await fetch('/report', { method: 'POST', body: JSON.stringify(found) });
`;

const script = (text: string): Page => ({ type: 'text/javascript', text });

test('a page makes requests, holds a socket over several tokens, comes back, and stops', {
  timeout: 90_000,
}, async () => {
  const token = (seconds: number) => world.issuer.token('alice', { expiresInSeconds: seconds });
  const elsewhere = await plainAnswers({ status: 200 });
  // Some seconds of which the first belong to the start of the browser.
  const given = { stale: `${await token(600)}x`, fresh: [] as string[], elsewhere: `${elsewhere.url}/x` };
  const pages = new Map<string, Page>([
    [
      '/page',
      { type: 'text/html', text: '<!doctype html><title>kit</title><script type="module" src="/page.js"></script>' },
    ],
    ['/socket.io.js', script(readFileSync(join(SOCKET_IO, 'socket.io.esm.min.js'), 'utf8'))],
    ...[...kitSources()].map(([name, text]): [string, Page] => [`/kit/${name}`, script(text)]),
  ]);
  given.fresh.push(await token(15), await token(18), await token(3600));
  pages.set('/page.js', script(program(given)));
  const place = await onePlace(world.gateway.url, pages);
  const browser = openChromium(`${place.url}/page`);
  try {
    const found = (await place.report) as Record<string, unknown>;
    expect(found).toMatchObject({
      created: ['kit-web-1', 'kit-web-2'],
      hidden: [true, 404, 'route-unknown', 'string'],
      foreign: 'TypeError',
      typeless: 'body-type',
      refreshed: ['stale', 'later', 'later'],
      afterRenewal: [1, true],
      notices: ['history true'],
      errors: [],
      connects: 2,
      stopped: [false, false],
    });
    expect(found).not.toHaveProperty('failed');
    expect(elsewhere.came).toEqual([]);
  } finally {
    await browser.stop();
    place.stop();
    elsewhere.stop();
  }
});
