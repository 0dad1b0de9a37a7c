/** A server on port 0 that answers each request with the next of a list, and keeps what came. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface PlainAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Came {
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly authorization: string | undefined;
  readonly body: string;
}

/** The last answer is given again and again. */
export const plainAnswers = async (...answers: readonly PlainAnswer[]) => {
  const came: Came[] = [];
  const server = createServer(async (request, response) => {
    const body = (await request.toArray()).join('');
    const { method, url: path, headers } = request;
    const {
      status,
      headers: head,
      body: text = '',
    } = answers[Math.min(came.length, answers.length - 1)] ?? { status: 500 };
    came.push({ method, path, authorization: headers.authorization, body });
    response.writeHead(status, head).end(text);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    came,
    stop(): void {
      server.closeAllConnections();
      server.close();
    },
  };
};
