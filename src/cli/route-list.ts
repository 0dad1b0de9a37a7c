/** The upstream's route list, from where the operator says: an URL that is asked once, or a file. */
import { readFile, stat } from 'node:fs/promises';

const MAX_BYTES = 16 * 1024 * 1024;
const TIMEOUT_MILLIS = 10_000;

/** Resolves with the parsed document, or rejects with an Error whose message says in words why there is none. */
export const readRouteList = async (place: string, timeoutMillis = TIMEOUT_MILLIS): Promise<unknown> => {
  const bytes = /^https?:\/\//i.test(place) ? await fetched(place, timeoutMillis) : await fromFile(place);
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown;
  } catch (cause) {
    throw new Error('it is not JSON', { cause });
  }
};

const fromFile = async (file: string): Promise<Uint8Array> => {
  try {
    const { size } = await stat(file);
    if (size > MAX_BYTES) throw tooLarge();
    return await readFile(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw code === undefined ? error : new Error(`the file cannot be read: ${code}`, { cause: error });
  }
};

const fetched = async (url: string, timeoutMillis: number): Promise<Uint8Array> => {
  if (!URL.canParse(url)) throw new Error('it is not an URL');
  const { username, password } = new URL(url);
  if (username + password !== '') throw new Error('the URL holds a password, which would show in lists of processes');
  const signal = AbortSignal.timeout(timeoutMillis);
  try {
    const response = await fetch(url, { redirect: 'manual', signal, headers: { accept: 'application/json' } });
    if (response.status !== 200 || response.body === null) {
      await response.body?.cancel();
      throw new Error(`it was answered with ${response.status}`);
    }
    return await readAtMost(response.body);
  } catch (error) {
    if (signal.aborted) throw new Error(`there was no whole answer within ${timeoutMillis} ms`, { cause: error });
    throw error instanceof TypeError ? new Error(`it cannot be reached: ${reason(error)}`, { cause: error }) : error;
  }
};

/** What fetch itself says is always the same: the reason is the cause of it. */
const reason = ({ cause, message }: Error): string =>
  cause instanceof Error && 'code' in cause ? String(cause.code) : message;

const readAtMost = async (body: ReadableStream<Uint8Array>): Promise<Uint8Array> => {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // Leaving the loop by an error cancels the body, so nothing more is received.
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > MAX_BYTES) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes);
};

const tooLarge = (): Error => new Error(`it is larger than ${MAX_BYTES} bytes`);
