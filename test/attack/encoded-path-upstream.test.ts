/**
 * Targets that one party decodes and the other does not, over real sockets: the bare server serves them, the gateway lets
 * none of them through. The caller is an administrator, so that nothing but the target's form can be what refuses.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodedTargets, type HostileTarget, hostileTargets } from '../support/hostile.ts';
import { exchange, portOf, requestText } from '../support/wire.ts';
import { startWorld, type World } from '../support/world.ts';

let world: World;
let token: string;
beforeAll(async () => {
  world = await startWorld();
  token = await world.issuer.token('root', { roles: ['admin'] });
});
afterAll(() => world.close());

const send = (port: number, line: string, more: readonly string[] = []) =>
  exchange(port, Buffer.from(requestText(line, ['Host: 127.0.0.1', 'Connection: close', ...more])), { answers: 1 });

const guarded = (line: string) => send(portOf(world.gateway.url), line, [`Authorization: Bearer ${token}`]);

/** What a request line can carry at all. */
const canBeSent = ({ target }: HostileTarget): boolean => target !== '' && !/[\r\n]/.test(target);

describe('the bare server serves', () => {
  test.each(hostileTargets.filter(({ upstream }) => upstream === 'serves'))('$why: $target', async ({ target }) => {
    const { answers } = await send(world.upstream.port, `GET ${target} HTTP/1.1`);
    expect(answers.map(({ status }) => status)).toEqual([200]);
  });
});

describe('the gateway refuses', () => {
  test('nothing that is written plainly', async () => {
    expect((await guarded('GET /api/config HTTP/1.1')).answers.map(({ status }) => status)).toEqual([200]);
  });

  test.each(hostileTargets.filter(canBeSent))('$why: $target', async ({ target }) => {
    const before = world.upstream.requests.length;
    const { answers } = await guarded(`GET ${target} HTTP/1.1`);
    expect(['target-invalid', 'request-malformed']).toContain(answers[0]?.code);
    expect(answers[0]?.status).toBe(400);
    expect(world.upstream.requests.slice(before)).toEqual([]);
  });
});

describe('a canvas is deleted by a name with a line feed behind it', () => {
  test('on the bare server, and not through the gateway', async () => {
    const body = JSON.stringify({ canvas_id: 'victim', session_id: 'victim-s', name: 'x', messages: [] });
    await fetch(`${world.upstream.url}/api/canvas/create`, { method: 'POST', body });
    const before = world.upstream.requests.length;
    const refused = await guarded('DELETE /api/canvas/victim/delete%0A HTTP/1.1');
    expect(refused.answers.map(({ code }) => code)).toEqual(['target-invalid']);
    expect(world.upstream.requests.slice(before)).toEqual([]);
    await send(world.upstream.port, 'DELETE /api/canvas/victim/delete%0A HTTP/1.1');
    expect(await (await fetch(`${world.upstream.url}/api/canvas/victim`)).text()).toBe('null');
  });
});

test('an encoded path is refused on every method and on sockets', async () => {
  const before = world.upstream.requests.length;
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD', 'PATCH']) {
    for (const { target } of encodedTargets.slice(0, 4)) {
      const line = `${method} ${target} HTTP/1.1`;
      const { answers, closed } = await send(portOf(world.gateway.url), line, [`Authorization: Bearer ${token}`]);
      if (method === 'HEAD') expect(closed).toBe(true);
      else expect(answers[0]?.code).toBe('target-invalid');
    }
  }
  for (const path of ['/%73ocket.io/', '/socket.io/foo/', '/socket.io', '//socket.io/', '/socket.io/../socket.io/']) {
    const upgrade = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];
    const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';
    const bytes = requestText(`GET ${path}?EIO=4&transport=websocket HTTP/1.1`, ['Host: x', ...upgrade, key]);
    const { answers } = await exchange(portOf(world.gateway.url), bytes, { answers: 1 });
    expect(answers[0]?.status).toBeGreaterThanOrEqual(400);
  }
  expect(world.upstream.requests.slice(before)).toEqual([]);
});
