import { describe, expect, test } from 'vitest';
import { judgeAnswer } from '../../src/filter/judge.ts';
import type { OwnersOf } from '../../src/filter/list.ts';
import type { Evidence } from '../../src/model/evidence.ts';
import type { GrantInShadow } from '../../src/model/grant.ts';
import type { UpstreamAnswer } from '../../src/model/response.ts';
import type { RouteMatch } from '../../src/model/route.ts';
import { refusalOf } from '../support/bodies.ts';
import { jaazPolicy } from '../support/policies.ts';
import { policyFrom } from '../support/stages.ts';

const jaaz = jaazPolicy();
const found = (method: string, path: string, policy = jaaz) => policy.match(method, path) as RouteMatch;
const list = found('GET', '/api/canvas/list');
const history = found('GET', '/api/chat_session/s');
const upload = found('POST', '/api/upload_image');
const modelList = found('GET', '/api/list_models');
const file = found('GET', '/api/file/im_aaaaaaaa.png');

const ownersOf: OwnersOf = (refs) => refs.map(({ id }) => (id === 'hers' ? 'alice' : undefined));
const learned: string[] = [];
const options = {
  ownersOf,
  learn: async ({ ref }: { ref: { id: string } }, owner: string) => {
    learned.push(`${ref.id} ${owner}`);
    return ref.id.startsWith('im_bob') ? ('conflict' as const) : ('learned' as const);
  },
};

const answering = (text: string, status = 200, type = 'application/json'): UpstreamAnswer => ({
  status,
  headers: { 'content-type': type },
  body: {
    whole: () => undefined,
    pipe(sink) {
      sink.write(Buffer.from(text));
      sink.end();
    },
    resume: () => undefined,
    abort: () => undefined,
  },
});

const judge = async (match: RouteMatch, answer: UpstreamAnswer, owner: string | undefined = 'alice') => {
  const evidence: Evidence = { findings: [], faults: [] };
  const grant = { owner, principal: undefined, shadow: { evidence } } as unknown as GrantInShadow;
  await judgeAnswer(options, { answer, grant, match });
  return evidence.findings;
};

const changed = { would: 'change', what: 'answer' };

describe('of an answer that would pass nothing is said', () => {
  test.each([
    ['a file', file, answering('bytes', 200, 'image/png')],
    ['a file that is missing', file, answering('{}', 404)],
    ['a list of one’s own', list, answering('[{"id":"hers"}]')],
    ['a history without addresses', history, answering('["http://elsewhere/api/file/x"]')],
    ['a part that was asked for', list, answering('[{"id":"h', 206)],
    ['what the client has already', list, answering('', 304)],
    ['a catalogue without urls', modelList, answering('[{"model":"m"}]')],
  ])('%s', async (_name, match, answer) => {
    expect(await judge(match, answer)).toEqual([]);
  });
});

test('rows that would be removed are counted', async () => {
  expect(await judge(list, answering('[{"id":"hers"},{"id":"his"},{"x":1}]'))).toEqual([
    { would: 'remove', kind: 'canvas', removed: 2, of: 3 },
  ]);
});

test('so are those of a list inside a value, of each rule by itself', async () => {
  const policy = policyFrom(`version: 1
name: p
resources: { canvas: { id: '[a-z]+' } }
routes:
  - id: a
    match: GET /a
    filter: { keep: [{ resource: canvas, each: 'one[*]', id: id }, { resource: canvas, each: 'two[*]', id: id }], max: 1KiB }`);
  const rows = '{"one":[{"id":"hers"},{"id":"his"}],"two":[{"id":"his"},{"id":"no"}]}';
  expect(await judge(found('GET', '/a', policy), answering(rows))).toEqual([
    { would: 'remove', kind: 'canvas', removed: 1, of: 2 },
    { would: 'remove', kind: 'canvas', removed: 2, of: 2 },
  ]);
});

test.each([
  ['a field that is dropped', modelList, answering('[{"url":"http://x"}]')],
  [
    'an address that becomes relative, in what streams',
    history,
    answering('["http://localhost:57988/api/file/x.png"]'),
  ],
  ['an error that says more than its status', list, answering('{"detail":"x"}', 500)],
])('%s would be a change', async (_name, match, answer) => {
  expect(await judge(match, answer)).toEqual([changed]);
});

test('an id that the server made is learned, as it would be', async () => {
  const text = '{"file_id":"im_aaaaaaaa.png","url":"http://localhost:57988/api/file/im_aaaaaaaa.png"}';
  expect(await judge(upload, answering(text))).toEqual([changed]);
  expect(learned).toEqual(['im_aaaaaaaa.png alice']);
});

test.each([
  ['a redirect', file, answering('', 307), 'answer-unreadable 502'],
  ['another status', list, answering('[]', 202), 'answer-unreadable 502'],
  ['another type', list, answering('[]', 200, 'text/html'), 'answer-unreadable 502'],
  ['another shape', list, answering('{}'), 'answer-unreadable 502'],
  ['no JSON', upload, answering('x'), 'answer-unreadable 502'],
  ['too much', upload, answering(`"${'x'.repeat(70_000)}"`), 'answer-too-large 502'],
  ['what is another’s', upload, answering('{"file_id":"im_bobsfile.png"}'), 'learn-conflict 502'],
])('%s would be refused', async (_name, match, answer, refusal) => {
  expect(await refusalOf(() => judge(match, answer))).toBe(refusal);
});
