import { afterEach, describe, expect, test } from 'vitest';
import { connectBroadcast } from '../../src/upstream/broadcast.ts';
import { listen, start, stopAll } from '../support/broadcast-upstream.ts';
import { until } from '../support/socket-door.ts';

afterEach(stopAll);

describe('the broadcast', () => {
  test('hands out every event in the order in which it was heard', async () => {
    const server = await start();
    const { broadcast, events } = listen(server.port);
    await until(() => broadcast.connected());
    for (let n = 0; n < 500; n += 1) server.io.emit('session_update', { n });
    await until(() => events.length === 501);
    expect(events[0]).toEqual({ name: 'connected', payload: { status: 'connected' } });
    expect(events.slice(1).map(({ payload }) => payload.n)).toEqual(Array.from({ length: 500 }, (_, n) => n));
  });

  test('does not offer compression', async () => {
    const server = await start();
    const { broadcast } = listen(server.port);
    await until(() => broadcast.connected());
    expect(server.extensions).toEqual([undefined]);
  });

  test('takes a message of 110 million bytes', async () => {
    const server = await start();
    const { broadcast, events } = listen(server.port);
    await until(() => broadcast.connected());
    server.io.emit('session_update', { text: 'x'.repeat(110_000_000) });
    await until(() => events.length === 2);
    expect(String(events[1]?.payload.text)).toHaveLength(110_000_000);
  });

  test('drops what is no single object, and says so', async () => {
    const server = await start();
    const { broadcast, events, notices } = listen(server.port);
    await until(() => broadcast.connected() && events.length === 1);
    server.io.emit('a', 'text');
    server.io.emit('b', [1]);
    server.io.emit('c', null);
    server.io.emit('d');
    server.io.emit('e', {}, {});
    server.io.emit('f', Buffer.from('x'));
    server.io.emit('g', { fine: true });
    await until(() => events.length === 2);
    expect(notices.filter(({ kind }) => kind === 'payload-dropped').map(({ detail }) => detail)).toEqual([
      ...['a', 'b', 'c', 'd', 'e', 'f'],
    ]);
  });

  test('outlives a listener that throws', async () => {
    const server = await start();
    const { broadcast, events, kinds } = listen(server.port);
    broadcast.onEvent(() => {
      throw new Error('listener');
    });
    await until(() => events.length === 1);
    server.io.emit('g', {});
    await until(() => events.length === 2);
    expect(kinds().filter((kind) => kind === 'listener-failed')).toHaveLength(2);
    expect(broadcast.connected()).toBe(true);
  });
});

describe('a binary event', () => {
  test('is handed out as plain JSON with placeholders, and its parts beside it', async () => {
    const server = await start();
    const { events } = listen(server.port);
    await until(() => events.length === 1);
    server.io.emit('session_update', { n: 1, image: Buffer.from('first'), list: [{ part: Buffer.from('second') }] });
    server.io.emit('session_update', { n: 2, image: { _placeholder: true, num: 0 } });
    server.io.emit('session_update', { n: 3, image: Buffer.alloc(0) });
    await until(() => events.length === 4);
    const [, binary, plain, empty] = events;
    const parts = binary?.attachments ?? [];
    const at = (text: string) => ({ _placeholder: true, num: parts.findIndex((part) => part.toString() === text) });
    expect(binary?.payload).toEqual({ n: 1, image: at('first'), list: [{ part: at('second') }] });
    expect(parts.map(String).sort()).toEqual(['first', 'second']);
    expect(plain).toEqual({ name: 'session_update', payload: { n: 2, image: { _placeholder: true, num: 0 } } });
    expect(plain).not.toHaveProperty('attachments');
    expect(empty?.attachments).toEqual([Buffer.alloc(0)]);
  });

  test('with more parts than a client could take is dropped, and nothing else', async () => {
    const server = await start();
    const { events, kinds } = listen(server.port);
    await until(() => events.length === 1);
    const parts = (count: number) => Array.from({ length: count }, (_, n) => Buffer.from([n]));
    server.io.emit('session_update', { n: 1, parts: parts(10) });
    server.io.emit('session_update', { n: 2, parts: parts(11) });
    server.io.emit('session_update', { n: 3, parts: parts(1_000) });
    server.io.emit('session_update', { n: 4 });
    await until(() => events.length === 3);
    expect(events.slice(1).map(({ payload, attachments }) => [payload.n, attachments?.length])).toEqual([
      [1, 10],
      [4, undefined],
    ]);
    expect(kinds()).toEqual(['broadcast-connected', 'payload-dropped', 'payload-dropped']);
  });

  test('with more parts than are read at all is a gap', async () => {
    const server = await start();
    const { events, gaps } = listen(server.port);
    await until(() => events.length === 1);
    server.io.emit('session_update', { parts: Array.from({ length: 1_001 }, () => Buffer.from('x')) });
    await until(() => gaps.length === 1);
    server.io.emit('session_update', { n: 1 });
    await until(() => events.at(-1)?.payload.n === 1);
    expect(server.open()).toBe(1);
  });
});

test.each(['ftp://127.0.0.1', 'ws://127.0.0.1', 'nonsense'])('refuses the upstream %s', (url) => {
  expect(() => connectBroadcast({ url, path: '/socket.io/', notice: () => undefined })).toThrow(TypeError);
});
