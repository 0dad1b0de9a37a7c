/**
 * THE ORIGIN, over HTTP. Two pools: safe methods share kept connections and are repeated when one turns out dead before
 * a byte of the answer came; all other methods get a connection of their own, because the upstream closes kept ones
 * silently (5 s idle, and after every 500) and such a request must never be sent twice.
 */
import { Readable } from 'node:stream';
import { Pool } from 'undici';
import type { OutboundRequest, SentBody } from '../model/request.ts';
import type { UpstreamAnswer } from '../model/response.ts';
import { breaker } from './breaker.ts';
import { Exchange, type Failure } from './exchange.ts';
import type { Cancellation, Orders, Origin, SmallAnswer } from './origin.ts';

export interface OriginOptions {
  /** Scheme, host and port. */
  readonly url: string;
  readonly now?: () => number;
}

const CONNECT_TIMEOUT_MILLIS = 5_000;
/** Under the 5 s after which uvicorn drops an idle connection. */
const KEPT_MILLIS = 4_000;
const SAFE_TRIES = 3;
/** More than may be open at once, so that no request waits for another's connection. */
const KEPT_CONNECTIONS = 4_096;
const OWN_TIMEOUT_MILLIS = 10_000;
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);
const DIED = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

interface Call {
  readonly method: string;
  readonly target: string;
  readonly headers: string[];
  readonly body: Buffer | Readable | null;
  readonly timeoutMillis: number;
}

export const origin = ({ url, now = Date.now }: OriginOptions): Origin & Orders => {
  const { kept, single, address } = openPools(url);
  const guard = breaker({ failures: 5, restMillis: 500, now });

  const send = (call: Call, cancellation: Cancellation): Promise<UpstreamAnswer> =>
    new Promise((resolve, reject) => {
      guard.admit();
      // A body that is still arriving cannot be sent again.
      const safe = SAFE.has(call.method) && (call.body === null || Buffer.isBuffer(call.body));
      const pool = safe ? kept : single;
      let tries = 1;
      const options = {
        origin: address,
        method: call.method,
        path: call.target,
        headers: call.headers,
        body: call.body,
        headersTimeout: call.timeoutMillis,
        bodyTimeout: call.timeoutMillis,
      };
      const settle = {
        resolve(answer: UpstreamAnswer) {
          guard.reached();
          resolve(answer);
        },
        reject,
        retry({ started, error }: Failure): boolean {
          if (!started) guard.unreachable();
          if (!started || !safe || tries >= SAFE_TRIES || !DIED.has(error.code ?? '')) return false;
          tries += 1;
          pool.dispatch(options, new Exchange(settle, cancellation));
          return true;
        },
      };
      pool.dispatch(options, new Exchange(settle, cancellation));
    });

  const ask = async (method: 'GET' | 'POST', target: string, maxBytes: number): Promise<SmallAnswer> => {
    const call: Call = { method, target, headers: [], body: null, timeoutMillis: OWN_TIMEOUT_MILLIS };
    return collect(await send(call, { cancelled: false, onCancel: undefined }), maxBytes);
  };

  return {
    send(request, cancellation) {
      const { method, target, headers, timeoutMillis } = request;
      return send({ method, target, headers, body: bodyOf(request), timeoutMillis }, cancellation);
    },

    read: (target, maxBytes) => ask('GET', target, maxBytes),
    post: (target, maxBytes) => ask('POST', target, maxBytes),

    healthy: () => guard.closed(),

    async close() {
      await Promise.all([kept.destroy(), single.destroy()]);
    },
  };
};

const openPools = (url: string) => {
  const base = {
    connect: { timeout: CONNECT_TIMEOUT_MILLIS },
    keepAliveTimeout: KEPT_MILLIS,
    keepAliveMaxTimeout: KEPT_MILLIS,
  };
  return {
    kept: new Pool(url, { ...base, pipelining: 1, connections: KEPT_CONNECTIONS }),
    single: new Pool(url, { ...base, pipelining: 0 }),
    /** Told with each request, because undici would otherwise put it together anew each time. */
    address: new URL(url).origin,
  };
};

const bodyOf = ({ body }: OutboundRequest): Call['body'] => {
  if (body === undefined) return null;
  if (Buffer.isBuffer(body)) return body;
  if (!isList(body)) return Readable.from(body, { objectMode: false });
  return body.length === 1 && body[0] !== undefined ? body[0] : Buffer.concat(body);
};

/** `Array.isArray` does not know of lists that are read only. */
const isList: (body: SentBody) => body is readonly Buffer[] = Array.isArray;

const collect = (answer: UpstreamAnswer, maxBytes: number): Promise<SmallAnswer> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const { status, headers } = answer;
    const finish = (whole: boolean) => resolve({ status, headers, body: Buffer.concat(chunks), whole });
    answer.body.pipe({
      write(chunk) {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes > maxBytes) {
          finish(false);
          answer.body.abort();
        }
        return true;
      },
      end: () => finish(true),
      fail: reject,
    });
  });
