/**
 * Calls to an OpenID provider. A provider may be away, slow, broken or lying: none of it may hold a request, fill the
 * memory, or send a secret anywhere that the provider's own metadata has not named.
 */
import { readJsonObject } from '../strict-json.ts';

/** The provider cannot be asked at the moment: nothing was said about whoever is logging in. */
export class ProviderAway extends Error {
  constructor(detail: string, options?: ErrorOptions) {
    super(detail, options);
    this.name = 'ProviderAway';
  }
}

export interface ProviderRequest {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body: string | undefined;
}

export interface FetchLimits {
  /** For the whole answer, body included. */
  readonly timeoutMillis: number;
  readonly maxBytes: number;
}

/**
 * Resolves with the whole answer, whose body is one unambiguous JSON object; rejects with ProviderAway where there is
 * none, or one that says nothing of the request: a redirect, a server error, too many requests.
 */
export type ProviderFetch = (url: string, request: ProviderRequest) => Promise<Response>;

const loopback = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Returns whether a provider may be asked at this address: https, or http on this host. */
export const isAskable = (text: unknown): text is string => {
  if (typeof text !== 'string' || !URL.canParse(text)) return false;
  const { protocol, hostname, username, password, hash } = new URL(text);
  if (username !== '' || password !== '' || hash !== '') return false;
  return protocol === 'https:' || (protocol === 'http:' && loopback.has(hostname));
};

/** They say that it was not the time to ask, not that the request was wrong. */
const busy = new Set([408, 425, 429]);

const readAtMost = async (body: ReadableStream<Uint8Array>, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> => {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // Leaving the loop by an error cancels the body, so nothing more is received. What is counted is decompressed.
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw new ProviderAway(`answered with more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes);
};

/** Fetch says what went wrong in its cause only. */
const explain = (error: unknown): string => {
  if (!(error instanceof Error)) return 'failed';
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
};

const isJson = (response: Response): boolean =>
  response.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() === 'application/json';

/** Throws ProviderAway where the answer is none to the question. */
const checkAnswer = (response: Response): void => {
  const { status } = response;
  if (status >= 500 || busy.has(status)) throw new ProviderAway(`answered with ${status}`);
  if (status !== 200 && (status < 400 || status > 499)) throw new ProviderAway(`answered with ${status}`);
  // A page of a proxy in between, whatever its status is, is not a word of the provider.
  if (!isJson(response)) throw new ProviderAway(`answered with ${status}, and not with JSON`);
};

const checkBody = (bytes: Uint8Array): void => {
  try {
    readJsonObject(bytes);
  } catch {
    // JSON.parse cites the text in its message, and this may be of a token: so no cause here.
    throw new ProviderAway('answered with what is not one unambiguous JSON object');
  }
};

/** Returns the function that asks a provider, within limits. */
export const providerFetch =
  ({ timeoutMillis, maxBytes }: FetchLimits): ProviderFetch =>
  async (url, { method, headers, body }) => {
    if (!isAskable(url)) throw new ProviderAway('named an address that is not https');
    try {
      const signal = AbortSignal.timeout(timeoutMillis);
      const response = await fetch(url, { method, headers, body: body ?? null, redirect: 'manual', signal });
      try {
        checkAnswer(response);
      } catch (error) {
        await response.body?.cancel();
        throw error;
      }
      if (response.body === null) throw new ProviderAway('answered with nothing');
      const bytes = await readAtMost(response.body, maxBytes);
      checkBody(bytes);
      // No other header: a challenge would hide the error's code, which stands in the body (RFC 6749 section 5.2).
      return new Response(bytes, { status: response.status, headers: { 'content-type': 'application/json' } });
    } catch (error) {
      if (error instanceof ProviderAway) throw error;
      throw new ProviderAway(explain(error), { cause: error });
    }
  };

/** Returns the ProviderAway that an error is, or that a library has wrapped; undefined where it is another. */
export const awayIn = (error: unknown): ProviderAway | undefined => {
  let found: unknown = error;
  for (let depth = 0; depth < 4 && found instanceof Error; depth += 1) {
    if (found instanceof ProviderAway) return found;
    found = found.cause;
  }
  return undefined;
};
