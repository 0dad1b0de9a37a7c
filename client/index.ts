/** The client kit, `jaaz-gateway/client`: what a front end that holds tokens needs to speak to the gateway. */
import { type Fetch, gatewayFetch } from './fetch.ts';
import type { SocketLike } from './renewal.ts';
import { type GatewaySocket, gatewaySocket, type SocketOptions } from './socket.ts';
import { type TokenSource, tokens } from './tokens.ts';

export { GatewayError } from './error.ts';
export type { Fetch } from './fetch.ts';
export type { SocketLike } from './renewal.ts';
export type { GatewaySocket, Notice, SocketOptions } from './socket.ts';
export type { Token, TokenSource } from './tokens.ts';

export interface ClientOptions extends TokenSource {
  /** Where the gateway is; the page's own origin unless it is given. */
  readonly url?: string | URL | undefined;
  /** In the place of the global one. */
  readonly fetch?: Fetch | undefined;
  /** So long may one request wait in all because of Retry-After; 30 seconds by default. */
  readonly maxWaitMillis?: number | undefined;
  /** Aborts what waits, and stops the sockets. */
  readonly signal?: AbortSignal | undefined;
}

export interface GatewayClient {
  /** As the global one, for addresses of the gateway alone; rejects with a GatewayError where the gateway refuses. */
  readonly fetch: Fetch;
  /** Connects by `io` of socket.io-client. */
  socket<S extends SocketLike, O>(io: (url: string, options: O) => S, options?: SocketOptions<O>): GatewaySocket<S>;
}

/** Returns the two ways to a gateway. Throws a TypeError where no http(s) address is known. */
export const gatewayClient = (options: ClientOptions): GatewayClient => {
  const { signal, maxWaitMillis = 30_000, fetch: send = (input, init) => globalThis.fetch(input, init) } = options;
  const page = (globalThis as { readonly location?: { readonly href: string } }).location?.href;
  const base = new URL(options.url ?? page ?? '');
  if (!/^https?:$/.test(base.protocol)) throw new TypeError(`no address of a gateway: ${base}`);
  const source = tokens(options);
  return {
    fetch: gatewayFetch({ base, tokens: source, send, maxWaitMillis, signal }),
    socket: (io, more = {}) => gatewaySocket({ tokens: source, origin: base.origin, signal }, io, more),
  };
};
