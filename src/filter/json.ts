/** Reads a whole JSON answer under a cap, and writes it so that what was kept is what the upstream said. */
import type { JsonValue } from '../model/json.ts';
import { Rejection } from '../model/rejection.ts';
import type { UpstreamAnswer } from '../model/response.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** True when the answer says that it is JSON. */
export const isJson = ({ headers: { 'content-type': type } }: UpstreamAnswer): boolean =>
  typeof type === 'string' && /^application\/json\s*(?:;|$)/i.test(type);

/** Resolves to the answer's body, or throws `answer-too-large` or `upstream-broken`; then the connection is given up. */
export const readAnswer = (answer: UpstreamAnswer, maxBytes: number): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    answer.body.pipe({
      write(chunk) {
        bytes += chunk.length;
        if (bytes > maxBytes) {
          // Refused first: giving the body up is heard below as a failure.
          reject(new Rejection('answer-too-large', `the answer is larger than ${maxBytes} bytes`));
          answer.body.abort();
          return true;
        }
        chunks.push(chunk);
        return true;
      },
      end: () => resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)),
      fail: (cause) => reject(broken(cause)),
    });
  });

/** A client that left is no fault of the upstream's. */
const broken = (cause: Error): Rejection =>
  cause instanceof Rejection
    ? cause
    : new Rejection('upstream-broken', `the answer broke off: ${cause.message}`, { cause });

interface ReviverContext {
  readonly source?: string;
}

type SourceReviver = (key: string, value: JsonValue, context: ReviverContext) => JsonValue;

/** Numbers that JavaScript would write differently (`1.0`, integers over 2^53) keep their text. */
const keepNumbers: SourceReviver = (_key, value, { source }) =>
  typeof value === 'number' && source !== undefined && String(value) !== source
    ? (JSON as unknown as { rawJSON(text: string): JsonValue }).rawJSON(source)
    : value;

/** Returns the value, or throws `answer-unreadable`. */
export const parseAnswer = (body: Buffer): JsonValue => {
  try {
    return JSON.parse(utf8.decode(body), keepNumbers as (this: unknown, key: string, value: unknown) => JsonValue);
  } catch (cause) {
    throw new Rejection('answer-unreadable', 'the answer is not JSON', { cause });
  }
};

export const writeAnswer = (value: JsonValue): Buffer => Buffer.from(JSON.stringify(value));
