import { describe, expect, test } from 'vitest';
import type { Route } from '../../src/model/route.ts';
import { faultsOf, policyFrom } from '../support/stages.ts';

const HEAD = `version: 1
name: p
resources:
  canvas: { id: '[a-z]{1,9}', reserved: [list], url: /c/ }
  session: { id: '[a-z]{1,9}', parent: canvas }
limits:
  requests: { points: 5, per: 1m, by: user }
  visitors: { points: 5, per: 1m, by: address }
  failures: { points: 5, per: 1m, by: address, counts: failed-authentication }
  running: { concurrent: 3, by: user, timeout: 1m }
everywhere: [requests, visitors, failures]
catalogues: { models: { get: /models, keys: [id], max-age: 1s } }
routes:
`;
const LINE = HEAD.split('\n').length;
const withRoute = (text: string): string => `${HEAD}  - { id: r, ${text} }\n`;
const routeOf = (text: string): Route => policyFrom(withRoute(text)).routes[0] as Route;
const faults = (text: string): string[] => faultsOf(withRoute(text));

describe('a good route', () => {
  test('checks path parameters that are named after a resource, and no others', () => {
    expect(routeOf("match: 'GET /a/{canvas}/{workflow}/{session}'").uses).toMatchObject([
      { verb: 'own', kind: { name: 'canvas' }, at: { in: 'path', name: 'canvas' } },
      { verb: 'own', kind: { name: 'session' } },
    ]);
    expect(routeOf("match: 'DELETE /a/{canvas}', release: canvas").uses).toMatchObject([{ verb: 'release' }]);
  });

  test('checks and claims what its body names', () => {
    const { uses, body } = routeOf(
      'match: POST /a, body: { json: 2KiB, own: { canvas: a.b }, create: { session: c }, claim: { canvas: d } }',
    );
    expect(body).toEqual({ kind: 'json', maxBytes: 2048 });
    expect(uses.map(({ verb, at }) => [verb, at.in === 'body' && [at.text, at.optional]])).toEqual([
      ['own', ['a.b', false]],
      ['create', ['c', false]],
      ['claim', ['d', false]],
    ]);
  });

  test('takes a token in the header alone, or in the query too, and then tells no other site of its address', () => {
    for (const text of ['match: GET /a', 'match: GET /a, token: [header]']) {
      expect(routeOf(text).tokenInQuery).toBe(false);
      expect(routeOf(text).answerHeaders.has('referrer-policy')).toBe(false);
    }
    const { tokenInQuery, answerHeaders } = routeOf('match: GET /a, token: [header, query], headers: { vary: origin }');
    expect(tokenInQuery).toBe(true);
    expect(Object.fromEntries(answerHeaders)).toEqual({
      vary: 'origin',
      'cache-control': 'private, no-store',
      'referrer-policy': 'no-referrer',
    });
  });

  test('has the limits of everywhere and its own, each once, by whom they count', () => {
    const { limits } = routeOf('match: GET /a, limits: [requests]');
    expect(limits.user.map(({ name }) => name)).toEqual(['requests']);
    expect(limits.address.map(({ name }) => name)).toEqual(['visitors']);
  });

  test('keeps answers private unless it is public, or says otherwise', () => {
    expect(routeOf('match: GET /a').answerHeaders.get('cache-control')).toBe('private, no-store');
    expect(routeOf('match: GET /a, access: public').answerHeaders.has('cache-control')).toBe(false);
    expect(routeOf('match: GET /a, headers: { cache-control: private }').answerHeaders.get('cache-control')).toBe(
      'private',
    );
  });

  test('waits a minute unless it says otherwise, and streams', () => {
    expect(routeOf('match: GET /a')).toMatchObject({
      timeoutMillis: 60_000,
      answer: { kind: 'stream' },
      access: 'user',
    });
    expect(routeOf('match: GET /a, timeout: 15m').timeoutMillis).toBe(900_000);
  });

  test('has its hidden answer as bytes', () => {
    expect(routeOf("match: 'GET /a/{canvas}', hidden: { status: 200, json: null }").hidden).toEqual({
      status: 200,
      body: Buffer.from('null'),
    });
  });
});

