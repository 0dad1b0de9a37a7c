/** A TCP cable between a client and a server that can be pulled out and plugged in again. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export interface Cable {
  readonly port: number;
  /** Cuts what is connected, and what connects from now on. */
  pull(): void;
  plug(): void;
  /** Lets so many more bytes of the server through, and then is cut: in the middle of a frame, where the number says so. */
  cutAfter(bytes: number): void;
  close(): Promise<void>;
}

export async function layCable(toPort: number): Promise<Cable> {
  const sockets = new Set<Socket>();
  let plugged = true;
  let left = Number.POSITIVE_INFINITY;
  const measured = (chunk: Buffer, near: Socket): void => {
    near.write(chunk.subarray(0, left));
    left -= chunk.length;
    if (left > 0) return;
    left = Number.POSITIVE_INFINITY;
    near.end();
  };
  const server = createServer((near) => {
    if (!plugged) {
      near.destroy();
      return;
    }
    const far = connect(toPort, '127.0.0.1');
    far.on('data', (chunk: Buffer) => measured(chunk, near));
    near.pipe(far);
    far.on('end', () => near.end());
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on('error', () => undefined);
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');

  function pull(): void {
    plugged = false;
    for (const socket of sockets) socket.destroy();
  }

  return {
    port: address.port,
    pull,
    plug() {
      plugged = true;
    },
    cutAfter(bytes) {
      left = bytes;
    },
    async close() {
      pull();
      const closed = once(server, 'close');
      server.close();
      await closed;
    },
  };
}
