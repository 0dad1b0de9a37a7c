import { expect, test } from 'vitest';
import * as z from 'zod';
import { describePath, describeSchema, describeValue } from '../../src/policy/schema-words.ts';

test.each([
  [z.string(), 'text'],
  [z.number().default(3), 'a number'],
  [z.array(z.string()).optional(), 'a list'],
  [
    z.strictObject({ url: z.string(), port: z.number().default(1), name: z.string().optional() }),
    '{ url, port?, name? }',
  ],
  [z.union([z.boolean(), z.enum(['a', 'b'])]), 'true or false or one of "a", "b"'],
  [z.string().transform(Number), 'text'],
  [z.lazy(() => z.union([z.string(), z.strictObject({ not: z.lazy(() => z.string()) })])), 'text or { not }'],
])('describes a schema', (schema, words) => {
  expect(describeSchema(schema)).toBe(words);
});

test.each([
  [null, 'nothing'],
  ['', '""'],
  ['a\nb', '"a\\nb"'],
  ['x'.repeat(99), `"${'x'.repeat(60)}…"`],
  [[], 'an empty list'],
  [[1, 2], 'a list of 2'],
  [{}, 'an empty mapping'],
  [{ a: 1, b: 2 }, 'a mapping with a, b'],
  [true, 'true'],
])('describes %j', (value, words) => {
  expect(describeValue(value)).toBe(words);
});

test('describes a path as it would be written', () => {
  expect(describePath(['issuers', 0, 'keys', 'url'])).toBe('issuers[0].keys.url');
  expect(describePath([])).toBe('the file');
});
