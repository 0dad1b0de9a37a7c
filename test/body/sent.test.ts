import { describe, expect, test } from 'vitest';
import { recording } from '../../src/body/sent.ts';
import type { SentBody } from '../../src/model/request.ts';

async function* chunks(...texts: readonly string[]): AsyncGenerator<Buffer> {
  for (const text of texts) yield Buffer.from(text);
}

const textOf = async (sent: SentBody): Promise<string> => {
  let text = '';
  for await (const chunk of sent) text += chunk.toString();
  return text;
};

/** Reads so many chunks and leaves the rest, as the reader of bodies does. */
const readSome = async (source: AsyncIterable<Buffer>, count: number): Promise<void> => {
  const iterator = source[Symbol.asyncIterator]();
  for (let index = 0; index < count; index += 1) await iterator.next();
};

describe('what was sent', () => {
  test('is in memory after it was read to its end', async () => {
    const { source, sent } = recording(chunks('a', 'bc'));
    expect(await textOf(source)).toBe('abc');
    expect(sent()).toEqual([Buffer.from('a'), Buffer.from('bc')]);
  });

  test.each([0, 1, 2, 3])(
    'is what was read and the rest of it, when the reader stopped after %i chunks',
    async (count) => {
      const { source, sent } = recording(chunks('a', 'bc', 'd'));
      await readSome(source, count);
      expect(Array.isArray(sent())).toBe(false);
      expect(await textOf(sent())).toBe('abcd');
    },
  );

  test('is never half of a body that broke off', async () => {
    async function* breaking(): AsyncGenerator<Buffer> {
      yield Buffer.from('half');
      throw new Error('gone');
    }
    const { source, sent } = recording(breaking());
    await expect(textOf(source)).rejects.toThrow('gone');
    await expect(textOf(sent())).rejects.toThrow('gone');
  });

  test('is not read before it is wanted, and its source is not closed', async () => {
    let closed = false;
    let pulled = 0;
    const endless: AsyncIterable<Buffer> = {
      [Symbol.asyncIterator]: () => ({
        next: async () => ({ done: false, value: Buffer.from(String(++pulled)) }),
        return: async () => {
          closed = true;
          return { done: true, value: undefined };
        },
      }),
    };
    const { source, sent } = recording(endless);
    await readSome(source, 1);
    const rest = sent();
    expect(pulled).toBe(1);
    for await (const chunk of rest) if (chunk.toString() === '3') break;
    expect([pulled, closed]).toEqual([3, false]);
  });
});
