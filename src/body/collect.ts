/** A body as it arrives, under a cap. */
import { Rejection } from '../model/rejection.ts';
import { pieces } from './pieces.ts';

export interface CollectTerms {
  readonly maxBytes: number;
  /** What the framing has announced; undefined: nothing. */
  readonly announced: number | undefined;
}

export interface Collected {
  /** In their order. */
  readonly chunks: Buffer[];
  /** Bytes in all. */
  readonly total: number;
}

/** Resolves with all of it, or rejects with a Rejection: body-too-large or body-incomplete. */
export const collect = async (
  source: AsyncIterable<Buffer> | undefined,
  { maxBytes, announced }: CollectTerms,
): Promise<Collected> => {
  if (source === undefined) throw new Rejection('body-incomplete', 'announced, but there is nothing to read');
  const arrived = pieces();
  let total = 0;
  // Not `for await`: leaving that early destroys a stream, and the connection with it, before the refusal is sent.
  const iterator = source[Symbol.asyncIterator]();
  for (;;) {
    const next = await iterator.next().catch(brokenOff);
    if (next.done === true) break;
    total += next.value.length;
    if (total > maxBytes) throw new Rejection('body-too-large', `more than ${maxBytes} bytes`);
    arrived.add(next.value);
  }
  if (announced !== undefined && total !== announced)
    throw new Rejection('body-incomplete', `${total} of ${announced} bytes`);
  return { chunks: arrived.all(), total };
};

const brokenOff = (cause: unknown): never => {
  throw cause instanceof Rejection ? cause : new Rejection('body-incomplete', 'the connection broke off', { cause });
};
