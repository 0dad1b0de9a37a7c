/**
 * A page of another site must not read answers by its visitor's credentials, nor have a browser send what it would not send
 * by itself. Only origins that the operator lists may, and the upstream has no word in it.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { policyFrom } from '../support/stages.ts';
import { exchange, portOf, requestText } from '../support/wire.ts';
import { startWorld, type World } from '../support/world.ts';

const LISTED = 'https://app.example';
const POLICY = `
version: 1
name: p
resources: { canvas: { id: '[a-z]{1,9}' } }
routes:
  - { id: open, match: GET /open, access: public }
  - { id: mine, match: GET /mine }
  - { id: watched, match: GET /watched, access: public, mode: shadow }
  - { id: options, match: OPTIONS /open, access: public }
sockets:
  - { path: /socket.io/, protocol: socket.io, transports: [polling, websocket], token: [header], deliver: {}, accept: {} }
`;

/** What an upstream says that has been taken over, or was made for another place. */
const THEIRS = {
  'access-control-allow-origin': '*',
  'access-control-allow-credentials': 'true',
  'access-control-expose-headers': '*',
  'access-control-allow-methods': '*',
  'set-cookie': ['__Host-jaaz-session=evil; Path=/; Secure', 'other=1'],
  'strict-transport-security': 'max-age=0',
  'clear-site-data': '"*"',
};

const asked: string[] = [];
let upstream: Server;
let listing: World;
let closed: World;
let direct: number;

beforeAll(async () => {
  upstream = createServer(({ method, url }, response) => {
    // The gateway's own ear asks for events all the time.
    if (url?.startsWith('/socket.io/') === false) asked.push(`${method} ${url}`);
    response.writeHead(200, { 'content-type': 'text/html', ...THEIRS }).end('<p>');
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  direct = (upstream.address() as AddressInfo).port;
  const start = (origins: readonly string[]) =>
    startWorld({
      upstreamUrl: `http://127.0.0.1:${direct}`,
      policy: policyFrom(POLICY),
      config: { listen: { host: '127.0.0.1', port: 0, hosts: undefined, trustedProxies: [], url: undefined, origins } },
    });
  listing = await start([LISTED]);
  closed = await start([]);
});
afterAll(async () => {
  await Promise.all([listing.close(), closed.close()]);
  upstream.close();
});

const send = async (line: string, lines: readonly string[] = [], { port = portOf(listing.gateway.url) } = {}) => {
  asked.length = 0;
  const { answers } = await exchange(port, requestText(`${line} HTTP/1.1`, ['Host: x', ...lines]), { answers: 1 });
  const { status = 0, head = '' } = answers[0] ?? {};
  const headers: Record<string, string> = {};
  for (const each of head.split('\r\n').slice(1)) {
    const colon = each.indexOf(':');
    const name = each.slice(0, colon).toLowerCase();
    const value = each.slice(colon + 1).trim();
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
  }
  const named = (start: string): string[] => Object.keys(headers).filter((name) => name.startsWith(start));
  return { status, headers, cors: named('access-control-'), cookies: named('set-cookie') };
};

const PREFLIGHT = ['Access-Control-Request-Method: DELETE', 'Access-Control-Request-Headers: authorization'];

test('the upstream alone would let every page do everything', async () => {
  const { cors, cookies } = await send('GET /open', ['Origin: https://evil.example'], { port: direct });
  expect([cors.length, cookies.length]).toEqual([4, 1]);
});

describe.each(['/open', '/mine', '/watched', '/no/such'])('at %s', (path) => {
  test('nothing that the upstream says of origins or cookies passes', async () => {
    for (const origin of [[], ['Origin: https://evil.example'], ['Origin: null']]) {
      for (const port of [portOf(listing.gateway.url), portOf(closed.gateway.url)]) {
        const { cors, cookies, headers } = await send(`GET ${path}`, origin, { port });
        expect([cors, cookies]).toEqual([[], []]);
        expect(headers).not.toHaveProperty('clear-site-data');
        expect(headers).not.toHaveProperty('strict-transport-security');
      }
    }
  });

  test('a page of a listed origin reads the answer, whatever it is', async () => {
    const { headers } = await send(`GET ${path}`, [`Origin: ${LISTED}`]);
    expect(headers).toMatchObject({
      'access-control-allow-origin': LISTED,
      'access-control-allow-credentials': 'true',
      'access-control-expose-headers': 'ratelimit, ratelimit-policy, retry-after, www-authenticate, x-request-id',
    });
    expect(headers.vary).toContain('origin');
  });

  test('a browser that asks for a listed origin is answered by the gateway, without credentials', async () => {
    const { status, headers } = await send(`OPTIONS ${path}`, [`Origin: ${LISTED}`, ...PREFLIGHT]);
    expect([status, asked]).toEqual([204, []]);
    expect(headers).toMatchObject({
      ...{ 'access-control-allow-origin': LISTED, 'access-control-allow-credentials': 'true' },
      'access-control-max-age': '600',
    });
    expect(headers).not.toHaveProperty('content-length');
  });

  test.each([
    'null',
    'https://evil.example',
    'https://app.example.evil.example',
    'https://app.example:444',
    'https://app.example.',
  ])('a browser that asks for %s is refused', async (origin) => {
    const { status, cors } = await send(`OPTIONS ${path}`, [`Origin: ${origin}`, ...PREFLIGHT]);
    expect([status, cors, asked]).toEqual([403, [], []]);
  });
});

describe('a socket that polls', () => {
  const poll = async (origin: string) => {
    const authorization = `Authorization: Bearer ${await listing.issuer.token('alice')}`;
    return send('GET /socket.io/?EIO=4&transport=polling', [authorization, `Origin: ${origin}`]);
  };

  test('is open to pages of a listed origin, and asked about as everything is', async () => {
    const { status, headers } = await poll(LISTED);
    expect(status).toBe(200);
    expect(headers).toMatchObject({ 'access-control-allow-origin': LISTED, vary: 'origin' });
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'same-origin' });
    expect((await send('OPTIONS /socket.io/', [`Origin: ${LISTED}`, ...PREFLIGHT])).status).toBe(204);
  });

  test('is closed to others', async () => {
    const { status, cors, headers } = await poll('https://evil.example');
    expect([status, cors]).toEqual([403, []]);
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'same-origin' });
    expect((await send('OPTIONS /socket.io/', ['Origin: https://evil.example', ...PREFLIGHT])).status).toBe(403);
  });
});

