/** An issuer's JWK set behind an URL. Its answer decides whom we believe, so little is taken on trust. */
import type { KeySource } from '../../authn/keys.ts';

export interface UrlKeySourceOptions {
  readonly maxBytes?: number;
  /** For the whole answer, body included. */
  readonly timeoutMillis?: number;
  /** Allows http to hosts other than this one; whoever is on the way can then forge any user. */
  readonly plainHttp?: boolean;
}

const DEFAULT_MAX_BYTES = 262_144;
const DEFAULT_TIMEOUT_MILLIS = 5000;

const loopback = new Set(['localhost', '127.0.0.1', '[::1]']);

const checkUrl = (text: string, plainHttp: boolean): string => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) throw new TypeError('The URL of the keys is not an URL.');
  if (url.username !== '' || url.password !== '') throw new TypeError('The URL of the keys holds a password.');
  const isPlain = url.protocol === 'http:' && (plainHttp || loopback.has(url.hostname));
  if (url.protocol !== 'https:' && !isPlain) throw new TypeError('The URL of the keys is not https.');
  return url.href;
};

const readAtMost = async (body: ReadableStream<Uint8Array>, maxBytes: number): Promise<Uint8Array> => {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // Leaving the loop by an error cancels the body, so nothing more is received. What is counted is decompressed.
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw new Error(`the key set is larger than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes);
};

/** A page that can hold what its visitors wrote must not pass for a set of keys; a server that names no type says no lie. */
const jsonType = /^application\/(?:[a-z0-9.-]+[+])?json(?:$|[ ;])/i;

const faultOf = ({ status, headers }: Response): string | undefined => {
  if (status !== 200) return String(status);
  const type = headers.get('content-type') ?? 'application/json';
  return jsonType.test(type) ? undefined : `the type ${JSON.stringify(type.slice(0, 80))}`;
};

/**
 * Returns the source for an http(s) URL, or throws a TypeError. `read` rejects when the answer is a redirect, not a
 * 200, of another type than JSON, late or too large.
 */
export const urlKeySource = (url: string, options: UrlKeySourceOptions = {}): KeySource => {
  const { maxBytes = DEFAULT_MAX_BYTES, timeoutMillis = DEFAULT_TIMEOUT_MILLIS, plainHttp = false } = options;
  const href = checkUrl(url, plainHttp);
  return {
    async read(signal) {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMillis)]);
      const headers = { accept: 'application/jwk-set+json, application/json' };
      const response = await fetch(href, { redirect: 'manual', signal: limit, headers });
      const fault = faultOf(response);
      if (fault !== undefined || response.body === null) {
        await response.body?.cancel();
        throw new Error(`the keys were answered with ${fault ?? 'nothing'}`);
      }
      return readAtMost(response.body, maxBytes);
    },
  };
};