describe('a fault is told of at its place:', () => {
  test.each([
    ['no route', 'match: GET a', 21, 'not a route (found GET a, expected METHOD /path)'],
    [
      'a misspelt resource in the path',
      "match: 'GET /a/{canvsa}'",
      21,
      'this parameter is no resource, and would not be checked (found {canvsa}, expected {canvas}, or a name that is not as near to it)',
    ],
    [
      'a parameter twice',
      "match: 'GET /a/{canvas}/{canvas}'",
      21,
      'not a route (found GET /a/{canvas}/{canvas}, expected {canvas} only once)',
    ],
    [
      'a release without its parameter',
      'match: GET /a, release: canvas',
      38,
      'the path has no such parameter (found canvas)',
    ],
    [
      'an unknown limit',
      'match: GET /a, limits: [request]',
      38,
      'this name is not declared (found request, expected requests)',
    ],
    [
      'an unknown resource',
      'match: POST /a, body: { json: 1KiB, own: { canvass: a } }',
      66,
      'this name is not declared (found canvass, expected canvas)',
    ],
    [
      'a list where one id is needed',
      "match: POST /a, body: { json: 1KiB, own: { canvas: 'a[*]' } }",
      65,
      'one id is needed here, not a list (found a[*])',
    ],
    [
      'no place in a value',
      "match: POST /a, body: { json: 1KiB, own: { canvas: 'a..b' } }",
      65,
      'not a place in a JSON value (found a..b, expected a.b, a[*].b, a.*.b)',
    ],
    [
      'ids in a form',
      'match: POST /a, body: { multipart: 1KiB, file: f, own: { canvas: a } }',
      36,
      'ids are read from a JSON body (expected json: SIZE)',
    ],
    [
      'two types of body',
      'match: POST /a, body: { json: 1KiB, multipart: 1KiB, file: f }',
      36,
      'a body is of one type (expected json: SIZE, or multipart: SIZE with file: NAME)',
    ],
    ['a form without its part', 'match: POST /a, body: { multipart: 1KiB }', 36, 'a body is of one type'],
    ['an unknown reference', 'match: POST /a, body: { json: 1KiB, references: fil }', 62, 'this name is not declared'],
    [
      'an unknown catalogue',
      'match: POST /a, body: { json: 1KiB }, rewrite: [{ catalogue: { field: a, from: model } }]',
      93,
      'this name is not declared (found model, expected models)',
    ],
    ['a rewrite without a body', 'match: POST /a, rewrite: [{ drop: [a] }]', 39, 'only a JSON body can be rewritten'],
    [
      'a run without a body',
      'match: POST /a, run: { limit: running, session: s, ends: answer }',
      35,
      'the session is read from a JSON body',
    ],
    [
      'a run by a rate',
      'match: POST /a, body: { json: 1KiB, own: { session: s } }, run: { limit: requests, session: s, ends: answer }',
      87,
      'this limit of runs is not declared (found requests, expected running)',
    ],
    [
      'rows of no list',
      'match: GET /a, filter: { keep: [{ resource: canvas, each: rows, id: id }], max: 1KiB }',
      72,
      'rows are the elements of a list (found rows, expected a path that ends in [*], or in .* for a mapping)',
    ],
    [
      'an answer without a bound',
      'match: GET /a, filter: { drop: [a] }',
      37,
      'an answer that is read needs a bound (expected max: SIZE)',
    ],
    ['roles of nobody', 'match: GET /a, access: public, roles: [admin]', 52, 'a public route asks for no role'],
    [
      'a condition on what is denied',
      'match: GET /a, access: denied, when: { header: a, is: b }',
      51,
      'a denied route is refused without a condition',
    ],
    ['roles of what is denied', 'match: GET /a, access: denied, roles: [admin]', 52, 'a denied route asks for no role'],
  ])('%s', (_name, text, column, words) => {
    expect(faults(text)).toEqual([expect.stringContaining(`p.yaml:${LINE}:${column}: ${words}`)]);
  });

  test('all of them at once', () => {
    expect(faults("match: 'GET /a/{canvsa}', limits: [x, y], release: session")).toHaveLength(4);
  });
});
