import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { answer, type BareUpstream, bareUpstream } from '../support/bare-upstream.ts';
import { eventually } from '../support/eventually.ts';
import { jaazPolicy, withoutLimits } from '../support/policies.ts';
import { startWorld, type World } from '../support/world.ts';

let world: World;
let upstream: BareUpstream;
let token: string;
const held: Array<() => void> = [];
/** How often the upstream could not go on with a large answer. */
let stalls = 0;

beforeAll(async () => {
  upstream = await bareUpstream(({ socket, target }) => {
    if (target.startsWith('/socket.io/')) socket.end(answer(404));
    else if (target === '/assets/large') {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: 50000000\r\n\r\n${'x'.repeat(1_000_000)}`);
      const more = (): void => {
        while (socket.write('x'.repeat(65_536)));
        stalls += 1;
      };
      socket.on('drain', more);
      more();
    } else if (target === '/assets/slow') held.push(() => socket.write(answer(200, 'slow')));
    else if (target === '/assets/cut') socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf');
    else if (/part|halting/.test(target)) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf');
    else socket.write(answer(200, `you asked ${target}`, { 'set-cookie': 'a=b', etag: '"x"' }));
  });
  world = await startWorld({ upstreamUrl: upstream.url, policy: jaazPolicy(...withoutLimits) });
  token = await world.issuer.token('alice');
});
afterAll(async () => {
  await world.close();
  await upstream[Symbol.asyncDispose]();
});

/** A connection to the gateway, and everything that came back on it. */
const dial = async (...parts: readonly (string | Buffer)[]) => {
  const socket: Socket = connect(Number(new URL(world.gateway.url).port), '127.0.0.1');
  const state = { text: '', ended: false, closed: false };
  socket.on('data', (chunk: Buffer) => {
    state.text += chunk.toString('latin1');
  });
  socket.on('end', () => {
    state.ended = true;
  });
  socket.on('close', () => {
    state.closed = true;
  });
  socket.on('error', () => undefined);
  await new Promise((resolve) => socket.once('connect', resolve));
  for (const part of parts) socket.write(part);
  return { socket, state };
};
const statuses = (text: string): number[] => [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, code]) => Number(code));
const get = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n${more}\r\n`;
const post = (path: string, more: string): string => `POST ${path} HTTP/1.1\r\nHost: x\r\n${more}\r\n`;
const bearer = (): string => `Authorization: Bearer ${token}\r\n`;
/** Resolves with the record of the request that `during` makes; records are written a moment later. */
const recordOf = async (path: string, during: () => Promise<unknown>): Promise<Record<string, unknown> | undefined> => {
  const records = () => world.audit().filter((record) => record.path === path);
  const before = records().length;
  await during();
  await eventually(() => records().length > before);
  return records().at(-1);
};

describe('a connection', () => {
  test('is kept, and pipelined requests are answered in their order', async () => {
    const { socket, state } = await dial(get('/assets/a') + get('/assets/b') + get('/nothing') + get('/assets/c'));
    await eventually(() => statuses(state.text).length === 4 && state.text.endsWith('/assets/c'));
    expect(statuses(state.text)).toEqual([200, 200, 404, 200]);
    expect(state.text.indexOf('asked /assets/a')).toBeLessThan(state.text.indexOf('asked /assets/b'));
    expect(state.ended).toBe(false);
    socket.destroy();
  });

  test('that brings garbage is told so, and closed', async () => {
    const { state } = await dial('\x16\x03\x01\x02\x00\x01\r\n\r\n');
    await eventually(() => state.closed);
    expect(statuses(state.text)).toEqual([400]);
    expect(state.text).toContain('"code":"request-malformed"');
    expect(state.text).toContain('content-type: application/problem+json');
  });

  test.each([
    ['too long a header', `GET / HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(40_000)}\r\n\r\n`],
    ['a bare line feed', 'GET / HTTP/1.1\nHost: x\n\n'],
    ['a blank before the colon', 'GET / HTTP/1.1\r\nHost : x\r\n\r\n'],
    ['two lengths', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na'],
    [
      'a length and chunks',
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
  ])('that brings %s is told so, and closed', async (_name, text) => {
    const { state } = await dial(text);
    await eventually(() => state.closed);
    expect(statuses(state.text)).toEqual([400]);
  });

  test('that brings garbage behind a request under way is cut, not written into', async () => {
    const { socket, state } = await dial(get('/assets/halting'));
    await eventually(() => state.text.endsWith('half'));
    socket.write('garbage\r\n\r\n');
    await eventually(() => state.closed);
    expect(statuses(state.text)).toEqual([200]);
    expect(state.text.endsWith('half')).toBe(true);
  });
});

describe('what is no request for the pipeline', () => {
  test('CONNECT is refused and closed', async () => {
    const { state } = await dial('CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n');
    await eventually(() => state.closed);
    expect(statuses(state.text)).toEqual([400]);
    expect(state.text).toContain('"code":"target-invalid"');
  });

  test.each(['/api/canvas/list', '/other/', '/socket.io', '/%73ocket.io/'])(
    'an upgrade at %s is refused and closed',
    async (path) => {
      const { state } = await dial(get(path, 'Connection: Upgrade\r\nUpgrade: websocket\r\n'));
      await eventually(() => state.closed);
      expect(statuses(state.text)).toEqual([404]);
      expect(state.text).toContain('"code":"route-unknown"');
    },
  );
});

describe('HEAD', () => {
  test('has no body, whoever answers', async () => {
    const { socket, state } = await dial(
      `HEAD /assets/a HTTP/1.1\r\nHost: x\r\n\r\nHEAD /nothing HTTP/1.1\r\nHost: x\r\n\r\n${get('/assets/b')}`,
    );
    await eventually(() => statuses(state.text).length === 3 && state.text.endsWith('/assets/b'));
    expect(statuses(state.text)).toEqual([200, 404, 200]);
    expect(state.text).not.toContain('"code"');
    expect(state.text.match(/asked/g)).toHaveLength(1);
    socket.destroy();
  });
});

describe('Expect: 100-continue', () => {
  const expecting = (more: string): string =>
    post(
      '/api/canvas/x/rename',
      `Expect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: 12\r\n${more}`,
    );

  test('is not told to go on before it is known who asks', async () => {
    const { state } = await dial(expecting(''));
    await eventually(() => state.closed);
    expect(statuses(state.text)).toEqual([401]);
  });

  test('is told to go on then, and judged', async () => {
    const { socket, state } = await dial(expecting(bearer()));
    await eventually(() => state.text.includes('HTTP/1.1 100 Continue\r\n\r\n'));
    expect(statuses(state.text)).toEqual([100]);
    socket.write('{"name":"n"}');
    await eventually(() => statuses(state.text).length === 2);
    expect(statuses(state.text)).toEqual([100, 404]);
    socket.destroy();
  });

  test('of another kind is refused', async () => {
    const { state } = await dial(post('/api/canvas/x/rename', `Expect: miracles\r\nContent-Length: 12\r\n${bearer()}`));
    await eventually(() => state.closed);
    expect(statuses(state.text)).toEqual([417]);
  });
});

describe('a body that is refused unread', () => {
  test.each([
    ['without a token', () => '', 401],
    ['too large', bearer, 413],
  ])('%s: the refusal arrives, although the client goes on sending', async (_name, headers, status) => {
    const length = 80_000_000;
    const head = post(
      '/api/canvas/x/save',
      `Content-Type: application/json\r\nContent-Length: ${length}\r\n${headers()}`,
    );
    const { socket, state } = await dial(head);
    const chunk = Buffer.alloc(1_000_000, 0x20);
    const pump = (): void => {
      while (!socket.destroyed && socket.write(chunk));
    };
    socket.on('drain', pump);
    pump();
    await eventually(() => state.closed);
    expect(statuses(state.text)).toEqual([status]);
    expect(state.text).toMatch(/connection: close/i);
    expect(state.text).toMatch(/"requestId":"[0-9a-f-]{36}"\}$/);
  });

  test('that is small does not confuse what comes next', async () => {
    const body = '{"name":"n"}';
    const head = post('/api/nothing', `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n`);
    const { socket, state } = await dial(`${head}${body}${get('/assets/a')}`);
    await eventually(() => statuses(state.text).length >= 1 && (state.closed || state.text.endsWith('/assets/a')));
    expect(statuses(state.text)[0]).toBe(404);
    expect(statuses(state.text).slice(1)).toEqual(state.text.includes('asked') ? [200] : []);
    socket.destroy();
  });

  test('that announces more than it brings does not hang', async () => {
    const head = post('/api/canvas/x/rename', `Content-Type: application/json\r\nContent-Length: 50\r\n${bearer()}`);
    const { socket, state } = await dial(`${head}{"na`);
    socket.end();
    await eventually(() => state.closed);
    await eventually(() => world.audit().some(({ reason }) => reason === 'body-incomplete'));
  });
});

describe('an upstream answer', () => {
  test('that is cut cuts the client’s connection', async () => {
    const record = await recordOf('/assets/cut', async () => {
      const { state } = await dial(get('/assets/cut'));
      await eventually(() => state.closed);
      expect(state.text.endsWith('half')).toBe(true);
    });
    expect(record).toMatchObject({ outcome: 'failed', reason: 'upstream-broken', status: 200 });
  });

  test('that the client does not wait for is given up, and that is no fault of the upstream’s', async () => {
    const record = await recordOf('/assets/part', async () => {
      const { socket, state } = await dial(get('/assets/part'));
      await eventually(() => state.text.endsWith('half'));
      socket.destroy();
    });
    expect(record).toMatchObject({ outcome: 'aborted', reason: 'client-gone', status: 200, upstreamStatus: 200 });
  });

  test('that has not begun is given up too', async () => {
    const record = await recordOf('/assets/slow', async () => {
      const { socket } = await dial(get('/assets/slow'));
      await eventually(() => held.length === 1);
      socket.destroy();
    });
    expect(record).toMatchObject({ outcome: 'aborted', reason: 'client-gone' });
  });

  test('is not gathered for a client that reads nothing', async () => {
    const before = process.memoryUsage().rss;
    const earlier = stalls;
    const { socket } = await dial();
    socket.pause();
    socket.write(get('/assets/large'));
    await eventually(() => stalls > earlier);
    // Whatever can move has moved when a neighbour has been answered so often.
    const neighbour = await dial();
    for (let answers = 1; answers <= 100; answers += 1) {
      neighbour.socket.write(get('/assets/a'));
      await eventually(() => statuses(neighbour.state.text).length === answers);
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(30_000_000);
    neighbour.socket.destroy();
    socket.destroy();
  });
});

describe('three hundred clients that leave in the middle', () => {
  test.each([
    ['one request each', get('/assets/large')],
    ['two requests each, the second behind the first', get('/assets/part') + get('/assets/large')],
  ])(
    'leave no connection stuck: %s',
    async (_name, text) => {
      for (let round = 0; round < 6; round += 1) {
        const clients = await Promise.all(
          Array.from({ length: 50 }, async () => {
            const { socket } = await dial();
            socket.pause();
            socket.write(text);
            return socket;
          }),
        );
        await eventually(() => upstream.open() >= 50);
        for (const socket of clients) socket.destroy();
      }
      await eventually(() => upstream.open() < 20);
      const { socket, state } = await dial(get('/assets/a'));
      await eventually(() => state.text.endsWith('/assets/a'));
      socket.destroy();
    },
    60_000,
  );
});
