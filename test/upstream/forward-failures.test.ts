import { describe, expect, test } from 'vitest';
import { answer, bareUpstream } from '../support/bare-upstream.ts';
import { refusalOf } from '../support/bodies.ts';
import { eventually } from '../support/eventually.ts';
import { ask, open, request, to } from '../support/origin-calls.ts';

describe('a kept connection that turns out dead', () => {
  test('lets a safe request be repeated on another', async () => {
    await using upstream = await bareUpstream(({ socket, turn }) => {
      if (turn === 1) socket.write(answer(200, 'ok'));
      else socket.resetAndDestroy();
    });
    const one = to(upstream.url);
    for (let i = 0; i < 3; i += 1) expect(await ask(one, 'GET', `/${i}`)).toMatchObject({ status: 200, text: 'ok' });
    expect(upstream.seen.slice(0, 3)).toEqual(['GET /0', 'GET /1', 'GET /1']);
  });

  test.each(['GET', 'HEAD', 'OPTIONS'])('%s is tried three times and no more', async (method) => {
    await using upstream = await bareUpstream(({ socket }) => socket.resetAndDestroy());
    expect(await refusalOf(() => ask(to(upstream.url), method))).toBe('upstream-broken 502');
    expect(upstream.seen).toHaveLength(3);
  });

  test.each(['POST', 'PUT', 'PATCH', 'DELETE'])('%s is never repeated', async (method) => {
    await using upstream = await bareUpstream(({ socket }) => socket.resetAndDestroy());
    expect(await refusalOf(() => ask(to(upstream.url), method))).toBe('upstream-broken 502');
    expect(upstream.seen).toHaveLength(1);
  });

  test('is not repeated once a byte of the answer came', async () => {
    await using upstream = await bareUpstream(({ socket }) => socket.end('HTTP/1.1 200 OK\r\ncontent-le'));
    await refusalOf(() => ask(to(upstream.url), 'POST'));
    expect(upstream.seen).toHaveLength(1);
  });
});

describe('an answer that goes wrong', () => {
  test('in its middle is told to whoever reads it', async () => {
    await using upstream = await bareUpstream(({ socket }) =>
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf'),
    );
    expect(await ask(to(upstream.url), 'GET')).toMatchObject({ status: 200, text: 'half', broken: true });
    expect(upstream.seen).toHaveLength(1);
  });

  test('as a chunked one without an end too', async () => {
    await using upstream = await bareUpstream(({ socket }) =>
      socket.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n'),
    );
    expect(await ask(to(upstream.url), 'GET')).toMatchObject({ text: 'half', broken: true });
  });

  test.each([
    ['what is no HTTP', 'SSH-2.0-OpenSSH\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab'],
    ['a length and chunks', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['a header of a megabyte', `HTTP/1.1 200 OK\r\nx: ${'a'.repeat(1_000_000)}\r\n\r\n`],
  ])('%s is broken', async (_name, text) => {
    await using upstream = await bareUpstream(({ socket }) => socket.write(text));
    expect(await refusalOf(() => ask(to(upstream.url), 'POST', '/', { timeoutMillis: 3_000 }))).toBe(
      'upstream-broken 502',
    );
  });

  test('by never beginning is a timeout, each request by its own', async () => {
    await using upstream = await bareUpstream(() => undefined);
    const one = to(upstream.url);
    const long = ask(one, 'GET', '/long', { timeoutMillis: 60_000 });
    long.catch(() => undefined);
    expect(await refusalOf(() => ask(one, 'GET', '/short', { timeoutMillis: 300 }))).toBe('upstream-timeout 504');
    expect(await refusalOf(() => ask(one, 'POST', '/short', { timeoutMillis: 300 }))).toBe('upstream-timeout 504');
    expect([...upstream.seen].sort()).toEqual(['GET /long', 'GET /short', 'POST /short']);
  });

  test('by stopping in the middle is told', async () => {
    await using upstream = await bareUpstream(({ socket }) =>
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf'),
    );
    expect(await ask(to(upstream.url), 'GET', '/', { timeoutMillis: 300 })).toMatchObject({ broken: true });
  });
});

describe('a client that leaves', () => {
  test('before the head gives the exchange up', async () => {
    await using upstream = await bareUpstream(() => undefined);
    const cancellation = open();
    const sent = refusalOf(() => to(upstream.url).send(request('POST'), cancellation));
    await eventually(() => upstream.seen.length === 1);
    cancellation.cancelled = true;
    cancellation.onCancel?.();
    expect(await sent).toBe('client-gone 499');
    await eventually(() => upstream.open() === 0);
  });

  test('before anything was sent sends nothing', async () => {
    await using upstream = await bareUpstream(({ socket }) => socket.write(answer(200)));
    const cancellation = { ...open(), cancelled: true };
    expect(await refusalOf(() => to(upstream.url).send(request('POST'), cancellation))).toBe('client-gone 499');
    expect(upstream.seen).toEqual([]);
  });

  test('does not have its request repeated', async () => {
    const cancellation = open();
    await using upstream = await bareUpstream(({ socket }) => {
      cancellation.cancelled = true;
      socket.resetAndDestroy();
    });
    expect(await refusalOf(() => to(upstream.url).send(request('GET'), cancellation))).toBe('client-gone 499');
    expect(upstream.seen).toHaveLength(1);
  });

  test('three hundred times does not use up the connections', async () => {
    await using upstream = await bareUpstream(({ socket, target }) => {
      if (target === '/small') socket.write(answer(200, 'ok'));
      else socket.write(`HTTP/1.1 200 OK\r\ncontent-length: 10000000\r\n\r\n${'x'.repeat(200_000)}`);
    });
    const one = to(upstream.url);
    for (let i = 0; i < 300; i += 1) {
      const cancellation = open();
      const got = await one.send(request('GET', '/large'), cancellation);
      // Half of them read something first.
      if (i % 2 === 0) got.body.pipe({ write: () => false, end: () => undefined, fail: () => undefined });
      cancellation.cancelled = true;
      cancellation.onCancel?.();
    }
    expect(await ask(one, 'GET', '/small')).toMatchObject({ text: 'ok' });
    await eventually(() => upstream.open() <= 1);
  });
});
