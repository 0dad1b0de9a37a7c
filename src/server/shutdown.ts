/** Listening and ceasing to: a server that ends lets what is under way finish, within a bound. */

import type { Server } from 'node:http';
import { type AddressInfo, Server as NetServer, type Socket } from 'node:net';

const connections = new WeakMap<Server, ReadonlySet<Socket>>();

/** Resolves to the address and port that were bound, or rejects with the system's error. */
export const listen = (server: Server, { host, port }: { host: string; port: number }): Promise<AddressInfo> =>
  new Promise((resolve, reject) => {
    const open = new Set<Socket>();
    connections.set(server, open);
    server.on('connection', (socket: Socket) => {
      open.add(socket);
      socket.on('close', () => open.delete(socket));
    });
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      const address = server.address();
      if (address === null || typeof address === 'string') reject(new TypeError('the server has no port'));
      else resolve(address);
    });
  });

const SWEEP_MILLIS = 50;

/** Accepts nothing new, waits for what is under way, and cuts what is left after `graceMillis`. */
export const shutDown = (server: Server, graceMillis: number): Promise<void> =>
  new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), graceMillis);
    const endIdle = (): void => {
      // Node takes a connection for idle when its answer is written, though its client may not have taken a byte of it.
      for (const { writableLength } of connections.get(server) ?? []) if (writableLength > 0) return;
      server.closeIdleConnections();
    };
    // A connection whose last answer is out is kept for the next request, and nobody would wait for that.
    const sweep = setInterval(endIdle, SWEEP_MILLIS);
    // Not the server's own, which ends what Node takes for idle before anything else.
    NetServer.prototype.close.call(server, () => {
      clearTimeout(cut);
      clearInterval(sweep);
      // Closed as it is, it ends what watches over its connections.
      server.close();
      resolve();
    });
    endIdle();
  });
