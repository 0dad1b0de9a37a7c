/** `fetch` for the gateway alone: with a token, once more with a fresh one, and as patient as the gateway asks. */
import { problemOf } from './error.ts';
import type { Tokens } from './tokens.ts';
import { pause, retryAfterMillis, unlessAborted } from './wait.ts';

export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

export interface FetchParts {
  readonly base: URL;
  readonly tokens: Tokens;
  readonly send: Fetch;
  /** So long may one call wait in all. */
  readonly maxWaitMillis: number;
  readonly signal: AbortSignal | undefined;
}

export const gatewayFetch =
  ({ base, tokens, send, maxWaitMillis, signal: all }: FetchParts): Fetch =>
  async (input, init = {}) => {
    const request = typeof input === 'object' && 'url' in input ? input : undefined;
    const url = new URL(request?.url ?? String(input), base);
    // `origin` would not do: that of blob: is the page's, and of data: 'null'.
    if (url.protocol !== base.protocol || url.host !== base.host) throw new TypeError(`not on ${base.origin}: ${url}`);
    const signals = [all, init.signal ?? request?.signal].filter((one) => one !== undefined);
    const signal = signals.length > 1 ? AbortSignal.any(signals) : signals[0];
    const isSafe = /^(GET|HEAD|OPTIONS)$/i.test(init.method ?? request?.method ?? 'GET');
    const isRepeatable = canRepeat(request, init.body, isSafe);
    let held = await unlessAborted(tokens.current(), signal);
    let isFirst = true;
    for (let left = maxWaitMillis; ; ) {
      const headers = new Headers(init.headers ?? request?.headers);
      headers.set('authorization', `Bearer ${held.token}`);
      const response = await send(request ?? url.href, { ...init, headers, signal: signal ?? null });
      const problem = await problemOf(response);
      signal?.throwIfAborted();
      const { status } = response;
      if (isRepeatable && isFirst && problem?.status === 401) {
        isFirst = false;
        const stale = held.token;
        const failed = (cause: unknown): never => {
          throw Object.assign(problem, { cause });
        };
        held = await unlessAborted(tokens.renewed(stale).catch(failed), signal);
        if (held.token !== stale) continue;
      }
      const wait = retryAfterMillis(response.headers) ?? Infinity;
      // 429 of the gateway's own says that nothing was done; what a server behind it did, nobody knows.
      const isUndone = isSafe ? /^(429|502|503)$/.test(String(status)) : problem?.status === 429;
      if (isRepeatable && isUndone && wait <= left) {
        if (problem === undefined) await response.body?.cancel();
        await pause(wait, signal);
        left -= wait;
        held = await unlessAborted(tokens.current(), signal);
        continue;
      }
      if (problem !== undefined) throw problem;
      return response;
    }
  };

/** A stream can be read once; and so can the body of a Request, of which not every browser says whether there is one. */
const canRepeat = (request: Request | undefined, body: unknown, isSafe: boolean): boolean => {
  const given = Object(body ?? '');
  if ('getReader' in given || Symbol.asyncIterator in given) return false;
  return isSafe || request === undefined || (body !== undefined && body !== null);
};
