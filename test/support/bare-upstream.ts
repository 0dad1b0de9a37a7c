/** An upstream made of a TCP socket and a script: it can do what no server of a library would. */
import { type AddressInfo, createServer, type Socket } from 'node:net';

export interface Exchange {
  readonly socket: Socket;
  /** The request's head as it came, without the empty line. */
  readonly head: string;
  readonly method: string;
  readonly target: string;
  /** From 1: the connection's number, and the request's number on it. */
  readonly connection: number;
  readonly turn: number;
}

export interface BareUpstream extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** `METHOD target` of every request, in the order of arrival. */
  readonly seen: readonly string[];
  readonly heads: readonly string[];
  /** Connections that are open now, and that ever were. */
  open(): number;
  ever(): number;
}

/** Starts one on a free port; the script is called for each request, once its body of a known length is there. */
export const bareUpstream = async (script: (exchange: Exchange) => void): Promise<BareUpstream> => {
  const sockets = new Set<Socket>();
  const seen: string[] = [];
  const heads: string[] = [];
  let ever = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    ever += 1;
    const connection = ever;
    let turn = 0;
    let text = '';
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      for (;;) {
        const end = text.indexOf('\r\n\r\n');
        if (end < 0) return;
        const head = text.slice(0, end);
        const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
        if (text.length < end + 4 + length) return;
        text = text.slice(end + 4 + length);
        turn += 1;
        const [method = '', target = ''] = head.split(' ', 2);
        seen.push(`${method} ${target}`);
        heads.push(head);
        script({ socket, head, method, target, connection, turn });
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    seen,
    heads,
    open: () => sockets.size,
    ever: () => ever,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

/** Returns a whole answer as text. */
export const answer = (status: number, body = '', headers: Readonly<Record<string, string>> = {}): string => {
  const lines = Object.entries({ 'content-length': String(Buffer.byteLength(body)), ...headers });
  return `HTTP/1.1 ${status} X\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`;
};

/** Returns an URL at which nothing listens. */
export const nowhere = async (): Promise<string> => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
};
