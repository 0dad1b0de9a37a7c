/**
 * A second request hidden in the body of the first: who frames the first otherwise than the server behind it lets the
 * second through unjudged. http-proxy 1.18.1 takes the framing away from a chunked DELETE or OPTIONS and sends its body on.
 */
import { Agent, createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createProxyServer } from 'http-proxy';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { chunked, exchange, portOf, requestText } from '../support/wire.ts';
import { startWorld, type World } from '../support/world.ts';

const SMUGGLED = requestText('GET /api/config HTTP/1.1', ['Host: x', 'X-Smuggled: yes']);

let world: World;
let token: string;
beforeAll(async () => {
  world = await startWorld();
  token = await world.issuer.token('mallory');
});
afterAll(() => world.close());

const smuggledUpstream = () => world.upstream.requests.filter(({ headers }) => headers['x-smuggled'] !== undefined);

describe('in front of the bare server, http-proxy', () => {
  let proxy: Server;
  beforeAll(async () => {
    const forward = createProxyServer({ target: world.upstream.url, agent: new Agent({ keepAlive: true }) });
    forward.on('error', () => undefined);
    // As careful as a gateway can be with what it is shown: the configuration is for nobody.
    proxy = createServer((request, response) => {
      if (request.url?.startsWith('/api/config') === true) response.writeHead(403).end();
      else forward.web(request, response);
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => {
    proxy.closeAllConnections();
    proxy.close();
  });

  test.each(['DELETE', 'OPTIONS'])('lets a chunked %s carry a second request past it', async (method) => {
    const { port } = proxy.address() as AddressInfo;
    const denied = await exchange(port, SMUGGLED, { answers: 1 });
    expect(denied.answers.map(({ status }) => status)).toEqual([403]);
    const before = smuggledUpstream().length;
    const line = `${method} /api/canvas/none/delete HTTP/1.1`;
    await exchange(port, requestText(line, ['Host: x', 'Transfer-Encoding: chunked'], chunked(SMUGGLED)), {
      answers: 1,
    });
    await eventually(() => smuggledUpstream().length > before);
    expect(smuggledUpstream().at(-1)?.path).toBe('/api/config');
  });
});

describe('through the gateway', () => {
  const send = (line: string, headers: readonly string[], body: string, more: { answers?: number } = {}) => {
    const all = ['Host: x', `Authorization: Bearer ${token}`, ...headers];
    return exchange(portOf(world.gateway.url), requestText(line, all, body), more);
  };

  /** Nothing was smuggled, and no request of this test was forwarded at all. */
  const expectNothingUpstream = (before: number): void => {
    const arrived = world.upstream.requests.slice(before);
    expect(arrived.filter(({ path }) => !path.startsWith('/api/list_'))).toEqual([]);
  };

  test.each([
    ['DELETE /api/canvas/none/delete', 'body-unexpected'],
    ['OPTIONS /api/canvas/list', 'route-unknown'],
    ['GET /api/canvas/list', 'body-unexpected'],
    ['GET /', 'body-unexpected'],
    ['POST /api/cancel/none', 'body-unexpected'],
    ['GET /api/nowhere', 'route-unknown'],
  ])('a chunked %s with a request in its body is one request, and refused', async (line, code) => {
    const before = world.upstream.requests.length;
    // What comes behind it is answered as itself, or the connection has ended: never is the body taken for a request.
    const honest = requestText('GET /api/config/exists HTTP/1.1', ['Host: x', 'Connection: close']);
    const body = chunked(SMUGGLED) + honest;
    const { answers } = await send(`${line} HTTP/1.1`, ['Transfer-Encoding: chunked'], body);
    expect([[code], [code, 'token-missing']]).toContainEqual(answers.map((answer) => answer.code));
    expectNothingUpstream(before);
  });

  test('a chunked body where one is expected is read to its end, and is not what it should be', async () => {
    const before = world.upstream.requests.length;
    const headers = ['Transfer-Encoding: chunked', 'Content-Type: application/json'];
    const { answers } = await send('POST /api/canvas/none/save HTTP/1.1', headers, chunked(SMUGGLED), { answers: 1 });
    expect(answers.map(({ code }) => code)).toEqual(['body-malformed']);
    expectNothingUpstream(before);
  });

  const inChunk = chunked(SMUGGLED);
  const length = (text: string): string => `Content-Length: ${text.length}`;
  const framings: ReadonlyArray<readonly [why: string, headers: readonly string[], body: string]> = [
    [
      'CL.TE: the length says all, the chunks say nothing',
      [length(`0\r\n\r\n${SMUGGLED}`), 'Transfer-Encoding: chunked'],
      `0\r\n\r\n${SMUGGLED}`,
    ],
    ['TE.CL: the chunks say all, the length says four', ['Transfer-Encoding: chunked', 'Content-Length: 4'], inChunk],
    ['a coding that is none', ['Transfer-Encoding: xchunked'], inChunk],
    ['a coding that is none beside a length', ['Transfer-Encoding: xchunked', 'Content-Length: 0'], SMUGGLED],
    ['chunked, and then something', ['Transfer-Encoding: chunked, identity'], inChunk],
    ['chunked twice', ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'], inChunk],
    ['chunked in two spellings', ['Transfer-Encoding: chunked', 'Transfer-encoding: cow'], inChunk],
    ['a tab before the coding', ['Transfer-Encoding:\tchunked\t', 'Content-Length: 0'], inChunk],
    ['a vertical tab in the coding', ['Transfer-Encoding: \x0bchunked'], inChunk],
    ['a space before the colon', ['Transfer-Encoding : chunked'], inChunk],
    ['a folded coding', ['Transfer-Encoding:\r\n chunked', 'Content-Length: 0'], inChunk],
    ['a folded header that hides a length', ['X-Y: z\r\n Content-Length: 0', 'Transfer-Encoding: chunked'], inChunk],
    ['a bare line feed between headers', [`X-Y: z\nContent-Length: 0`, 'Transfer-Encoding: chunked'], inChunk],
    ['a bare carriage return in a header', [`X-Y: z\rTransfer-Encoding: chunked`, 'Content-Length: 0'], SMUGGLED],
    ['a NUL in a header', ['X-Y: \0', 'Transfer-Encoding: chunked'], inChunk],
    ['two lengths', ['Content-Length: 0', length(SMUGGLED)], SMUGGLED],
    ['two lengths in one', [`Content-Length: 0, ${SMUGGLED.length}`], SMUGGLED],
    ['a signed length', [`Content-Length: +${SMUGGLED.length}`], SMUGGLED],
    ['a chunk of a negative size', ['Transfer-Encoding: chunked'], `-1\r\n${SMUGGLED}`],
    ['a chunk of a size that overflows', ['Transfer-Encoding: chunked'], `${'f'.repeat(17)}\r\n${SMUGGLED}`],
    ['a chunk size in another notation', ['Transfer-Encoding: chunked'], `0x10\r\n${SMUGGLED}`],
    [
      'a chunk extension that ends its line early',
      ['Transfer-Encoding: chunked'],
      `1;a\nb\r\nx\r\n0\r\n\r\n${SMUGGLED}`,
    ],
    ['chunks with bare line feeds', ['Transfer-Encoding: chunked'], `1\nx\n0\n\n${SMUGGLED}`],
  ];

  test.each(framings)('%s: refused, and its connection ended', async (_why, headers, body) => {
    for (const line of ['DELETE /api/canvas/none/delete', 'POST /api/canvas/none/save', 'GET /api/canvas/list']) {
      const before = world.upstream.requests.length;
      const all = line.startsWith('POST') ? [...headers, 'Content-Type: application/json'] : headers;
      const { answers, closed } = await send(`${line} HTTP/1.1`, all, body);
      expect(answers.map(({ status }) => status)).toEqual([400]);
      expect(closed).toBe(true);
      expectNothingUpstream(before);
    }
  });

  test('what the bare server takes in its stride is refused', async () => {
    const odd = [
      'GET /api/config HTTP/1.1\nHost: x\n\n',
      requestText('GET /api/config HTTP/1.1', ['Host: x', 'X-Y: a\r\n b']),
    ];
    for (const bytes of odd) {
      const direct = await exchange(world.upstream.port, bytes, { answers: 1 });
      expect(direct.answers.map(({ status }) => status)).toEqual([200]);
      const before = world.upstream.requests.length;
      const guarded = await exchange(portOf(world.gateway.url), bytes);
      expect(guarded.answers.map(({ code }) => code)).toEqual(['request-malformed']);
      expectNothingUpstream(before);
    }
  });

  test('a second request behind an honest first one is a request like any other, and judged', async () => {
    const first = requestText('GET /api/config/exists HTTP/1.1', ['Host: x', `Authorization: Bearer ${token}`]);
    const second = requestText('GET /api/config HTTP/1.1', ['Host: x', `Authorization: Bearer ${token}`]);
    const { answers } = await exchange(portOf(world.gateway.url), first + second, { answers: 2 });
    expect(answers.map(({ status, code }) => `${status} ${code}`)).toEqual(['200 undefined', '403 role-missing']);
  });
});
