import { expect, test } from 'vitest';
import { answerWords, UNTOUCHED } from '../../src/cli/answer-words.ts';
import { checkDocument, parseDocument } from '../../src/policy/document.ts';
import { policySchema } from '../../src/policy/schema.ts';

const wordsOf = (route: string): readonly string[] => {
  const text = `version: 1\nname: p\nroutes: [{ id: r, match: GET /r, ${route} }]\n`;
  const read = parseDocument({ file: 'p.yaml', text });
  if ('faults' in read) throw new Error(JSON.stringify(read.faults));
  const checked = checkDocument(read.document, policySchema);
  if ('faults' in checked) throw new Error(JSON.stringify(checked.faults));
  const [written] = checked.value.routes;
  return written === undefined ? [] : answerWords(written);
};

test.each([
  ['access: public', [UNTOUCHED]],
  ['access: page', [`${UNTOUCHED}, and where people can log in with a script put first into it`]],
  ['access: page, answer: { status: 200, text: x }', ['the gateway itself answers 200']],
  ['answer: { status: 404, json: null }', ['the gateway itself answers 404']],
  ['cache: { max-age: 30s }', ['one copy of it is shared by all callers for 30s', UNTOUCHED]],
  [
    "filter: { keep: [{ resource: canvas, each: '[*]', id: id }], max: 1MiB }",
    ['at [*] only those whose id is a canvas of the caller’s are kept', 'what cannot be judged within 1MiB is refused'],
  ],
  [
    'filter: { learn: { file: file_id }, drop: [url], redact: [{ at: key, when: { not: { role: admin } } }], relative: true }',
    [
      'the file at file_id becomes the caller’s',
      'url is removed',
      'key, where its condition holds, is replaced by [redacted]',
      'loopback URLs of the server become relative',
    ],
  ],
  ['headers: { x-a: b }', [UNTOUCHED, 'its header x-a is set to b']],
])('%s', (route, expected) => {
  expect(wordsOf(route)).toEqual(expected);
});