test('where no origin is listed every question is refused, and recorded', async () => {
  const port = portOf(closed.gateway.url);
  const { status, cors, headers } = await send('OPTIONS /open', [`Origin: ${LISTED}`, ...PREFLIGHT], { port });
  expect([status, cors, asked]).toEqual([403, [], []]);
  expect(headers).not.toHaveProperty('vary');
  const recorded = () => closed.audit().filter(({ route }) => route === 'cors.preflight');
  await eventually(() => recorded().length > 0);
  const refused = { outcome: 'refused', reason: 'origin-refused', method: 'OPTIONS', path: '/open' };
  expect(recorded().at(-1)).toMatchObject(refused);
});

test('OPTIONS without a page behind it is a request like others', async () => {
  expect((await send('OPTIONS /open')).status).toBe(200);
  expect(asked).toEqual(['OPTIONS /open']);
  expect((await send('OPTIONS /mine', [`Origin: ${LISTED}`])).status).toBe(404);
});

test('a question is read as strictly as every request', async () => {
  for (const line of [
    'OPTIONS /open%0a',
    'OPTIONS //open',
    'OPTIONS http://evil/open',
    'OPTIONS /a/../open',
    'OPTIONS *',
  ]) {
    expect((await send(line, [`Origin: ${LISTED}`, ...PREFLIGHT])).status, line).toBe(400);
  }
  const twice = [`Origin: ${LISTED}`, 'Origin: https://evil.example', ...PREFLIGHT];
  expect((await send('OPTIONS /open', twice)).cors).toEqual([]);
});

test('every answer tells browsers to beware, the upstream’s pages and the gateway’s refusals alike, where the policy is in effect', async () => {
  const always = { 'x-content-type-options': 'nosniff', 'referrer-policy': 'same-origin' };
  for (const line of ['GET /open', 'GET /mine', 'GET /no/such', 'OPTIONS /open']) {
    const { headers } = await send(line);
    expect(headers, line).toMatchObject({ ...always, 'cross-origin-resource-policy': 'same-origin' });
  }
  const framing = { 'x-frame-options': 'SAMEORIGIN', 'content-security-policy': "frame-ancestors 'self'" };
  expect((await send('GET /open')).headers).toMatchObject(framing);
  const { headers: watched } = await send('GET /watched');
  const added = Object.keys({ ...always, ...framing });
  expect(added.filter((name) => name in watched)).toEqual([]);
});
