import { expect, test } from 'vitest';
import { collect } from '../../src/body/collect.ts';
import { Rejection } from '../../src/model/rejection.ts';
import { rejectionOf } from '../support/token-issuer.ts';

async function* arriving(...texts: readonly string[]): AsyncGenerator<Buffer> {
  for (const text of texts) yield Buffer.from(text);
}

const breaking = (cause: unknown): AsyncIterable<Buffer> => ({
  [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(cause) }),
});

const terms = (maxBytes: number, announced?: number) => ({ maxBytes, announced });
const reasonOf = async (...given: Parameters<typeof collect>) => (await rejectionOf(() => collect(...given))).reason;

test('a body is there whole, as far as it may be', async () => {
  expect(await collect(arriving('ab', 'c'), terms(3, 3))).toEqual({
    chunks: [Buffer.from('ab'), Buffer.from('c')],
    total: 3,
  });
  expect(await collect(arriving(), terms(3))).toEqual({ chunks: [], total: 0 });
});

test('more than is allowed is refused, at the first byte too many', async () => {
  const asked: string[] = [];
  async function* endless(): AsyncGenerator<Buffer> {
    for (;;) {
      asked.push('more');
      yield Buffer.from('ab');
    }
  }
  expect(await reasonOf(endless(), terms(3))).toBe('body-too-large');
  expect(asked).toHaveLength(2);
});

test('another length than announced, and an end that is none, are incomplete', async () => {
  expect(await reasonOf(arriving('ab'), terms(9, 3))).toBe('body-incomplete');
  expect(await reasonOf(arriving('abcd'), terms(9, 3))).toBe('body-incomplete');
  expect(await reasonOf(undefined, terms(9))).toBe('body-incomplete');
  expect(await reasonOf(breaking(new Error('reset')), terms(9))).toBe('body-incomplete');
});

test('a refusal on the way goes on as it is', async () => {
  expect(await reasonOf(breaking(new Rejection('token-expired', 'meanwhile')), terms(9))).toBe('token-expired');
});
