import { afterEach, describe, expect, test } from 'vitest';
import type { Wire } from '../../src/model/wire.ts';
import { failureOf, refusedWith, webSocketDial } from '../../src/upstream/web-socket.ts';
import { nowhere } from '../support/bare-upstream.ts';
import { eventually } from '../support/eventually.ts';
import { type UpstreamOptions, type WebSocketUpstream, webSocketUpstream } from '../support/web-socket-upstream.ts';

let upstream: WebSocketUpstream;

afterEach(() => upstream?.[Symbol.asyncDispose]());

const call = { target: '/ws?a=1', headers: ['x-user-id', 'test|ann'], subprotocols: [] as string[], maxBytes: 1_024 };

const dial = async (
  options: UpstreamOptions = {},
  more: object = {},
  signal = new AbortController().signal,
): Promise<Wire> => {
  upstream = await webSocketUpstream(options);
  return webSocketDial({ url: upstream.url, connectMillis: 200, closeMillis: 100 })({ ...call, ...more }, signal);
};

describe('dialling', () => {
  test('asks for the target, with nothing but what it was told', async () => {
    const wire = await dial();
    const { url, headers } = upstream.asked[0] ?? { url: '', headers: {} };
    expect(url).toBe('/ws?a=1');
    expect(headers).toMatchObject({ host: `127.0.0.1:${upstream.port}`, 'x-user-id': 'test|ann' });
    expect(Object.keys(headers)).not.toContain('sec-websocket-extensions');
    expect(Object.keys(headers)).not.toContain('origin');
    wire.terminate();
  });

  test('agrees upon the sub-protocol that the upstream chooses', async () => {
    const wire = await dial({ handleProtocols: () => 'b' }, { subprotocols: ['a', 'b'] });
    expect(wire.protocol).toBe('b');
    wire.terminate();
  });

  test('loses nothing that is said before anybody listens', async () => {
    const wire = await dial({ greet: (peer) => peer.say('first') });
    await new Promise((resolve) => setTimeout(resolve, 50));
    const heard: string[] = [];
    wire.on('message', (data) => heard.push(String(data)));
    wire.resume();
    await eventually(() => heard.length === 1);
    expect(heard).toEqual(['first']);
    wire.terminate();
  });

  test.each([
    ['is not let in', 403, 'upstream-denied'],
    ['finds the upstream busy', 503, 'upstream-busy'],
    ['gets a plain answer', 200, 'upstream-broken'],
    ['is sent elsewhere', 301, 'upstream-broken'],
  ])('rejects when it %s, and leaves nothing open', async (_, status, reason) => {
    const answer: UpstreamOptions['answer'] = (_request, socket) => {
      socket.write(`HTTP/1.1 ${status} X\r\nlocation: ws://127.0.0.1:1/\r\ncontent-length: 9\r\n\r\nunended`);
      return true;
    };
    await expect(dial({ answer })).rejects.toMatchObject({ reason });
    await eventually(() => upstream.open() === 0);
  });

  test('rejects when there is nobody, and when nobody answers', async () => {
    const { signal } = new AbortController();
    await expect(webSocketDial({ url: await nowhere() })(call, signal)).rejects.toMatchObject({
      reason: 'upstream-unreachable',
    });
    await expect(dial({ answer: () => true })).rejects.toMatchObject({ reason: 'upstream-timeout' });
    await eventually(() => upstream.open() === 0);
  });

  test('is given up when nobody wants it any more, now or before', async () => {
    const waiting = new AbortController();
    upstream = await webSocketUpstream({ answer: () => true });
    const dialled = webSocketDial({ url: upstream.url, connectMillis: 100_000 })(call, waiting.signal);
    dialled.catch(() => undefined);
    await eventually(() => upstream.open() === 1);
    waiting.abort();
    await expect(dialled).rejects.toMatchObject({ reason: 'client-gone' });
    await eventually(() => upstream.open() === 0);
    const { url } = upstream;
    await expect(webSocketDial({ url })(call, AbortSignal.abort())).rejects.toMatchObject({ reason: 'client-gone' });
  });

  test('asks no one whose URL is none', () => {
    expect(() => webSocketDial({ url: 'ftp://a' })).toThrow('http or https');
  });
});

test('what the upstream sends is bounded: in bytes, and in fragments', async () => {
  for (const flood of ['bytes', 'fragments']) {
    const wire = await dial();
    const errors: string[] = [];
    wire.on('error', ({ code = '' }) => errors.push(code));
    wire.resume();
    const [peer] = upstream.peers;
    if (flood === 'bytes') peer?.say('x'.repeat(2_000));
    else for (let n = 0; n < 2_000; n += 1) peer?.socket.send('', { fin: false });
    await eventually(() => errors.length > 0);
    expect(errors).toEqual([
      flood === 'bytes' ? 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' : 'WS_ERR_TOO_MANY_BUFFERED_PARTS',
    ]);
    await eventually(() => upstream.open() === 0);
    await upstream[Symbol.asyncDispose]();
  }
});

test('a peer that never answers a closing handshake is cut off', async () => {
  const wire = await dial();
  upstream.peers[0]?.socket.pause();
  wire.resume();
  const closed = new Promise((resolve) => wire.on('close', resolve));
  wire.close(1001);
  await closed;
});

test('statuses and failures have their meaning', () => {
  expect([401, 403, 404, 429, 500, 503].map((status) => refusedWith(status).reason)).toEqual([
    ...['upstream-denied', 'upstream-denied', 'upstream-broken', 'upstream-broken', 'upstream-broken', 'upstream-busy'],
  ]);
  const failed = (code: string) => failureOf(Object.assign(new Error('x'), { code })).reason;
  expect([failed('ECONNREFUSED'), failed('ENOTFOUND'), failed('ECONNRESET'), failureOf(new Error('x')).reason]).toEqual(
    [...['upstream-unreachable', 'upstream-unreachable', 'upstream-broken', 'upstream-broken']],
  );
});
