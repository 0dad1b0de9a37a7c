/**
 * While a policy only looks on for some, it is in effect for others and on some routes. Nobody may get out of that by
 * asking in another way, and what holds in every mode must hold here. The one way out is to be nobody, by leaving the
 * token away: that is what "requests without a token pass" means (docs/policies.md).
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chatBody } from '../support/jaaz-client.ts';
import { jaazPolicy } from '../support/policies.ts';
import { type ShadowedWorld, startShadowedWorld } from '../support/shadowed.ts';
import { exchange, portOf, requestText, type WireAnswer } from '../support/wire.ts';

const SECRET = 'HERS-ALONE';
const COHORT = `mode: shadow
cohorts:
  pilots: { mode: enforce, users: ['test|mallory'] }`;

let world: ShadowedWorld;
let mallory: string;
let alice: string;
beforeAll(async () => {
  world = await startShadowedWorld({
    policy: jaazPolicy(['mode: enforce', COHORT], ['id: config.read,', 'id: config.read, mode: enforce,']),
  });
  mallory = await world.issuer.token('mallory');
  alice = await world.issuer.token('alice');
  const client = await world.as('alice');
  await client.post('/api/canvas/create', chatBody({ canvas: 'a-c', session: 'a-s', prompt: SECRET }));
  await world.heard.done('a-s', 2);
});
afterAll(() => world.close());

const ask = async (line: string, headers: readonly string[] = [], body = ''): Promise<WireAnswer | undefined> => {
  const text = requestText(`${line} HTTP/1.1`, ['Host: x', ...headers], body);
  return (await exchange(portOf(world.gateway.url), text, { answers: 1 })).answers[0];
};

describe('somebody for whom the policy is in effect gets nothing of another’s', () => {
  const bearer = () => `Authorization: Bearer ${mallory}`;

  test('but would, if it were not', async () => {
    const token = await world.issuer.token('somebody');
    expect((await ask('GET /api/canvas/a-c', [`Authorization: Bearer ${token}`]))?.body).toContain(SECRET);
    expect((await ask('GET /api/canvas/a-c'))?.body).toContain(SECRET);
  });

  test.each([
    'GET /api/canvas/a-c',
    'GET /api/canvas/a-c/',
    'GET /api/canvas/a-c?x=1',
    'GET /api/canvas//a-c',
    'GET /api/./canvas/a-c',
    'GET /api/x/../canvas/a-c',
    'GET /api/canvas/%61-c',
    'GET /%61pi/canvas/a-c',
    'GET /api%2Fcanvas%2Fa-c',
    'GET /api/canvas/a-c%0a',
    'GET /API/canvas/a-c',
    'GET http://x/api/canvas/a-c',
    'GET /api/canvas/list#x',
    'GET /api/canvas/list',
    'GET /api/canvas/list/',
    'GET /api/chat_session/a-s',
    'GET /api/chat_session/a-s/',
    'OPTIONS /api/canvas/a-c',
    'get /api/canvas/a-c',
    'GET /docs',
    'GET /openapi.json',
    'GET /no/such/path',
  ])('%s', async (line) => {
    const mark = world.upstream.requests.length;
    const answer = await ask(line, [bearer()]);
    expect(answer?.body ?? '').not.toContain(SECRET);
    // A list is asked for, and filtered. Nothing else goes further.
    const passed = world.upstream.requests.slice(mark).map(({ path }) => path);
    expect(passed.filter((path) => !path.startsWith('/socket.io/'))).toEqual(
      line === 'GET /api/canvas/list' ? ['/api/canvas/list'] : [],
    );
  });

  test.each([
    ['a word of his own on the mode', ['X-Mode: off', 'X-Policy-Mode: shadow', 'X-Shadow: 1', 'Prefer: mode=off']],
    ['another method in a header', ['X-HTTP-Method-Override: OPTIONS', 'X-Original-URL: /no/such/path']],
    ['another path in a header', ['X-Rewrite-URL: /', 'X-Forwarded-Uri: /', 'X-Forwarded-Prefix: /x']],
    ['the name of somebody else', ['X-User-Id: test|alice', 'Cookie: user=alice', 'X-Forwarded-User: alice']],
    ['a range', ['Range: bytes=0-10']],
  ])('with %s', async (_how, headers) => {
    for (const line of ['GET /api/canvas/a-c', 'GET /api/canvas/a-c?mode=off', 'GET /api/canvas/a-c?as=alice']) {
      const answer = await ask(line, [bearer(), ...headers]);
      expect([answer?.status, answer?.body]).toEqual([200, 'null']);
    }
  });

  test('with two tokens, or a second one elsewhere', async () => {
    const other = await world.issuer.token('nobody-known');
    expect((await ask('GET /api/canvas/a-c', [bearer(), `Authorization: Bearer ${other}`]))?.code).toBe(
      'header-invalid',
    );
    for (const extra of [[`Proxy-Authorization: Bearer ${other}`], [`Cookie: token=${other}`], [`X-Token: ${other}`]]) {
      expect((await ask(`GET /api/canvas/a-c?token=${other}`, [bearer(), ...extra]))?.body).toBe('null');
    }
  });

  test('in a body of any form', async () => {
    const chat = JSON.stringify(chatBody({ canvas: 'a-c', session: 'a-s', prompt: 'x' }));
    for (const type of ['application/json', 'text/plain', 'application/json; charset=utf-16']) {
      const mark = world.upstream.requests.length;
      const answer = await ask(
        'POST /api/chat',
        [bearer(), `Content-Type: ${type}`, `Content-Length: ${chat.length}`],
        chat,
      );
      expect(answer?.status).toBeGreaterThanOrEqual(400);
      expect(world.upstream.requests.slice(mark).filter(({ method }) => method === 'POST')).toEqual([]);
    }
  });

  test('by leaving an old record of himself: what he makes and what he deletes is judged', async () => {
    const client = await world.as('mallory');
    expect((await client.remove('/api/canvas/a-c/delete')).code).toBe('resource-hidden');
    const create = chatBody({ canvas: 'a-c', session: 'm-s', prompt: 'x' });
    expect((await client.post('/api/canvas/create', create)).code).toBe('resource-taken');
  });
});

describe('a route that is in effect is so for everybody', () => {
  test.each([
    ['nobody', () => []],
    ['a forged token', () => ['Authorization: Bearer a.b.c']],
    ['a scheme of his own', () => ['Authorization: Basic YWRtaW46YWRtaW4=']],
    ['somebody without the role', () => [`Authorization: Bearer ${alice}`]],
  ])('%s', async (_who, headers) => {
    expect((await world.direct.get('/api/config')).text).toContain('api_key');
    for (const path of ['', '?x=1', '?mode=off', '/', '//', '%0a', '/.', '#x']) {
      const answer = await ask(`GET /api/config${path}`, headers());
      expect(answer?.body ?? '').not.toContain('api_key');
    }
  });
});

describe('what holds in every mode', () => {
  test.each([
    ['X-User-Id', 'test|bob'],
    ['x_user_id', 'test|bob'],
    ['X-Forwarded-User', 'test|bob'],
    ['X-Forwarded-For', '203.0.113.7'],
    ['Cookie', 'session=secret'],
    ['Proxy-Authorization', 'Basic c2VjcmV0'],
  ])('%s never reaches the server', async (name, value) => {
    for (const [path, identity] of [
      ['/api/canvas/list', []],
      ['/no/such/path', []],
      ['/docs', [`Authorization: Bearer ${alice}`]],
      ['/api/canvas/list', [`Authorization: Bearer ${alice}`]],
      ['/api/canvas/list', [`Authorization: Bearer ${alice}x`]],
    ] as const) {
      await ask(`GET ${path}`, [...identity, `${name}: ${value}`, 'Connection: x-user-id, x-request-id']);
      const arrived = world.upstream.requests.findLast((seen) => seen.path === path)?.rawHeaders ?? [];
      expect(arrived).not.toContain(value);
      expect(arrived.join()).not.toMatch(/bearer/i);
      const told = arrived.filter((_, index) => arrived[index - 1] === 'x-user-id');
      expect(told).toEqual(identity[0]?.endsWith(alice) ? ['test|alice'] : []);
      expect(arrived[arrived.findIndex((text) => text.toLowerCase() === 'host') + 1]).toBe(
        new URL(world.upstream.url).host,
      );
    }
  });

  test.each([
    'GET /api/canvas/%61-c',
    'GET /api/canvas/a-c%0a',
    'GET /api/x/../config',
    'GET //api/config',
    'GET http://x/api/config',
    'GET /api/canvas/list?a=1&a=2',
    'GET /api/canvas/list?canvas%5fid=1',
  ])('%s is refused to everybody, though the server would take it', async (line) => {
    const mark = world.upstream.requests.length;
    expect((await ask(line))?.status).toBe(400);
    expect(world.upstream.requests.length).toBe(mark);
  });

  test('so is a body that two could read differently by its framing', async () => {
    const body = '0\r\n\r\nGET /api/config HTTP/1.1\r\nHost: x\r\n\r\n';
    const answer = await ask(
      'POST /api/canvas/a-c/save',
      [`Content-Length: ${body.length}`, 'Transfer-Encoding: chunked'],
      body,
    );
    expect(answer?.status).toBe(400);
  });

  test('a query is rebuilt from what was understood', async () => {
    await ask('GET /no/such/path?a=%41%26b=2&c=x+y%2b');
    expect(world.upstream.requests.at(-1)?.target).toBe('/no/such/path?a=A%26b%3D2&c=x%20y%2B');
  });
});
