import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StandIn } from '../../demo/jaaz/server.ts';
import { get, post, raw, start } from './support.ts';

let standIn: Awaited<ReturnType<typeof start>>;
const made = (id: string): Promise<unknown> =>
  post(standIn, '/api/canvas/create', { canvas_id: id, name: `Name of ${id}` });

beforeAll(async () => {
  standIn = await start();
  await made('probe1');
  await made('a b');
  await made('Grüße');
});
afterAll(() => standIn[Symbol.asyncDispose]());

const HOST = 'Host: x\r\n';
const line = (target: string, method = 'GET') => `${method} ${target} HTTP/1.1\r\n${HOST}\r\n`;
const long = 'x'.repeat(66_000);

describe('a target is decoded once and matched as it is (section 8)', () => {
  test.each([
    ['plain', '/api/canvas/probe1', 200, 'Name of probe1'],
    ['an escaped slash routes', '/api/canvas%2Fprobe1', 200, 'Name of probe1'],
    ['an escaped letter routes', '/%61pi/canvas/list', 200, 'probe1'],
    ['an escaped literal routes', '/api/canvas/%6cist', 200, 'probe1'],
    ['one trailing newline is eaten', '/api/config%0a', 200, 'sk-FAKE-OPENAI-KEY'],
    ['… on the list too', '/api/canvas/list%0a', 200, 'probe1'],
    ['two newlines are not', '/api/config%0a%0a', 404, 'Not Found'],
    ['nor a CRLF', '/api/config%0d%0a', 404, 'Not Found'],
    ['at the end of an id it belongs to the id', '/api/canvas/probe1%0a', 200, 'null'],
    ['doubled slash', '//api/canvas/list', 404, ''],
    ['doubled slash inside', '/api/canvas//probe1', 404, ''],
    ['dot', '/api/./canvas/list', 404, ''],
    ['dot dot', '/api/x/../canvas/list', 404, ''],
    ['escaped dot dot', '/api/x/%2e%2e/canvas/list', 404, ''],
    ['backslash', '/api\\canvas\\list', 404, ''],
    ['case', '/API/canvas/list', 404, ''],
    ['escaped slash in an id', '/api/canvas/a%2fb', 404, ''],
    ['double encoding', '/api/canvas/%2570robe1', 200, 'null'],
    ['path parameter', '/api/canvas/probe1;x=1', 200, 'null'],
    ['NUL', '/api/canvas/probe1%00', 200, 'null'],
    ['an escaped space', '/api/canvas/a%20b', 200, 'Name of a b'],
    ['a plus is a plus', '/api/canvas/a+b', 200, 'null'],
    ['UTF-8 in escapes', '/api/canvas/Gr%C3%BC%C3%9Fe', 200, 'Name of'],
    ['a bad escape is kept', '/api/canvas/%zz', 200, 'null'],
    ['bad UTF-8 is replaced', '/api/canvas/%ff', 200, 'null'],
    ['a fragment is cut off', '/api/canvas/probe1#/../x', 200, 'Name of probe1'],
    ['absolute form is served', 'http://evil/api/canvas/probe1', 200, 'Name of probe1'],
    ['a very long id', `/api/canvas/${long}`, 200, 'null'],
    ['raw non-ASCII', '/api/canvas/\xe9', 400, 'Invalid HTTP request received.'],
    ['a raw space', '/api/canvas/a b', 400, 'Invalid HTTP request received.'],
    ['the last of duplicate keys', '/api/get_media_files?path=/nowhere&path=/etc', 200, '['],
    ['a key spelt with escapes', '/api/get_media_files?p%61th=/etc', 200, '['],
    ['a missing query key', '/api/get_media_files', 422, 'missing'],
    ['an unknown route', '/canvas/probe1?sessionId=s', 404, '{"detail":"Not Found"}'],
    ['an unknown file of the page', '/jaaz.png', 404, '{"detail":"Not Found"}'],
    ['a session list that never worked', '/api/list_chat_sessions', 500, 'Internal Server Error'],
  ])('%s', async (_name, target, status, text) => {
    const answer = await raw(standIn.port, line(target));
    expect(answer.status).toBe(status);
    expect(answer.body).toContain(text);
  });

  test.each([
    ['/api/canvas/list/?a=1&b=2', 'http://x/api/canvas/list?a=1&b=2'],
    ['/api/canvas/probe1/', 'http://x/api/canvas/probe1'],
    ['/api/file/name.png/', 'http://x/api/file/name.png'],
    ['/docs/', 'http://x/docs'],
    ['/assets', 'http://x/assets/'],
  ])('%s is redirected', async (target, location) => {
    for (const method of ['GET', 'POST']) {
      const answer = await raw(standIn.port, line(target, method));
      expect(answer.status).toBe(307);
      expect(answer.head).toContain(`location: ${location}`);
    }
  });

  test('a redirect believes X-Forwarded-Proto', async () => {
    const answer = await raw(standIn.port, 'GET /docs/ HTTP/1.1\r\nHost: h\r\nX-Forwarded-Proto: https\r\n\r\n');
    expect(answer.head).toContain('location: https://h/docs');
  });
});

