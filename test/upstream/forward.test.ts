import { createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { answer, bareUpstream, nowhere } from '../support/bare-upstream.ts';
import { refusalOf } from '../support/bodies.ts';
import { eventually } from '../support/eventually.ts';
import { ask, collect, open, request, to } from '../support/origin-calls.ts';

describe('connections', () => {
  test('of safe methods are kept, of others each has its own', async () => {
    await using upstream = await bareUpstream(({ socket }) => socket.write(answer(200, 'ok')));
    const one = to(upstream.url);
    for (let i = 0; i < 3; i += 1) await ask(one, 'GET');
    expect(upstream.ever()).toBe(1);
    for (let i = 0; i < 3; i += 1) await ask(one, 'POST', '/', { body: Buffer.from('{}') });
    await ask(one, 'DELETE');
    expect(upstream.ever()).toBe(5);
    for (const head of upstream.heads.slice(3)) expect(head).toMatch(/\r\nconnection: close/i);
  });

  test('are given up after a server error, before the next request meets a dead one', async () => {
    await using upstream = await bareUpstream(({ socket, turn }) => {
      socket.write(answer(turn === 1 ? 500 : 200, 'Internal Server Error'));
    });
    const one = to(upstream.url);
    expect(await ask(one, 'GET')).toMatchObject({ status: 500, text: 'Internal Server Error', broken: false });
    await ask(one, 'GET');
    expect(upstream.ever()).toBe(2);
  });

  test('that close silently after a 500 cost nobody an answer', async () => {
    await using upstream = await bareUpstream(({ socket, target }) => {
      if (target === '/bad') socket.end(answer(500, 'Internal Server Error'));
      else socket.write(answer(200, 'ok'));
    });
    const one = to(upstream.url);
    for (let i = 0; i < 20; i += 1) {
      expect((await ask(one, 'GET', i % 2 === 0 ? '/bad' : '/good')).status).toBe(i % 2 === 0 ? 500 : 200);
    }
  });
});

describe('what passes untouched', () => {
  test('interim answers are ignored, early hints too', async () => {
    await using upstream = await bareUpstream(({ socket }) => {
      socket.write('HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n');
      socket.write(answer(200, 'ok'));
    });
    expect(await ask(to(upstream.url), 'GET')).toMatchObject({ status: 200, text: 'ok', broken: false });
  });

  test('trailers do no harm', async () => {
    await using upstream = await bareUpstream(({ socket }) =>
      socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x\r\n\r\n2\r\nok\r\n0\r\nx: y\r\n\r\n'),
    );
    const got = await to(upstream.url).send(request('GET'), open());
    expect(got.headers).toEqual({});
    expect(await collect(got)).toMatchObject({ text: 'ok', broken: false });
  });

  test('HEAD has a length and no body', async () => {
    await using upstream = await bareUpstream(({ socket }) =>
      socket.write(answer(200, '', { 'content-length': '50' })),
    );
    const got = await to(upstream.url).send(request('HEAD'), open());
    expect(got.headers['content-length']).toBe('50');
    expect(await collect(got)).toMatchObject({ text: '', broken: false });
  });

  test('the first chunk is there before the last was sent', async () => {
    let finish = (): void => undefined;
    await using upstream = await bareUpstream(({ socket }) => {
      socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n');
      finish = () => void socket.write('4\r\nlast\r\n0\r\n\r\n');
    });
    const got = await to(upstream.url).send(request('GET'), open());
    const chunks: string[] = [];
    let over = false;
    got.body.pipe({
      write: (chunk) => chunks.push(chunk.toString()) > 0,
      end: () => {
        over = true;
      },
      fail: () => undefined,
    });
    await eventually(() => chunks.join('') === 'first');
    expect(over).toBe(false);
    finish();
    await eventually(() => over);
    expect(chunks.join('')).toBe('firstlast');
  });

  test('a body of the gateway’s goes out whole, with its length', async () => {
    await using upstream = await bareUpstream(({ socket }) => socket.write(answer(200)));
    await ask(to(upstream.url), 'POST', '/x', { body: [Buffer.from('{"a"'), Buffer.from(':1}')] });
    expect(upstream.heads[0]).toMatch(/\r\ncontent-length: 7/i);
  });

  test('a name of the upstream’s is its own, whatever Host the client sent', async () => {
    await using upstream = await bareUpstream(({ socket }) => socket.write(answer(200)));
    await ask(to(upstream.url), 'GET');
    expect(upstream.heads[0]).toMatch(new RegExp(`\r\nhost: 127\\.0\\.0\\.1:${upstream.port}(\r\n|$)`, 'i'));
  });

  test('Latin-1 in a header is no fault', async () => {
    await using upstream = await bareUpstream(({ socket }) => socket.write(answer(200)));
    await ask(to(upstream.url), 'GET', '/', { headers: ['user-agent', 'caf\u00e9'] });
    expect(upstream.heads[0]).toContain('caf\u00e9');
  });
});

test('a reader that pauses makes the upstream wait, and loses nothing', async () => {
  let sent = 0;
  const total = 50 * 1024 * 1024;
  const chunk = Buffer.alloc(65_536, 'x');
  await using upstream = await bareUpstream(({ socket }) => {
    socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${total}\r\n\r\n`);
    const more = (): void => {
      while (sent < total) {
        sent += chunk.length;
        if (!socket.write(chunk)) return void socket.once('drain', more);
      }
    };
    more();
  });
  const got = await to(upstream.url).send(request('GET', '/', { timeoutMillis: 60_000 }), open());
  let received = 0;
  let paused = true;
  let over = false;
  got.body.pipe({
    write(part) {
      received += part.length;
      return !paused;
    },
    end: () => {
      over = true;
    },
    fail: () => undefined,
  });
  let before = -1;
  await eventually(async () => {
    const still = before === sent;
    before = sent;
    await new Promise((resolve) => setTimeout(resolve, 50));
    return still;
  });
  // What the kernel's buffers take, and no more: nothing is gathered here.
  expect(sent).toBeLessThan(total / 2);
  expect(received).toBeLessThan(1_000_000);
  paused = false;
  got.body.resume();
  await eventually(() => over, 20_000);
  expect(received).toBe(total);
});

describe('an upstream that is not there', () => {
  test('is refused at once, and then not even tried for a moment', async () => {
    let time = 0;
    const one = to(await nowhere(), () => time);
    for (let i = 0; i < 5; i += 1) expect(await refusalOf(() => ask(one, 'GET'))).toBe('upstream-unreachable 502');
    expect(one.healthy()).toBe(false);
    expect(await refusalOf(() => ask(one, 'GET'))).toBe('upstream-resting 502');
    expect(await refusalOf(() => ask(one, 'POST'))).toBe('upstream-resting 502');
    time += 500;
    expect(await refusalOf(() => ask(one, 'POST'))).toBe('upstream-unreachable 502');
    expect(await refusalOf(() => ask(one, 'GET'))).toBe('upstream-resting 502');
  });

  test('is found again when it comes back', async () => {
    let time = 0;
    const url = await nowhere();
    const one = to(url, () => time);
    for (let i = 0; i < 6; i += 1) await refusalOf(() => ask(one, 'GET'));
    const server = createServer((socket) => void socket.resume().end(answer(200, 'back')));
    await new Promise<void>((resolve) => server.listen(Number(new URL(url).port), '127.0.0.1', resolve));
    time += 500;
    expect(await ask(one, 'GET')).toMatchObject({ text: 'back' });
    expect(one.healthy()).toBe(true);
    expect(await ask(one, 'GET')).toMatchObject({ text: 'back' });
    await new Promise((resolve) => server.close(resolve));
  });

  test('an upstream that breaks off is there all the same', async () => {
    await using upstream = await bareUpstream(({ socket }) => socket.resetAndDestroy());
    const one = to(upstream.url);
    for (let i = 0; i < 8; i += 1) expect(await refusalOf(() => ask(one, 'POST'))).toBe('upstream-broken 502');
    expect(one.healthy()).toBe(true);
  });
});

describe('read', () => {
  test('returns a small body whole', async () => {
    await using upstream = await bareUpstream(({ socket }) => socket.write(answer(404, 'null')));
    expect(await to(upstream.url).read('/p', 10)).toMatchObject({
      status: 404,
      body: Buffer.from('null'),
      whole: true,
    });
  });

  test('gives up what is larger, and its connection', async () => {
    await using upstream = await bareUpstream(({ socket }) =>
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: 10000000\r\n\r\n${'x'.repeat(100_000)}`),
    );
    const got = await to(upstream.url).read('/p', 10);
    expect(got.whole).toBe(false);
    await eventually(() => upstream.open() === 0);
  });

  test('rejects when the body breaks off', async () => {
    await using upstream = await bareUpstream(({ socket }) =>
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf'),
    );
    await expect(to(upstream.url).read('/p', 10)).rejects.toThrow();
  });
});
