/**
 * The load: 64 connections, each with one request under way at any time, on bare sockets so that it is not the load that
 * is measured. It reads lines of `{ port, millis }` from standard input and answers each with a line of results.
 * Arguments: the file with the requests' paths and credentials.
 */
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { createHistogram } from './histogram.ts';

const CONNECTIONS = 64;

export interface LoadOrder {
  readonly port: number;
  readonly millis: number;
}

export interface LoadResult {
  readonly requests: number;
  readonly millis: number;
  readonly p99Millis: number;
  /** The first answer that was not a 200, or the first broken connection. */
  readonly fault: string | undefined;
}

export interface LoadRequest {
  readonly path: string;
  /** A line of the head by which its user is known. */
  readonly credential: string;
}

const file = process.argv[2];
if (file === undefined) throw new TypeError('arguments: file');
const requests: readonly LoadRequest[] = JSON.parse(readFileSync(file, 'utf8'));
const wire = requests.map(({ path, credential }) =>
  Buffer.from(`GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: application/json\r\n${credential}\r\n\r\n`),
);

/** Returns how many bytes an answer has whose head is complete, 0 while it is not, or throws when it is not a 200. */
const answerLength = (answer: Buffer): number => {
  const headEnd = answer.indexOf('\r\n\r\n');
  if (headEnd === -1) return 0;
  const head = answer.toString('latin1', 0, headEnd);
  const length = head.match(/\r\ncontent-length: *(\d+)/i)?.[1];
  if (!head.startsWith('HTTP/1.1 200') || length === undefined) throw new Error(answer.toString('latin1', 0, 400));
  return headEnd + 4 + Number(length);
};

/** Keeps one connection busy until `stopped`, and tells the time of each answer. */
const keepBusy = (socket: Socket, next: () => Buffer, answered: (millis: number) => boolean): Promise<void> =>
  new Promise((resolve, reject) => {
    let sentAt = 0;
    let waiting: Buffer | undefined;
    const send = (): void => {
      sentAt = performance.now();
      socket.write(next());
    };
    const take = (chunk: Buffer): void => {
      const answer = waiting === undefined ? chunk : Buffer.concat([waiting, chunk]);
      const length = answerLength(answer);
      if (length === 0 || answer.length < length) {
        waiting = answer;
        return;
      }
      waiting = undefined;
      if (answered(performance.now() - sentAt)) send();
      else {
        socket.destroy();
        resolve();
      }
    };
    socket.on('data', (chunk: Buffer) => {
      try {
        take(chunk);
      } catch (error) {
        socket.destroy();
        reject(error);
      }
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the connection was closed')));
    socket.on('connect', send);
  });

let turn = 0;
const next = (): Buffer => {
  turn = (turn + 1) % wire.length;
  return wire[turn] ?? Buffer.of();
};

const measure = async ({ port, millis }: LoadOrder): Promise<LoadResult> => {
  const histogram = createHistogram();
  const startedAt = performance.now();
  let faulty = false;
  const answered = (latency: number): boolean => {
    histogram.add(latency);
    return !faulty && performance.now() - startedAt < millis;
  };
  const connections = Array.from({ length: CONNECTIONS }, () =>
    keepBusy(connect({ port, host: '127.0.0.1', noDelay: true }), next, answered),
  );
  const fault = await Promise.all(connections).then(
    () => undefined,
    (error: unknown) => {
      faulty = true;
      return String(error);
    },
  );
  await Promise.allSettled(connections);
  return {
    requests: histogram.count(),
    millis: performance.now() - startedAt,
    p99Millis: histogram.percentile(0.99),
    fault,
  };
};

for await (const line of createInterface({ input: process.stdin })) {
  const order: LoadOrder = JSON.parse(line);
  process.stdout.write(`${JSON.stringify(await measure(order))}\n`);
}
