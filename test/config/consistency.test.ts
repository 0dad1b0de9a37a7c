import { expect, test } from 'vitest';
import { existingPolicies, inconsistencies } from '../../src/config/consistency.ts';
import { parseDocument } from '../../src/policy/document.ts';

const here = import.meta.filename;

test.each([
  '',
  '3',
  '[]',
  'issuers: 3',
  'issuers: [3, { keys: 3 }, {}]',
  'policies: [3, {}, null]',
  'issuers: { a: 1 }',
])('a file of any shape is looked at: %s', (text) => {
  const parsed = parseDocument({ file: here, text });
  if ('faults' in parsed) throw new Error('not well formed');
  expect(inconsistencies(parsed.document, {})).toEqual([]);
  expect(existingPolicies(parsed.document)).toEqual([]);
});

test('a name through something that is no folder, or that is too long, is no file', () => {
  const parsed = parseDocument({ file: here, text: `policies: [consistency.test.ts/x, ${'x'.repeat(5000)}]` });
  expect('document' in parsed && inconsistencies(parsed.document, {}).map((fault) => fault.message)).toEqual([
    'there is no such file',
    'there is no such file',
  ]);
});
