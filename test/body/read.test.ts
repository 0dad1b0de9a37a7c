import { createServer, type IncomingMessage, request as send } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { read } from '../../src/body/read.ts';
import { Rejection } from '../../src/model/rejection.ts';
import type { ReadRequest } from '../../src/model/request.ts';
import { arriving, post, refusalOf, routeTaking } from '../support/bodies.ts';

const readRequest = read();
const json = routeTaking({ kind: 'json', maxBytes: 100 });
const form = routeTaking({ kind: 'multipart', maxBytes: 200, file: 'file' });
const nothing = routeTaking({ kind: 'none' });
const jsonType = ['Content-Type', 'application/json'] as const;
const chunked = ['Transfer-Encoding', 'chunked'] as const;

describe('a route that takes no body', () => {
  test('answers at once', () => {
    const canonical = post('Content-Length', '0');
    expect(readRequest(canonical, nothing, undefined)).toEqual({ canonical, body: { kind: 'none' } });
  });

  test('refuses one that is announced', async () => {
    expect(await refusalOf(() => readRequest(post('Content-Length', '1'), nothing, undefined))).toBe(
      'body-unexpected 400',
    );
    expect(await refusalOf(() => readRequest(post(...chunked), nothing, arriving()))).toBe('body-unexpected 400');
  });
});

describe('a route that takes JSON', () => {
  test.each([
    'application/json',
    'Application/JSON',
    'application/json; charset=utf-8',
    'application/json;charset="UTF-8"',
  ])('reads %s', async (type) => {
    const canonical = post('Content-Type', type, 'Content-Length', '9', 'Content-Encoding', 'identity');
    const result = await readRequest(canonical, json, arriving('{"a', '":"b"}'));
    expect(result).toEqual({ canonical, body: { kind: 'json', value: { a: 'b' }, bytes: 9 } });
  });

  test('reads a character that is cut in two by the transport', async () => {
    const bytes = Buffer.from('{"a":"é"}');
    const result = (await readRequest(
      post(...jsonType, ...chunked),
      json,
      arriving(bytes.subarray(0, 7), bytes.subarray(7)),
    )) as ReadRequest;
    expect(result.body).toEqual({ kind: 'json', value: { a: 'é' }, bytes: 10 });
  });

  test('needs a body', async () => {
    expect(await refusalOf(() => readRequest(post(...jsonType), json, undefined))).toBe('body-missing 400');
    expect(await refusalOf(() => readRequest(post(...jsonType, ...chunked), json, arriving()))).toBe(
      'body-malformed 400',
    );
    expect(await refusalOf(() => readRequest(post(...jsonType, ...chunked), json, undefined))).toBe(
      'body-incomplete 400',
    );
  });

  test.each(['gzip', 'deflate', 'br', 'identity, gzip', ''])('refuses the encoding %j', async (encoding) => {
    const canonical = post(...jsonType, ...chunked, 'Content-Encoding', encoding);
    expect(await refusalOf(() => readRequest(canonical, json, arriving('{}')))).toBe('body-encoding 415');
  });

  test('refuses what is announced as too large without reading it', async () => {
    let touched = false;
    const source = {
      [Symbol.asyncIterator]() {
        touched = true;
        return arriving();
      },
    };
    expect(await refusalOf(() => readRequest(post(...jsonType, 'Content-Length', '101'), json, source))).toBe(
      'body-too-large 413',
    );
    expect(touched).toBe(false);
  });

  test('refuses what grows too large, and does not close the source', async () => {
    let closed = false;
    const source = {
      [Symbol.asyncIterator]: () => ({
        next: () => Promise.resolve({ done: false as const, value: Buffer.alloc(30, ' ') }),
        return: () => {
          closed = true;
          return Promise.resolve({ done: true as const, value: undefined });
        },
      }),
    };
    expect(await refusalOf(() => readRequest(post(...jsonType, ...chunked), json, source))).toBe('body-too-large 413');
    expect(closed).toBe(false);
  });

  test('takes a body of exactly the cap', async () => {
    const result = (await readRequest(
      post(...jsonType, ...chunked),
      json,
      arriving(`{}${' '.repeat(98)}`),
    )) as ReadRequest;
    expect(result.body).toEqual({ kind: 'json', value: {}, bytes: 100 });
  });

  test('refuses a body of another length than announced', async () => {
    const canonical = post(...jsonType, 'Content-Length', '5');
    expect(await refusalOf(() => readRequest(canonical, json, arriving('{}')))).toBe('body-incomplete 400');
    expect(await refusalOf(() => readRequest(canonical, json, arriving('{}', '      ')))).toBe('body-incomplete 400');
  });

  test('passes on the refusal of a source', async () => {
    const source = (async function* () {
      yield Buffer.from('{');
      throw new Rejection('client-gone', 'too slow');
    })();
    expect(await refusalOf(() => readRequest(post(...jsonType, ...chunked), json, source))).toBe('client-gone 499');
  });

  test('puts a large body together out of its chunks', async () => {
    const large = routeTaking({ kind: 'json', maxBytes: 20e6 });
    const chunks = ['{"a":"', ...Array.from({ length: 150 }, (_, index) => String(index % 10).repeat(65_536)), '"}'];
    const result = (await readRequest(post(...jsonType, ...chunked), large, arriving(...chunks))) as ReadRequest;
    expect(result.body).toEqual({ kind: 'json', value: { a: chunks.slice(1, -1).join('') }, bytes: 9_830_408 });
  });
});

