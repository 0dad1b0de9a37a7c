/**
 * An opaque connection to the upstream: its bytes are nobody's business here, its handshake is. httpxy speaks to one end of
 * a pipe in memory and not to the client, so that nothing of the upstream's answer reaches the client but what is judged:
 * a plain answer would be one that no filter has seen, and one that never ends would keep the client's connection
 * (configurable-http-proxy #434, http-proxy-3 #26).
 */
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type Duplex, duplexPair } from 'node:stream';
import { proxyUpgrade } from 'httpxy';
import { Rejection } from '../model/rejection.ts';
import type { Bore, Tunnel, UpstreamCall } from '../model/wire.ts';
import { failureOf, refusedWith } from './web-socket.ts';

export interface TunnelOptions {
  /** Scheme, host and port. */
  readonly url: string;
  readonly connectMillis?: number;
}

/** Returns what opens tunnels to the upstream. Throws a TypeError for what is no http or https URL. */
export const tunnelTo = ({ url, connectMillis = 10_000 }: TunnelOptions): Bore => {
  const { host, protocol } = new URL(url);
  if (!/^https?:$/.test(protocol)) throw new TypeError('The upstream must be an http or https URL.');

  return async (call, signal) => {
    const [outer, inner] = pipeInMemory();
    const abandon = (): void => void inner.destroy();
    signal.addEventListener('abort', abandon, { once: true });
    if (signal.aborted) abandon();
    const head = readHead(outer);
    try {
      const options = { xfwd: false, changeOrigin: false, upgradeTimeout: connectMillis };
      const far = await proxyUpgrade(url, requestOf(call, host), inner, undefined, options);
      tie(outer, inner, far);
      return tunnelOf(outer, await head, call);
    } catch (error) {
      const answered = await Promise.race([
        head,
        new Promise<undefined>((resolve) => setImmediate(resolve, undefined)),
      ]);
      inner.destroy();
      outer.destroy();
      if (signal.aborted) throw new Rejection('client-gone', 'while the upstream was asked');
      throw error instanceof Rejection ? error : refusalFor(error, answered);
    } finally {
      signal.removeEventListener('abort', abandon);
    }
  };
};

/** Two ends; what a network socket has besides does nothing. */
const pipeInMemory = (): readonly [Duplex, Duplex] => {
  const [outer, inner] = duplexPair();
  for (const end of [outer, inner]) end.on('error', () => undefined);
  const same = (): Duplex => inner;
  Object.assign(inner, { setTimeout: same, setNoDelay: same, setKeepAlive: same });
  return [outer, inner];
};

/** httpxy leaves either side open when the other one is destroyed. */
const tie = (outer: Duplex, inner: Duplex, far: Duplex): void => {
  const broken = (): void => {
    // After its end there may be something left to be read here.
    if (!far.readableEnded) outer.destroy();
  };
  far.on('error', () => undefined);
  far.once('close', broken);
  outer.once('close', () => {
    inner.destroy();
    far.destroy();
  });
  if (far.destroyed) broken();
};

/** The handshake as the upstream gets it: a closed list, made here. It looks like a request because httpxy asks for one. */
const requestOf = ({ target, headers, subprotocols, key }: Parameters<Bore>[0], host: string): IncomingMessage => {
  const all: Record<string, string> = {};
  for (let index = 0; index < headers.length; index += 2) all[headers[index] ?? ''] = headers[index + 1] ?? '';
  Object.assign(all, {
    host,
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': key,
  });
  if (subprotocols.length > 0) all['sec-websocket-protocol'] = subprotocols.join(', ');
  return { method: 'GET', url: target, headers: all, httpVersionMajor: 1 } as unknown as IncomingMessage;
};

interface Head {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
}

const MAX_HEAD_BYTES = 65_536;

/** Resolves to the head of the upstream's answer, and leaves what follows it; undefined when there is none. */
const readHead = (stream: Duplex): Promise<Head | undefined> =>
  new Promise((resolve) => {
    let seen = Buffer.alloc(0);
    const finish = (head: Head | undefined): void => {
      stream.off('data', read);
      stream.off('close', none);
      stream.off('end', none);
      resolve(head);
    };
    const none = (): void => finish(undefined);
    const read = (chunk: Buffer): void => {
      seen = Buffer.concat([seen, chunk]);
      const end = seen.indexOf('\r\n\r\n');
      if (end < 0 && seen.length < MAX_HEAD_BYTES) return;
      stream.pause();
      finish(end < 0 ? undefined : headOf(seen.toString('latin1', 0, end)));
      if (end >= 0 && seen.length > end + 4) stream.unshift(seen.subarray(end + 4));
    };
    stream.on('data', read);
    stream.once('close', none);
    stream.once('end', none);
  });

const headOf = (text: string): Head => {
  const [first = '', ...lines] = text.split('\r\n');
  const pairs = lines.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()];
  });
  return { status: Number(/^HTTP\/1\.[01] (\d{3})/.exec(first)?.[1] ?? 0), headers: new Map(pairs) };
};

/** RFC 6455, section 1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** A handshake that was not understood is none: without this, plain HTTP could be spoken through the tunnel. */
const tunnelOf = (
  stream: Duplex,
  head: Head | undefined,
  { key, subprotocols }: UpstreamCall & { readonly key: string },
): Tunnel => {
  const accepted = createHash('sha1').update(`${key}${GUID}`).digest('base64');
  const subprotocol = head?.headers.get('sec-websocket-protocol');
  if (head?.headers.get('sec-websocket-accept') !== accepted) throw broken('the Sec-WebSocket-Accept');
  if (subprotocol !== undefined && !subprotocols.includes(subprotocol)) throw broken('the Sec-WebSocket-Protocol');
  if (head.headers.has('sec-websocket-extensions')) throw broken('the Sec-WebSocket-Extensions');
  return { accepted, subprotocol, stream };
};

const broken = (what: string): Rejection =>
  new Rejection('upstream-broken', `the handshake was answered without sense: ${what}`);

const refusalFor = (error: unknown, head: Head | undefined): Rejection => {
  if (head !== undefined) return refusedWith(head.status);
  const failure: Error & { readonly code?: string } = error instanceof Error ? error : new Error(String(error));
  if (failure.code === 'ERR_UPSTREAM_UPGRADE_TIMEOUT') return new Rejection('upstream-timeout', 'no handshake');
  return failureOf(failure);
};
