/**
 * A file that only looks on lets pass what no route matches. A server may take such a request for a route that is in
 * effect all the same: HEAD for GET, a path with a slash at its end, an id that no route can have. And the live events of
 * everybody could be had without a socket, by polling.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { jaazPolicy } from '../support/policies.ts';
import { SHADOW, type ShadowedWorld, startShadowedWorld } from '../support/shadowed.ts';
import { exchange, portOf, requestText, type WireAnswer } from '../support/wire.ts';

const PARTS = `routes:
  - { id: parts.read, match: 'GET /api/parts/{canvas}', mode: enforce }
  - { id: parts.tree, match: 'GET /api/tree/*', access: denied, mode: enforce }
`;

let world: ShadowedWorld;
beforeAll(async () => {
  world = await startShadowedWorld({
    policy: jaazPolicy(SHADOW, ['id: config.read,', 'id: config.read, mode: enforce,'], ['routes:\n', PARTS]),
  });
});
afterAll(() => world.close());

const ask = async (url: string, line: string): Promise<WireAnswer | undefined> => {
  const text = requestText(`${line} HTTP/1.1`, ['Host: x', 'Origin: https://evil.example', 'Connection: close']);
  return (await exchange(portOf(url), text)).answers[0];
};

/** Returns what reached the server. */
const passed = async (line: string): Promise<readonly string[]> => {
  const mark = world.upstream.requests.length;
  await ask(world.gateway.url, line);
  return world.upstream.requests.slice(mark).map(({ method, path }) => `${method} ${path}`);
};

describe('a route that is in effect is not reached by what looks like it', () => {
  test.each([
    ['HEAD', 'HEAD /api/config'],
    ['a slash at the end', 'GET /api/config/'],
    ['HEAD and a slash', 'HEAD /api/config/'],
    ['nothing where an id is expected', 'GET /api/parts/'],
    ['nothing where a path is expected', 'GET /api/tree/'],
    ['an id that is longer than any', `GET /api/parts/${'a'.repeat(4_000)}`],
    ['a path that is longer than any', `GET /api/tree/${'a'.repeat(4_000)}`],
  ])('%s', async (_what, line) => {
    expect(await passed(line)).toEqual([]);
    const { status } = await fetch(world.gateway.url + line.split(' ')[1], { method: line.split(' ')[0] ?? '' });
    expect([401, 403, 404]).toContain(status);
  });

  test.each(['HEAD /api/canvas/list', 'GET /api/settings/', 'GET /no/such/', 'OPTIONS /api/canvas/list'])(
    'what looks like a route that only looks on passes: %s',
    async (line) => expect(await passed(line)).toEqual([line]),
  );
});

describe('where the sockets are, nothing but a socket is', () => {
  test.each([
    '/socket.io/?EIO=4&transport=polling',
    '/socket.io/?EIO=4&transport=polling&j=0',
    '/socket.io/x/?EIO=4&transport=polling',
    '/socket.io?EIO=4&transport=polling',
  ])('%s', async (target) => {
    expect(await passed(`GET ${target}`)).toEqual([]);
    expect((await ask(world.gateway.url, `GET ${target}`))?.code).toBe('route-unknown');
  });

  test('where the bare server would have opened one for anybody’s page', async () => {
    const answer = await ask(world.upstream.url, 'GET /socket.io/?EIO=4&transport=polling');
    expect([answer?.status, answer?.head]).toEqual([200, expect.stringContaining('https://evil.example')]);
  });
});
