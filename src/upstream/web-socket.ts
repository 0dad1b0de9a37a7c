/**
 * A WebSocket of the gateway's own to the upstream, one for each client. Nothing but what it is told goes into the
 * handshake, and the upstream's Host is the one that is configured.
 */
import WebSocket, { type ClientOptions } from 'ws';
import { Rejection } from '../model/rejection.ts';
import { type Dial, partsOf, type Wire } from '../model/wire.ts';

export interface DialOptions {
  /** Scheme, host and port. */
  readonly url: string;
  readonly connectMillis?: number;
  /** For how long the closing handshake may take. */
  readonly closeMillis?: number;
}

/** Returns what connects to the upstream. Throws a TypeError for what is no http or https URL. */
export const webSocketDial = ({ url, connectMillis = 10_000, closeMillis = 2_000 }: DialOptions): Dial => {
  const origin = originOf(url);
  return ({ target, headers, subprotocols, maxBytes }, signal) =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(`${origin}${target}`, [...subprotocols], {
        perMessageDeflate: false,
        followRedirects: false,
        maxPayload: maxBytes,
        ...partsOf(maxBytes),
        headers: headersOf(headers),
        closeTimeout: closeMillis,
      } as ClientOptions);
      const giveUp = (rejection: Rejection): void => {
        settle();
        socket.terminate();
        reject(rejection);
      };
      const failed = (error: Error): void => giveUp(failureOf(error));
      const abandoned = (): void => giveUp(new Rejection('client-gone', 'while the upstream was asked'));
      const late = setTimeout(() => giveUp(new Rejection('upstream-timeout', 'no handshake')), connectMillis);
      const settle = (): void => {
        clearTimeout(late);
        signal.removeEventListener('abort', abandoned);
        // To give a handshake up is an error, too.
        socket.off('error', failed).on('error', () => undefined);
      };
      signal.addEventListener('abort', abandoned, { once: true });
      socket.on('error', failed);
      socket.on('unexpected-response', (_request, { statusCode = 0 }) => giveUp(refusedWith(statusCode)));
      socket.once('open', () => {
        settle();
        // Whoever speaks first would not be heard: nobody listens before the client's end is there.
        socket.pause();
        resolve(socket as unknown as Wire);
      });
      if (signal.aborted) abandoned();
    });
};

/** Returns the origin of the upstream as URLs of WebSockets have it. */
const originOf = (url: string): string => {
  const { protocol, host } = new URL(url);
  if (!/^https?:$/.test(protocol)) throw new TypeError('The upstream must be an http or https URL.');
  return `${protocol === 'https:' ? 'wss' : 'ws'}://${host}`;
};

/** Returns the refusal that the upstream's plain answer to a handshake means; nothing of the answer is shown. */
export const refusedWith = (status: number): Rejection => {
  const detail = `the handshake was answered with status ${status}`;
  if (status === 401 || status === 403) return new Rejection('upstream-denied', detail);
  return new Rejection(status === 503 ? 'upstream-busy' : 'upstream-broken', detail);
};

const UNREACHABLE = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT']);

/** Returns the refusal that a failure to connect, or to agree upon a handshake, means. */
export const failureOf = (error: Error & { readonly code?: string }): Rejection => {
  const detail = `${error.code ?? error.name}: ${error.message}`;
  const reason = UNREACHABLE.has(error.code ?? '') ? 'upstream-unreachable' : 'upstream-broken';
  return new Rejection(reason, detail, { cause: error });
};

const headersOf = (headers: readonly string[]): Record<string, string> => {
  const record: Record<string, string> = {};
  for (let index = 0; index < headers.length; index += 2) record[headers[index] ?? ''] = headers[index + 1] ?? '';
  return record;
};
