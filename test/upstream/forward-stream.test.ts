import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { OutboundRequest } from '../../src/model/request.ts';
import { origin } from '../../src/upstream/forward.ts';
import { refusalOf } from '../support/bodies.ts';

const closing: Array<() => Promise<unknown>> = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const open = async (script: (request: IncomingMessage, response: ServerResponse) => void) => {
  const server = createServer(script);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stage = origin({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  closing.push(async () => {
    await stage.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return (method: string, body: AsyncIterable<Buffer>, headers: readonly string[] = []) =>
    stage.send(
      { method, target: '/x', headers: [...headers], body, timeoutMillis: 5_000 } as unknown as OutboundRequest,
      { cancelled: false, onCancel: undefined },
    );
};

/** Answers with the framing that arrived, and the body. */
const echo = (request: IncomingMessage, response: ServerResponse): void => {
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  let text = `${length ?? encoding} `;
  request.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  request.on('end', () => response.end(text));
};

async function* pieces(...texts: readonly string[]): AsyncGenerator<Buffer> {
  for (const text of texts) yield Buffer.from(text);
}

const read = async (sending: ReturnType<Awaited<ReturnType<typeof open>>>): Promise<string> => {
  const { body } = await sending;
  return new Promise((resolve, reject) => {
    let text = '';
    body.pipe({
      write(chunk) {
        text += chunk.toString();
        return true;
      },
      end: () => resolve(text),
      fail: reject,
    });
  });
};

describe('a body that still arrives', () => {
  test.each(['POST', 'PUT', 'DELETE', 'GET'])('goes out as it comes: %s', async (method) => {
    const send = await open(echo);
    expect(await read(send(method, pieces('ab', 'cd')))).toBe('chunked abcd');
    expect(await read(send(method, pieces('ab', 'cd'), ['content-length', '4']))).toBe('4 abcd');
  });

  test('is not waited for as a whole', async () => {
    let sendMore: (() => void) | undefined;
    const send = await open((request, response) => {
      request.once('data', () => sendMore?.());
      request.on('end', () => response.end('all'));
    });
    async function* body(): AsyncGenerator<Buffer> {
      yield Buffer.from('first');
      // Deadlocks unless the first piece went out by itself.
      await new Promise<void>((resolve) => {
        sendMore = resolve;
      });
      yield Buffer.from('second');
    }
    expect(await read(send('POST', body()))).toBe('all');
  });

  test('is never taken for whole when it breaks off', async () => {
    let ended = false;
    const send = await open((request) => {
      request.on('error', () => undefined);
      request.on('end', () => {
        ended = true;
      });
    });
    async function* body(): AsyncGenerator<Buffer> {
      yield Buffer.from('half');
      throw new Error('the client is gone');
    }
    expect(await refusalOf(() => send('POST', body()))).toBe('upstream-broken 502');
    expect(ended).toBe(false);
  });

  test('is not sent again, whatever the method', async () => {
    let asked = 0;
    const send = await open((request) => {
      asked += 1;
      request.socket.resetAndDestroy();
    });
    expect(await refusalOf(() => send('GET', pieces('a')))).toBe('upstream-broken 502');
    expect(asked).toBe(1);
  });

  test('does not hold up an answer that comes before its end', async () => {
    const send = await open((_request, response) => response.writeHead(413).end('enough'));
    async function* endless(): AsyncGenerator<Buffer> {
      for (;;) yield Buffer.alloc(65_536);
    }
    expect((await send('POST', endless())).status).toBe(413);
  });
});
