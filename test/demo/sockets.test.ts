import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { listen, raw, start } from './support.ts';

let standIn: Awaited<ReturnType<typeof start>>;
beforeAll(async () => {
  standIn = await start();
});
afterAll(() => standIn[Symbol.asyncDispose]());

/** Connects a bare websocket and sends packets; resolves with what came, or with the status of a refusal. */
function packets(path: string, send: readonly string[], count: number): Promise<string[] | number> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${standIn.port}${path}`, { origin: 'https://evil.example' });
    const seen: string[] = [];
    socket.on('open', () => socket.send('40'));
    socket.on('message', (data) => {
      seen.push(String(data));
      if (String(data).startsWith('40')) for (const packet of send) socket.send(packet);
      if (seen.length < count) return;
      socket.terminate();
      resolve(seen);
    });
    socket.on('unexpected-response', (request, { statusCode = 0 }) => {
      request.destroy();
      resolve(statusCode);
    });
    socket.on('error', reject);
  });
}

const OPEN = '/socket.io/?EIO=4&transport=websocket';

describe('the wire', () => {
  test('the event `connected` comes before the acknowledgement, to any origin', async () => {
    const [open, event, acknowledgement] = (await packets(OPEN, [], 3)) as string[];
    expect(JSON.parse(String(open).slice(1))).toMatchObject({
      pingInterval: 25_000,
      pingTimeout: 20_000,
      upgrades: [],
    });
    expect(event).toBe('42["connected",{"status":"connected"}]');
    expect(acknowledgement).toMatch(/^40\{"sid":"/);
  });

  test('ping is answered by pong with the same payload, and an empty acknowledgement', async () => {
    const seen = (await packets(OPEN, ['42["nonsense",1]', '427["ping",{"a":[1]}]'], 5)) as string[];
    expect(seen.slice(3)).toEqual(['42["pong",{"a":[1]}]', '437[]']);
  });

  test.each([
    ['another path after the prefix', '/socket.io/foo/?EIO=4&transport=websocket'],
    ['an escaped prefix', '/%73ocket.io/?EIO=4&transport=websocket'],
    ['no slash', '/socket.io?EIO=4&transport=websocket'],
  ])('connects on %s', async (_name, path) => {
    expect(await packets(path, [], 3)).toHaveLength(3);
  });

  test.each([
    ['another version', '/socket.io/?EIO=3&transport=websocket'],
    ['no version', '/socket.io/?transport=websocket'],
    ['another path', '/ws?EIO=4&transport=websocket'],
  ])('refuses %s with 403', async (_name, path) => {
    expect(await packets(path, [], 3)).toBe(403);
  });

  test('polling works, reflects any origin, and refuses another version', async () => {
    const head = 'HTTP/1.1\r\nHost: x\r\nOrigin: https://evil.example\r\n\r\n';
    const answer = await raw(standIn.port, `GET /socket.io/?EIO=4&transport=polling ${head}`);
    expect(answer.status).toBe(200);
    expect(answer.head).toMatch(/access-control-allow-origin: https:\/\/evil\.example/i);
    expect(answer.head).toMatch(/access-control-allow-credentials: true/i);
    expect((await raw(standIn.port, `GET /socket.io/?EIO=3&transport=polling ${head}`)).status).toBe(400);
  });
});

test('an event goes to every socket, in ASCII', async () => {
  using one = await listen(standIn);
  using two = await listen(standIn);
  standIn.broadcast('session_update', { session_id: 'nobody', canvas_id: null, type: 'info', text: 'é😀' });
  for (const ear of [one, two]) {
    const [update] = await ear.until((updates) => updates.length > 0);
    expect(update).toEqual({ session_id: 'nobody', canvas_id: null, type: 'info', text: 'é😀' });
  }
  expect(standIn.sockets()).toBe(2);
  expect(standIn.connections()).toBeGreaterThanOrEqual(2);
});
