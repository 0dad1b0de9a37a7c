/**
 * Which pages of other origins may use the gateway, and what they are told (Fetch, section 3.2). Off unless origins are
 * listed. The upstream is never asked, and nothing that it says about origins passes.
 */
import type { IncomingMessage } from 'node:http';
import { listedOrigins } from '../model/origin.ts';
import type { OwnAnswer } from '../model/own.ts';
import { Rejection } from '../model/rejection.ts';
import type { CanonicalRequest } from '../model/request.ts';

export interface Cors {
  /** Whether a browser asks if a page may send a request, before it does. */
  asks(incoming: IncomingMessage): boolean;
  /** Returns the answer to that, or throws `origin-refused`. It is the same for every path: it tells of none. */
  answer(request: CanonicalRequest): OwnAnswer;
  /** Adds to the head of any answer what a listed origin needs to read it. */
  dress(head: string[], incoming: IncomingMessage): void;
}

const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE';

/** What the gateway or the upstream makes something of, and nothing more. */
const REQUEST_HEADERS = [
  ...['accept', 'accept-language', 'authorization', 'cache-control', 'content-type', 'if-match', 'if-modified-since'],
  ...['if-none-match', 'if-range', 'if-unmodified-since', 'pragma', 'range', 'traceparent', 'tracestate'],
].join(', ');

const ANSWER_HEADERS = 'ratelimit, ratelimit-policy, retry-after, www-authenticate, x-request-id';

const MAX_AGE_SECONDS = 600;

/** Returns the rule for a list of origins, or throws a TypeError for what is no origin. */
export const cors = (origins: readonly string[]): Cors => {
  const listed = listedOrigins(origins);
  const toldHeaders = [
    ...['access-control-allow-methods', METHODS, 'access-control-allow-headers', REQUEST_HEADERS],
    ...['access-control-max-age', String(MAX_AGE_SECONDS)],
    ...['vary', 'access-control-request-method, access-control-request-headers'],
  ];

  return {
    asks: ({ method, headers }) =>
      method === 'OPTIONS' && headers.origin !== undefined && headers['access-control-request-method'] !== undefined,

    answer({ headers }) {
      const origin = headers.get('origin') ?? '';
      // Compared as text: `null`, another port or case and a dot at the end are other origins.
      if (!listed.has(origin)) throw new Rejection('origin-refused', `origin ${origin.slice(0, 200)}`);
      return { status: 204, headers: toldHeaders, body: undefined };
    },

    dress(head, { headers }) {
      if (listed.size === 0) return;
      // Also where no origin was shown: else a cache would give that answer to a page.
      head.push('vary', 'origin');
      const { origin } = headers;
      if (origin === undefined || !listed.has(origin)) return;
      head.push('access-control-allow-origin', origin, 'access-control-allow-credentials', 'true');
      head.push('access-control-expose-headers', ANSWER_HEADERS);
    },
  };
};