describe('a route that takes a form', () => {
  const content = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\nx\r\n--b--\r\n';

  test('reads its parts', async () => {
    const canonical = post('Content-Type', 'multipart/form-data; boundary=b', 'Content-Length', String(content.length));
    const result = (await readRequest(canonical, form, arriving(content))) as ReadRequest;
    expect(result.body).toEqual({
      kind: 'multipart',
      bytes: content.length,
      parts: [{ name: 'file', fileName: 'a.png', contentType: undefined, content: Buffer.from('x') }],
    });
  });

  test('refuses what is announced as too large', async () => {
    const canonical = post('Content-Type', 'multipart/form-data; boundary=b', 'Content-Length', '201');
    expect(await refusalOf(() => readRequest(canonical, form, arriving(content)))).toBe('body-too-large 413');
  });
});

describe('over a real connection', () => {
  test('a body that is cut off is incomplete', async () => {
    const { port, outcome, close } = await serve();
    const socket = connect(port, '127.0.0.1');
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"a":');
    setImmediate(() => socket.end());
    expect(await outcome).toBe('body-incomplete 400');
    socket.destroy();
    close();
  });

  test('a body that grows too large can still be answered', async () => {
    const { port, outcome, close } = await serve();
    const status = new Promise((resolve, reject) => {
      const outgoing = send({ port, method: 'POST', headers: { 'content-type': 'application/json' } }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      });
      outgoing.on('error', reject);
      outgoing.write(' '.repeat(60));
      outgoing.write(' '.repeat(60));
    });
    expect(await outcome).toBe('body-too-large 413');
    expect(await status).toBe(413);
    close();
  });
});

const headersOf = ({ rawHeaders }: IncomingMessage): string[] =>
  rawHeaders.filter((_, index) => rawHeaders[index - (index % 2)]?.toLowerCase() !== 'host');

/** A server that reads one body, and answers with the status of its refusal. */
async function serve(): Promise<{ port: number; outcome: Promise<string>; close: () => void }> {
  let tell: (outcome: string) => void;
  const outcome = new Promise<string>((resolve) => {
    tell = resolve;
  });
  const server = createServer(async (incoming: IncomingMessage, answer) => {
    const refusal = await refusalOf(() => readRequest(post(...headersOf(incoming)), json, incoming));
    tell(refusal);
    answer.writeHead(Number(refusal.split(' ')[1] ?? 200), { connection: 'close' }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { port: (server.address() as AddressInfo).port, outcome, close };
}
