/** An upstream that keeps whole requests, byte for byte, and answers each with an empty object. */

import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';

export interface Recorded {
  readonly method: string;
  readonly target: string;
  /** Lines as they came. */
  readonly headers: readonly string[];
  readonly body: Buffer;
}

export interface RecordingUpstream extends AsyncDisposable {
  readonly url: string;
  /** Gives out what came since it was last asked. */
  take(): Recorded[];
}

/** Starts one on a free port. It knows bodies of a stated length and chunked ones, and nothing else. */
export const recordingUpstream = async (): Promise<RecordingUpstream> => {
  const recorded: Recorded[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let bytes = Buffer.alloc(0);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      for (let read = readRequest(bytes); read !== undefined; read = readRequest(bytes)) {
        recorded.push(read.request);
        bytes = bytes.subarray(read.length);
        socket.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}');
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    take: () => recorded.splice(0),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

const readRequest = (bytes: Buffer): { request: Recorded; length: number } | undefined => {
  const gap = bytes.indexOf('\r\n\r\n');
  if (gap < 0) return undefined;
  const [line = '', ...headers] = bytes.toString('latin1', 0, gap).split('\r\n');
  const [method = '', target = ''] = line.split(' ');
  const length = Number(headers.map((header) => /^content-length: *(\d+)$/i.exec(header)?.[1]).find(Boolean) ?? 0);
  const chunked = headers.some((header) => /^transfer-encoding: *chunked$/i.test(header));
  const rest = bytes.subarray(gap + 4);
  const body = chunked ? unchunk(rest) : length > rest.length ? undefined : { body: rest.subarray(0, length), length };
  if (body === undefined) return undefined;
  return { request: { method, target, headers, body: body.body }, length: gap + 4 + body.length };
};

const unchunk = (bytes: Buffer): { body: Buffer; length: number } | undefined => {
  const chunks: Buffer[] = [];
  for (let at = 0; ; ) {
    const end = bytes.indexOf('\r\n', at);
    if (end < 0) return undefined;
    const size = Number.parseInt(bytes.toString('latin1', at, end), 16);
    const next = end + 2 + size + 2;
    if (next > bytes.length) return undefined;
    if (size === 0) return { body: Buffer.concat(chunks), length: next };
    chunks.push(bytes.subarray(end + 2, end + 2 + size));
    at = next;
  }
};
