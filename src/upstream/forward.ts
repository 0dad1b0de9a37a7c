/**
 * THE ORIGIN, over HTTP. Two pools: safe methods share kept connections and are repeated when one turns out dead before
 * a byte of the answer came; all other methods get a connection of their own, because the upstream closes kept ones
 * silently (5 s idle, and after every 500) and such a request must never be sent twice.
 */
import { Readable } from 'node:stream';
// Not from the index: its fetch, WebSockets, caches and mocks are 4 MB that nobody here uses.
import Pool from 'undici/lib/dispatcher/pool.js';
import type { Rejection } from '../model/rejection.ts';
import type { OutboundRequest, SentBody } from '../model/request.ts';
import type { UpstreamAnswer } from '../model/response.ts';
import { type Breaker, breaker } from './breaker.ts';
import { Exchange, type Failure, type Settle } from './exchange.ts';
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
  readonly origin: string;
  readonly method: string;
  readonly path: string;
  readonly headers: string[];
  readonly body: Buffer | Readable | null;
  readonly headersTimeout: number;
  readonly bodyTimeout: number;
}

export const origin = ({ url, now = Date.now }: OriginOptions): Origin & Orders => {
  const { kept, single, address } = openPools(url);
  const guard = breaker({ failures: 5, restMillis: 500, now });

  const send = (call: Call, cancellation: Cancellation): Promise<UpstreamAnswer> =>
    new Promise((resolve, reject) => {
      guard.admit();
      const isSafe = isRepeatable(call);
      const line = { guard, pool: isSafe ? kept : single, isSafe };
      new Sending(line, call, { resolve, reject, cancellation }).dispatch();
    });

  const ask = async (method: 'GET' | 'POST', path: string, maxBytes: number): Promise<SmallAnswer> => {
    const timeouts = { headersTimeout: OWN_TIMEOUT_MILLIS, bodyTimeout: OWN_TIMEOUT_MILLIS };
    const call = { origin: address, method, path, headers: [], body: null, ...timeouts };
    return collect(await send(call, { cancelled: false, onCancel: undefined }), maxBytes);
  };

  return {
    send(request, cancellation) {
      const { method, target: path, headers, timeoutMillis } = request;
      const call = {
        origin: address,
        method,
        path,
        headers,
        body: bodyOf(request),
        headersTimeout: timeoutMillis,
        bodyTimeout: timeoutMillis,
      };
      return send(call, cancellation);
    },

    read: (target, maxBytes) => ask('GET', target, maxBytes),
    post: (target, maxBytes) => ask('POST', target, maxBytes),

    healthy: () => guard.closed(),

    async close() {
      await Promise.all([kept.destroy(), single.destroy()]);
    },
  };
};

/** A body that is still arriving cannot be sent again. */
const isRepeatable = ({ method, body }: Call): boolean => SAFE.has(method) && (body === null || Buffer.isBuffer(body));

interface Line {
  readonly guard: Breaker;
  readonly pool: Pool;
  readonly isSafe: boolean;
}

interface Caller {
  readonly resolve: (answer: UpstreamAnswer) => void;
  readonly reject: (error: Rejection) => void;
  readonly cancellation: Cancellation;
}

/** One call on its way to its answer, on one connection after the other where it may be repeated. */
class Sending implements Settle {
  readonly #line: Line;
  readonly #call: Call;
  readonly #caller: Caller;
  #tries = 0;

  constructor(line: Line, call: Call, caller: Caller) {
    this.#line = line;
    this.#call = call;
    this.#caller = caller;
  }

  dispatch(): void {
    this.#tries += 1;
    this.#line.pool.dispatch(this.#call, new Exchange(this, this.#caller.cancellation));
  }

  resolve(answer: UpstreamAnswer): void {
    this.#line.guard.reached();
    this.#caller.resolve(answer);
  }

  reject(error: Rejection): void {
    this.#caller.reject(error);
  }

  retry({ started, error }: Failure): boolean {
    const { guard, isSafe } = this.#line;
    if (!started) guard.unreachable();
    if (!started || !isSafe || this.#tries >= SAFE_TRIES || !DIED.has(error.code ?? '')) return false;
    this.dispatch();
    return true;
  }
}

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
