/**
 * Queries, headers and bodies that two parties read differently, over real sockets: those that the bare server takes are
 * shown to be taken there, and none of all reaches it through the gateway.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { duplicateHeaders, hostileFraming, hostileQueries } from '../support/hostile.ts';
import { hostileJsonBodies, hostileJsonTypes, hostileMultipartBodies } from '../support/hostile-bodies.ts';
import { jaazClient } from '../support/jaaz-client.ts';
import { jaazPolicy, withoutLimits } from '../support/policies.ts';
import { exchange, portOf, requestText } from '../support/wire.ts';
import { startWorld, type World } from '../support/world.ts';

let world: World;
let identity: string;
beforeAll(async () => {
  world = await startWorld({ policy: jaazPolicy(...withoutLimits), stepMillis: 0 });
  const token = await world.issuer.token('mallory');
  identity = `Authorization: Bearer ${token}`;
  const mallory = jaazClient({ url: world.gateway.url, token });
  const made = { canvas_id: 'own', session_id: 'own-s', name: 'mine', messages: [] };
  expect((await mallory.post('/api/canvas/create', made)).status).toBe(200);
});
afterAll(() => world.close());

interface Sent {
  readonly line: string;
  readonly headers: readonly string[];
  readonly body?: Buffer;
}

const send = (port: number, { line, headers, body = Buffer.alloc(0) }: Sent) =>
  exchange(port, Buffer.concat([Buffer.from(requestText(line, headers), 'latin1'), body]), { answers: 1 });

const pairs = (headers: readonly string[]): string[] =>
  headers.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${headers[index + 1]}`] : []));

/** Sends it to the gateway, and returns the code of the refusal; fails when anything of it was forwarded. */
const refused = async (sent: Sent): Promise<string | undefined> => {
  const before = world.upstream.requests.length;
  const { answers } = await send(portOf(world.gateway.url), { ...sent, headers: [...sent.headers, identity] });
  expect(world.upstream.requests.slice(before)).toEqual([]);
  return answers[0]?.code;
};

const served = async (sent: Sent): Promise<number | undefined> =>
  (await send(world.upstream.port, sent)).answers[0]?.status;

describe('queries', () => {
  test.each(hostileQueries)('$why: $query', async ({ query, upstream }) => {
    const sent = { line: `GET /api/canvas/list?${query} HTTP/1.1`, headers: ['Host: x'] };
    if (upstream === 'serves') expect(await served(sent)).toBe(200);
    expect(['query-invalid', 'request-malformed']).toContain(await refused(sent));
  });
});

describe('headers', () => {
  test.each(duplicateHeaders)('$why', async ({ headers, upstream, reason }) => {
    const line = 'GET /api/canvas/list HTTP/1.1';
    const sent = { line, headers: ['Host: gateway.example', ...pairs(headers)] };
    if (upstream === 'serves') expect(await served(sent)).toBe(200);
    expect([reason, 'request-malformed']).toContain(await refused(sent));
  });

  test.each(hostileFraming)('$why', async ({ headers, reason }) => {
    const sent = {
      line: 'POST /api/canvas/own/rename HTTP/1.1',
      headers: ['Host: x', 'Content-Type: application/json', 'Connection: close', ...pairs(headers)],
      body: Buffer.from('{"name":"x"}\r\n\r\n'),
    };
    // Node itself refuses most of it; white space around a value, and a chunked body of no chunks, are no ambiguity.
    const code = await refused(sent);
    expect([reason, 'request-malformed', 'body-missing', 'body-malformed', 'body-incomplete']).toContain(code);
  });
});

describe('JSON bodies', () => {
  const rename = (body: Buffer): Sent => ({
    line: 'POST /api/canvas/own/rename HTTP/1.1',
    headers: ['Host: x', 'Content-Type: application/json', `Content-Length: ${body.length}`],
    body,
  });

  test.each(hostileJsonBodies)('$why', async ({ body, upstream, reason }) => {
    const code = await refused(rename(body));
    if (body.length > 65_536) expect(code).toBe('body-too-large');
    else expect(code).toBe(body.length === 0 ? 'body-missing' : reason);
    if (upstream === 'serves') expect([200, 500]).toContain(await served(rename(body)));
  });

  test('a key written twice renames the canvas to what no judge read, on the bare server only', async () => {
    const body = Buffer.from('{"name":"judged","\\u006eame":"unjudged"}');
    expect(await refused(rename(body))).toBe('body-duplicate-key');
    expect(await served(rename(body))).toBe(200);
    expect(await (await fetch(`${world.upstream.url}/api/canvas/own`)).text()).toContain('"unjudged"');
  });

  test.each(hostileJsonTypes)('the type %j', async (type) => {
    const body = Buffer.from('{"name":"x"}');
    const headers = ['Host: x', `Content-Length: ${body.length}`, `Content-Type: ${type}`];
    const sent = { line: 'POST /api/canvas/own/rename HTTP/1.1', headers, body };
    expect(await served(sent)).toBe(200);
    expect(await refused(sent)).toBe('body-type');
  });
});

describe('forms', () => {
  test.each(hostileMultipartBodies)('$why', async ({ contentType, body, reason }) => {
    const headers = ['Host: x', `Content-Type: ${contentType}`, `Content-Length: ${body.length}`];
    const code = await refused({ line: 'POST /api/upload_image HTTP/1.1', headers, body });
    expect(code).toBe(body.length === 0 ? 'body-missing' : reason);
  });
});
