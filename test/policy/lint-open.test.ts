import { describe, expect, test } from 'vitest';
import { found } from '../support/warnings.ts';

const head = `resources: { canvas: { id: '[a-z]+' } }
catalogues: { models: { get: /models, keys: [id], max-age: 1m } }
routes:
  - `;
const open = (route: string): string[] =>
  (['list-unfiltered', 'write-unowned', 'parameter-unchecked'] as const).flatMap((code) =>
    found(code, `${head}${route}`).map((what) => `${code} ${what}`),
  );

describe('what every user gets or changes alike is told', () => {
  test.each([
    ['{ id: r, match: GET /r }', 'list-unfiltered 6: r'],
    ['{ id: r, match: GET /r, filter: { drop: [a], max: 1KiB } }', 'list-unfiltered 6: r'],
    ['{ id: r, match: POST /r, body: { json: 1KiB } }', 'write-unowned 6: r'],
    ['{ id: r, match: DELETE /r }', 'write-unowned 6: r'],
    ['{ id: r, match: POST /r, when: { not: { role: guest } } }', 'write-unowned 6: r'],
    ['{ id: r, match: POST /r, when: { any: [{ role: admin }, { header: x, is: y }] } }', 'write-unowned 6: r'],
    ['{ id: r, match: "GET /r/{word}" }', 'parameter-unchecked 6: {word}'],
    ['{ id: r, match: "GET /r/{canvas}/{word}" }', 'parameter-unchecked 6: {word}'],
    ['{ id: r, match: "GET /r/*" }', 'parameter-unchecked 6: *'],
    ['{ id: r, match: GET /r, query: [page, canvas_id] }', 'parameter-unchecked 6: canvas_id'],
    ['{ id: r, match: "GET /r/{canvas}", query: [canvas-id] }', 'parameter-unchecked 6: canvas-id'],
  ])('%s', (route, expected) => {
    expect(open(route)).toEqual([expected]);
  });
});

describe('nothing is told of', () => {
  test.each([
    ['a public route', '{ id: r, match: GET /r, access: public }'],
    ['a denied one', '{ id: r, match: POST /r, access: denied }'],
    ['one for a role', '{ id: r, match: POST /r, roles: [admin] }'],
    [
      'one with a condition on a role',
      '{ id: r, match: POST /r, when: { all: [{ header: x, is: y }, { role: admin }] } }',
    ],
    ['one with several', '{ id: r, match: POST /r, when: { any: [{ role: admin }, { role: editor }] } }'],
    ['one that is said to be shared', '{ id: r, match: "GET /r/{word}", shared: true }'],
    ['one whose copy is shared', '{ id: r, match: GET /r, cache: { max-age: 1m }, filter: { max: 1KiB } }'],
    ['the gateway’s own answer', '{ id: r, match: GET /r, answer: { status: 200, json: {} } }'],
    ['a catalogue', '{ id: r, match: GET /models }'],
    [
      'a list that is filtered',
      '{ id: r, match: GET /r, filter: { keep: [{ resource: canvas, each: "[*]", id: id }], max: 1KiB } }',
    ],
    ['an answer that is learned from', '{ id: r, match: POST /r, filter: { learn: { canvas: id }, max: 1KiB } }'],
    ['a resource in the path', '{ id: r, match: "POST /r/{canvas}" }'],
    ['one in the body', '{ id: r, match: POST /r, body: { json: 1KiB, own: { canvas: id } } }'],
    ['texts that may cite one', '{ id: r, match: POST /r, body: { json: 1KiB, references: canvas } }'],
  ])('%s', (_what, route) => {
    expect(open(route)).toEqual([]);
  });
});
