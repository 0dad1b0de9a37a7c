/** Requests byte by byte over a socket, for what no client library would send. */
import { connect } from 'node:net';

export interface WireAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
  /** The code of a problem document. */
  readonly code: string | undefined;
}

export interface Exchanged {
  readonly answers: readonly WireAnswer[];
  /** True when the other side ended the connection. */
  readonly closed: boolean;
}

export interface ExchangeOptions {
  /** Resolves after so many answers; unless told, when the other side ends the connection. */
  readonly answers?: number;
  /** Fails when neither has come to pass. */
  readonly withinMillis?: number;
}

/** Sends the text as Latin-1 and reads whole answers. */
export const exchange = (port: number, bytes: string | Buffer, options: ExchangeOptions = {}): Promise<Exchanged> => {
  const { answers: wanted = Number.POSITIVE_INFINITY, withinMillis = 10_000 } = options;
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let received = '';
    const finish = (closed: boolean): void => {
      clearTimeout(late);
      socket.destroy();
      resolve({ answers: readAnswers(received), closed });
    };
    const late = setTimeout(() => {
      socket.destroy();
      reject(new Error(`neither answered nor closed within ${withinMillis} ms: ${received}`));
    }, withinMillis);
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      if (readAnswers(received).length >= wanted) finish(false);
    });
    socket.on('error', () => undefined);
    socket.on('close', () => finish(true));
    socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  });
};

const readAnswers = (received: string): WireAnswer[] => {
  const answers: WireAnswer[] = [];
  for (let rest = received; ; ) {
    const gap = rest.indexOf('\r\n\r\n');
    if (gap < 0) return answers;
    const head = rest.slice(0, gap);
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0);
    const whole = bodyOf(head, rest.slice(gap + 4));
    if (whole === undefined) return answers;
    const code = /"code":"([a-z-]+)"/.exec(whole.body)?.[1];
    if (status !== 100) answers.push({ status, head, body: whole.body, code });
    rest = rest.slice(gap + 4 + whole.length);
  }
};

const bodyOf = (head: string, rest: string): { body: string; length: number } | undefined => {
  if (/\r\ntransfer-encoding: chunked/i.test(head)) {
    const end = rest.indexOf('0\r\n\r\n');
    return end < 0 ? undefined : { body: rest.slice(0, end), length: end + 5 };
  }
  const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
  return rest.length < length ? undefined : { body: rest.slice(0, length), length };
};

/** Returns the text of a request: lines ended as they must be, the body as it is. */
export const requestText = (line: string, headers: readonly string[], body = ''): string =>
  `${line}\r\n${headers.map((header) => `${header}\r\n`).join('')}\r\n${body}`;

/** Returns a body in one chunk, with its end. */
export const chunked = (body: string): string => `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;

/** Returns the port of a URL. */
export const portOf = (url: string): number => Number(new URL(url).port);
