/**
 * Where nothing is refused the client's own bytes go on, also those of a body that could not be read. So what the reader
 * takes is kept, which its caps bound, and the rest is passed on as it arrives.
 */
import type { SentBody } from '../model/request.ts';
import { pieces } from './pieces.ts';

export interface Recording {
  /** To be read once. */
  readonly source: AsyncIterable<Buffer>;
  /** Returns the whole body: in memory when it was read to its end, else what was read, followed by what still arrives. */
  sent(): SentBody;
}

/** Returns a recording of a body. Neither half ever closes the source: a refusal can still be answered on it. */
export const recording = (source: AsyncIterable<Buffer>): Recording => {
  const iterator = source[Symbol.asyncIterator]();
  const kept = pieces();
  let ended = false;
  let broken: { readonly cause: unknown } | undefined;

  const next = async (): Promise<IteratorResult<Buffer, unknown>> => {
    // After it threw, an iterator says that it is done: half a body would look like a whole one.
    if (broken !== undefined) throw broken.cause;
    try {
      const result = await iterator.next();
      ended = result.done === true;
      return result;
    } catch (cause) {
      broken = { cause };
      throw cause;
    }
  };
  const keep = async (): Promise<IteratorResult<Buffer, unknown>> => {
    const result = await next();
    if (result.done !== true) kept.add(result.value);
    return result;
  };

  async function* keptAndRest(): AsyncGenerator<Buffer, void, undefined> {
    const first = kept.all();
    for (let chunk = first.shift(); chunk !== undefined; chunk = first.shift()) yield chunk;
    for (let result = await next(); result.done !== true; result = await next()) yield result.value;
  }

  return {
    source: { [Symbol.asyncIterator]: () => ({ next: keep }) },
    sent: () => (ended ? kept.all() : keptAndRest()),
  };
};
