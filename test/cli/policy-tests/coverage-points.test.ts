import { describe, expect, test } from 'vitest';
import { pointsOf, type Seen } from '../../../src/cli/policy-tests/coverage-points.ts';
import type { Rehearsed } from '../../../src/cli/rehearsal/rehearsal.ts';
import { checkDocument, parseDocument } from '../../../src/policy/document.ts';
import { policySchema } from '../../../src/policy/schema.ts';
import { jaazPolicy } from '../../support/policies.ts';

const { resources } = jaazPolicy();

const points = (route: string) => {
  const read = parseDocument({ file: 'p.yaml', text: `version: 1\nname: p\nroutes:\n  - { id: r, ${route} }\n` });
  if ('faults' in read) throw new Error(JSON.stringify(read.faults));
  const checked = checkDocument(read.document, policySchema);
  if ('faults' in checked) throw new Error(JSON.stringify(checked.faults));
  const [written] = checked.value.routes;
  return written === undefined ? [] : pointsOf(written, resources);
};

const seen = (rehearsed: object, touched: number[] = []): Seen => ({
  rehearsed: { record: { outcome: 'allowed' }, releases: [], learned: [], ...rehearsed } as unknown as Rehearsed,
  touched: new Set(touched),
});
const refusedWith = (reason: string): Seen => seen({ record: { outcome: 'refused', reason } });
const metBy = (route: string, one: Seen): string[] =>
  points(route).flatMap(({ word, met }) => (met(one) ? [word] : []));

const FULL = [
  "match: 'POST /api/{canvas}', roles: [x], limits: [generate]",
  'run: { limit: running, session: session_id, ends: event }',
  'body: { json: 1KiB, own: { session: s }, create: { file: f }, claim: { session: session_id }, references: file, confirms: c }',
  'rewrite: [{ drop: [a] }, { inline: image }], query: [page], hidden: { status: 200, json: [] }',
  'filter: { learn: { file: f }, relative: true, max: 1KiB }',
].join(', ');

describe('what is to be seen of a route', () => {
  test('is each of its words', () => {
    expect(points(FULL).map(({ word }) => word)).toEqual([
      'passes',
      'access: user',
      'roles',
      'limits',
      'run',
      '{canvas}',
      'body.own.session',
      'body.create.file',
      'body.claim.session',
      'body.confirms',
      'body.references',
      'query page',
      'rewrite[0] drop',
      'rewrite[1] inline',
      'hidden',
      'filter.learn',
      'filter.relative',
    ]);
  });

  test.each([
    ['token-missing', ['access: user']],
    ['role-missing', ['roles']],
    ['rate-limited', ['limits']],
    ['runs-limited', ['run']],
    ['resource-hidden', ['{canvas}', 'body.own.session', 'hidden']],
    ['resource-taken', ['body.create.file', 'body.claim.session']],
    ['resource-quarantined', ['body.claim.session']],
    ['call-not-pending', ['body.confirms']],
    ['reference-foreign', ['body.references']],
    ['image-not-inline', []],
  ])('when a request is refused with %s: %j', (reason, words) => {
    expect(metBy(FULL, refusedWith(reason))).toEqual(words);
  });

  test('is an operation that changed or refused something', () => {
    expect(metBy(FULL, seen({}, [1]))).toEqual(['passes', 'rewrite[1] inline']);
  });

  test('is what was forwarded, learned, and changed in the answer', () => {
    const forwarded = { target: '/api/x?page=1' };
    expect(metBy(FULL, seen({ forwarded }))).toEqual(['passes', 'query page']);
    expect(metBy(FULL, seen({ learned: [{}] }))).toEqual(['passes', 'filter.learn']);
    const answered = { body: Buffer.from('a') };
    expect(metBy(FULL, seen({ answered, shown: { body: Buffer.from('b') } }))).toEqual(['passes', 'filter.relative']);
    expect(metBy(FULL, seen({ answered, shown: { body: Buffer.from('a') } }))).toEqual(['passes']);
  });

  test.each([
    ['match: GET /x, access: denied', refusedWith('route-denied'), ['access: denied']],
    ['match: GET /x, access: denied', seen({}), []],
    ['match: GET /x, access: public, answer: { status: 200, json: 1 }', seen({}), ['passes', 'answer']],
    ['match: GET /x, access: public, answer: { status: 200, json: 1 }', seen({ forwarded: {} }), ['passes']],
    ['match: GET /x, access: public, forward-to: /', seen({ forwarded: { target: '/' } }), ['passes', 'forward-to']],
    ['match: GET /x, access: public, forward-to: /', seen({ forwarded: { target: '/x' } }), ['passes']],
    ['match: GET /x, cache: { max-age: 1s }', seen({}), ['passes', 'cache']],
    ["match: 'DELETE /{canvas}', release: canvas", seen({ releases: [{}] }), ['passes', 'release']],
    ['match: GET /x, when: { header: a, is: b }', refusedWith('condition-unmet'), ['when']],
    ['match: POST /x, body: { json: 1KiB, schema: { type: object } }', refusedWith('body-unfit'), ['body.schema']],
  ])('%s', (route, one, words) => {
    expect(metBy(route, one)).toEqual(words);
  });
});