describe('methods', () => {
  test.each([
    ['HEAD', '/', 405, 'GET'],
    ['HEAD', '/api/canvas/list', 405, 'GET'],
    ['OPTIONS', '/api/canvas/list', 405, 'GET'],
    ['PUT', '/api/chat', 405, 'POST'],
    ['POST', '/api/canvas/list', 405, 'GET'],
    ['GET', '/api/canvas/probe1/delete', 405, 'DELETE'],
  ])('%s %s is %i', async (method, target, status, allow) => {
    const answer = await raw(standIn.port, line(target, method));
    expect(answer.status).toBe(status);
    expect(answer.head).toContain(`allow: ${allow}`);
  });

  test('GET of a route for POST falls to the route of an id', async () => {
    expect(await get(standIn, '/api/canvas/create')).toEqual({ status: 200, text: 'null' });
  });

  test('HEAD works on the assets', async () => {
    expect((await raw(standIn.port, line('/assets/app.js', 'HEAD'))).status).toBe(200);
  });

  test.each(['get', 'BREW'])('%s is 400', async (method) => {
    expect((await raw(standIn.port, line('/api/canvas/list', method))).status).toBe(400);
  });

  test('an override header changes nothing', async () => {
    const head = `X-HTTP-Method-Override: DELETE\r\n${HOST}`;
    const answer = await raw(standIn.port, `POST /api/canvas/list HTTP/1.1\r\n${head}Content-Length: 0\r\n\r\n`);
    expect(answer.status).toBe(405);
  });
});

describe('framing', () => {
  const chunked = '\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n';
  test.each([
    ['no Host', 'GET /api/config/exists HTTP/1.1\r\n\r\n', 200],
    ['two Hosts', `GET /api/config/exists HTTP/1.1\r\n${HOST}${HOST}\r\n`, 200],
    ['HTTP/1.0', 'GET /api/config/exists HTTP/1.0\r\n\r\n', 200],
    ['bare LF', 'GET /api/config/exists HTTP/1.1\nHost: x\n\n', 200],
    ['obs-fold', `GET /api/config/exists HTTP/1.1\r\n${HOST}A: b\r\n c\r\n\r\n`, 200],
    ['upgrade to h2c', `GET /api/config/exists HTTP/1.1\r\n${HOST}Connection: upgrade\r\nUpgrade: h2c\r\n\r\n`, 200],
    ['a header of 64 kB', `GET /api/config/exists HTTP/1.1\r\n${HOST}A: ${'x'.repeat(64_000)}\r\n\r\n`, 200],
    ['a header of 200 kB', `GET /api/config/exists HTTP/1.1\r\n${HOST}A: ${'x'.repeat(200_000)}\r\n\r\n`, 400],
    ['length and chunked', `POST /api/chat HTTP/1.1\r\n${HOST}Content-Length: 5${chunked}`, 400],
    ['two lengths', `POST /api/chat HTTP/1.1\r\n${HOST}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} `, 400],
    ['a signed length', `POST /api/chat HTTP/1.1\r\n${HOST}Content-Length: +2\r\n\r\n{}`, 400],
    ['an unknown coding', `POST /api/chat HTTP/1.1\r\n${HOST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`, 400],
    ['chunks', `POST /api/chat HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`, 200],
    [
      'gzip, which nobody decodes',
      `POST /api/chat HTTP/1.1\r\n${HOST}Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x8b`,
      500,
    ],
  ])('%s', async (_name, bytes, status) => {
    expect((await raw(standIn.port, bytes)).status).toBe(status);
  });

  test('nothing is said about keeping alive', async () => {
    const { head } = await raw(standIn.port, line('/api/config/exists'));
    expect(head).not.toMatch(/keep-alive/i);
    expect(head).not.toMatch(/\r\nconnection:/i);
    expect(head).toMatch(/\r\nserver: uvicorn/);
  });

  test('a 500 is plain text, and the connection dies without a word', async () => {
    const { bytes } = await talk(standIn, line('/api/list_chat_sessions'));
    expect(bytes).toMatch(/^HTTP\/1.1 500 /);
    expect(bytes).toContain('content-type: text/plain; charset=utf-8');
    expect(bytes).not.toMatch(/\r\nconnection:/i);
    expect(bytes.endsWith('\r\n\r\nInternal Server Error')).toBe(true);
  });

  test('Expect: 100-continue is honoured', async () => {
    const head = `POST /api/chat HTTP/1.1\r\n${HOST}Connection: close\r\nExpect: 100-continue\r\nContent-Length: 2`;
    const { bytes } = await talk(standIn, `${head}\r\n\r\n{}`);
    expect(bytes).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
  });

  test('an idle connection is closed after five seconds', async () => {
    const { millis } = await talk(standIn, line('/api/config/exists'));
    expect(millis).toBeGreaterThan(4500);
    expect(millis).toBeLessThan(9000);
  });

  test('pipelined requests are answered in order', async () => {
    const two = line('/api/config/exists') + line('/api/canvas/nothing') + line('/api/list_chat_sessions');
    const { bytes } = await talk(standIn, two);
    expect(bytes.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200', 'HTTP/1.1 500']);
  });
});

test('what was asked is on record, raw and decoded', async () => {
  await raw(standIn.port, line('/api/canvas/%70robe9?x=1#y'));
  const seen = standIn.requests.at(-1);
  expect(seen).toMatchObject({ method: 'GET', target: '/api/canvas/%70robe9?x=1#y', path: '/api/canvas/probe9' });
});

/** Everything the server sends until it closes, and how long that took. */
function talk({ port }: StandIn, request: string): Promise<{ bytes: string; millis: number }> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    const began = performance.now();
    let bytes = '';
    socket.on('data', (chunk) => {
      bytes += chunk.toString('latin1');
    });
    socket.on('error', reject);
    socket.on('end', () => socket.end());
    socket.on('close', () => resolve({ bytes, millis: performance.now() - began }));
    socket.write(request);
  });
}
