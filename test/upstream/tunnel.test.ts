import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import type { Tunnel } from '../../src/model/wire.ts';
import { tunnelTo } from '../../src/upstream/tunnel.ts';
import { nowhere } from '../support/bare-upstream.ts';
import { eventually } from '../support/eventually.ts';
import { transportOf, upgradeBytes } from '../support/web-socket-scene.ts';
import { type UpstreamOptions, type WebSocketUpstream, webSocketUpstream } from '../support/web-socket-upstream.ts';

let upstream: WebSocketUpstream;

afterEach(() => upstream?.[Symbol.asyncDispose]());

const KEY = `${'A'.repeat(22)}==`;
const call = { target: '/raw', headers: ['x-user-id', 'test|ann'], subprotocols: [] as string[], key: KEY };

const bore = async (
  options: UpstreamOptions = {},
  more: object = {},
  signal = new AbortController().signal,
): Promise<Tunnel> => {
  upstream = await webSocketUpstream(options);
  return tunnelTo({ url: upstream.url, connectMillis: 200 })({ ...call, ...more }, signal);
};

/** Answers with these bytes, and then nothing. */
const saying = (bytes: string): UpstreamOptions => ({
  answer(_, socket) {
    socket.write(bytes, 'latin1');
    return true;
  },
});

describe('a tunnel', () => {
  test('asks for the target, with nothing but what it was told', async () => {
    const { stream } = await bore();
    const { url, method, headers } = upstream.asked[0] ?? { url: '', method: '', headers: {} };
    expect([method, url]).toEqual(['GET', '/raw']);
    expect(headers).toEqual({
      host: `127.0.0.1:${upstream.port}`,
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-key': KEY,
      'sec-websocket-version': '13',
      'x-user-id': 'test|ann',
    });
    stream.destroy();
    await eventually(() => upstream.open() === 0);
  });

  test('begins behind the upstream’s answer, and loses nothing of what comes with it', async () => {
    const { stream, subprotocol, accepted } = await bore(
      saying(`${upgradeBytes(KEY, ['sec-websocket-protocol: tty', 'set-cookie: a=b'])}first`),
      { subprotocols: ['tty'] },
    );
    expect([subprotocol, accepted]).toEqual(['tty', /accept: (.*)/.exec(upgradeBytes(KEY))?.[1]]);
    const [chunk] = (await once(stream.resume(), 'data')) as [Buffer];
    expect(chunk.toString()).toBe('first');
    stream.destroy();
    await eventually(() => upstream.open() === 0);
  });

  test('carries bytes both ways', async () => {
    const { stream } = await bore({ greet: (peer) => peer.say('hi') });
    const [chunk] = (await once(stream.resume(), 'data')) as [Buffer];
    expect([...chunk]).toEqual([0x81, 2, 0x68, 0x69]);
    stream.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x6f, 0x6b]));
    await eventually(() => upstream.peers[0]?.heard[0] === 'ok');
    stream.destroy();
    await eventually(() => upstream.open() === 0);
  });

  test('says all that the upstream said before it ended', async () => {
    const { stream } = await bore();
    const socket = upstream.peers[0]?.socket;
    if (socket === undefined) throw new Error('nobody came');
    const most = Buffer.alloc(4 << 20, 1);
    transportOf(socket).end(most);
    let bytes = 0;
    await new Promise((resolve) => setTimeout(resolve, 50));
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    await once(stream.resume(), 'end');
    expect(bytes).toBe(most.length);
    stream.destroy();
    await eventually(() => upstream.open() === 0);
  });

  test('says the upstream’s last words also when they are asked for late', async () => {
    const { stream } = await bore();
    const socket = upstream.peers[0]?.socket;
    if (socket !== undefined) transportOf(socket).end('last words');
    await eventually(() => upstream.open() === 0);
    const [chunk] = (await once(stream.resume(), 'data')) as [Buffer];
    expect(chunk.toString()).toBe('last words');
    stream.destroy();
  });

  test('is destroyed when the upstream’s side breaks', async () => {
    const { stream } = await bore();
    stream.resume();
    const socket = upstream.peers[0]?.socket;
    if (socket !== undefined) transportOf(socket).resetAndDestroy();
    await eventually(() => stream.destroyed);
    await eventually(() => upstream.open() === 0);
  });
});

describe('there is no tunnel', () => {
  test.each([
    ['with a plain answer', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok', 'upstream-broken'],
    [
      'with one that never ends',
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n',
      'upstream-broken',
    ],
    ['to whoever is not let in', 'HTTP/1.1 403 No\r\ncontent-length: 0\r\n\r\n', 'upstream-denied'],
    ['to a busy upstream', 'HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n', 'upstream-busy'],
    ['to what is no HTTP', 'SSH-2.0-x\r\n\r\n', 'upstream-broken'],
    [
      'without an answer to the key',
      'HTTP/1.1 101 X\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n',
      'upstream-broken',
    ],
    ['with an answer to another key', upgradeBytes('another'), 'upstream-broken'],
    ['with a sub-protocol that nobody asked for', upgradeBytes(KEY, ['sec-websocket-protocol: x']), 'upstream-broken'],
    ['with an extension that nobody asked for', upgradeBytes(KEY, ['sec-websocket-extensions: x']), 'upstream-broken'],
  ])('%s, and nothing is left open', async (_, bytes, reason) => {
    await expect(bore(saying(bytes))).rejects.toMatchObject({ reason });
    await eventually(() => upstream.open() === 0);
  });

  test('where there is nobody, and where nobody answers', async () => {
    const { signal } = new AbortController();
    await expect(tunnelTo({ url: await nowhere() })(call, signal)).rejects.toMatchObject({
      reason: 'upstream-unreachable',
    });
    await expect(bore({ answer: () => true })).rejects.toMatchObject({ reason: 'upstream-timeout' });
    await eventually(() => upstream.open() === 0);
  });

  test('when nobody wants it any more, now or before', async () => {
    const waiting = new AbortController();
    upstream = await webSocketUpstream({ answer: () => true });
    const bored = tunnelTo({ url: upstream.url, connectMillis: 100_000 })(call, waiting.signal);
    bored.catch(() => undefined);
    await eventually(() => upstream.open() === 1);
    waiting.abort();
    await expect(bored).rejects.toMatchObject({ reason: 'client-gone' });
    await eventually(() => upstream.open() === 0);
    const { url } = upstream;
    await expect(tunnelTo({ url })(call, AbortSignal.abort())).rejects.toMatchObject({ reason: 'client-gone' });
  });

  test('to an upstream whose URL is none', () => {
    expect(() => tunnelTo({ url: 'ftp://a' })).toThrow('http or https');
  });
});
