/** Listening and ceasing to: a server that ends lets what is under way finish, within a bound. */

import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Resolves to the address and port that were bound, or rejects with the system's error. */
export const listen = (server: Server, { host, port }: { host: string; port: number }): Promise<AddressInfo> =>
  new Promise((resolve, reject) => {
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
    // A connection whose last answer is out is kept for the next request, and nobody would wait for that.
    const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_MILLIS);
    server.close(() => {
      clearTimeout(cut);
      clearInterval(sweep);
      resolve();
    });
    server.closeIdleConnections();
  });
