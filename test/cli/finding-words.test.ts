import { expect, test } from 'vitest';
import { findingWords } from '../../src/cli/finding-words.ts';
import type { Finding } from '../../src/model/finding.ts';

test.each<[string, Finding]>([
  ['deny token-missing', { would: 'deny', reason: 'token-missing', detail: 'x' }],
  [
    'claim canvas:a session:s',
    {
      would: 'claim',
      resources: [
        { kind: 'canvas', id: 'a' },
        { kind: 'session', id: 's' },
      ],
    },
  ],
  ['change answer', { would: 'change', what: 'answer' }],
  ['remove 2 of 3 canvas', { would: 'remove', kind: 'canvas', removed: 2, of: 3 }],
  ['withhold done', { would: 'withhold', event: 'done', sockets: 1, of: 2 }],
])('%s', (words, finding) => {
  expect(findingWords(finding)).toBe(words);
});
