import { describe, expect, test } from 'vitest';
import { faultsOf } from '../support/stages.ts';

const faults = (route: string): string[] =>
  faultsOf(
    `version: 1\nname: p\nresources: { canvas: { id: '[a-z]{1,9}', url: /c/ } }\nroutes:\n  - { id: r, ${route} }\n`,
  );

describe('where the gateway answers itself, a fault is', () => {
  const answer = 'answer: { status: 200, json: 1 }';
  test.each([
    [
      'another path',
      `match: GET /a, ${answer}, forward-to: /`,
      'nothing is forwarded where the gateway answers itself (found forward-to',
    ],
    ['a shared copy', `match: GET /a, ${answer}, cache: { max-age: 1s }`, 'nothing is forwarded'],
    ['a filter', `match: GET /a, ${answer}, filter: { relative: true }`, 'nothing is forwarded'],
    ['a rewriting', `match: POST /a, ${answer}, body: { json: 1B }, rewrite: [{ drop: [a] }]`, 'nothing is forwarded'],
    ['a timeout', `match: GET /a, ${answer}, timeout: 1s`, 'nothing is forwarded'],
    ['a query', `match: GET /a, ${answer}, query: [a]`, 'nothing is forwarded'],
    [
      'a claim',
      `match: POST /a, ${answer}, body: { json: 1KiB, create: { canvas: id } }`,
      'the gateway’s own answer makes nothing that could be owned (found create canvas)',
    ],
    ['a release', `match: 'DELETE /a/{canvas}', ${answer}, release: canvas`, 'nothing is forwarded'],
    ['a denial', `match: GET /a, ${answer}, access: denied`, 'a denied route has no answer'],
    [
      'a status without a body',
      'match: GET /a, answer: { status: 204, json: 1 }',
      'an answer of this status has no body (found 204',
    ],
  ])('%s', (_name, route, words) => {
    expect(faults(route)).toEqual([expect.stringContaining(words)]);
  });

  test('but not an id that must be the caller’s', () => {
    expect(faults(`match: 'GET /a/{canvas}', ${answer}`)).toEqual([]);
  });
});

describe('where one copy is shared, a fault is', () => {
  const cache = 'cache: { max-age: 1s }';
  test.each([
    ['a resource', `match: 'GET /a/{canvas}', ${cache}`, 'expected a path without parameters'],
    ['a parameter', `match: 'GET /a/{page}', ${cache}`, 'expected a path without parameters'],
    ['a rest', `match: 'GET /a/*', ${cache}`, 'expected a path without parameters'],
    ['a query', `match: GET /a, ${cache}, query: [page]`, '(found query, expected cache without it)'],
    ['a role', `match: GET /a, ${cache}, roles: [admin]`, '(found roles, expected cache without it)'],
    ['another method', `match: POST /a, ${cache}`, '(found POST /a, expected GET or HEAD)'],
    [
      'a list of the caller’s own',
      `match: GET /a, ${cache}, filter: { keep: [{ resource: canvas, each: '[*]', id: id }], max: 1KiB }`,
      '(found keep, ',
    ],
    ['what is learned', `match: GET /a, ${cache}, filter: { learn: { canvas: id }, max: 1KiB }`, '(found learn, '],
  ])('%s', (_name, route, words) => {
    const found = faults(route);
    expect(found).toEqual([expect.stringContaining(words)]);
    expect(found[0]).toContain('one copy is shared by everybody, so it cannot depend on who asks for what');
  });

  test('a time for an answer that no caller waits for alone', () => {
    expect(faults(`match: GET /a, ${cache}, timeout: 1s`)).toEqual([
      expect.stringContaining('the copy has a time of its own to arrive in (found timeout, expected cache without it)'),
    ]);
  });

  test('but not what takes fields away', () => {
    expect(
      faults(`match: GET /a, ${cache}, filter: { drop: ['[*].url'], redact: [a], relative: true, max: 1KiB }`),
    ).toEqual([]);
  });
});

describe('where another path is asked for, a fault is', () => {
  test.each([
    ['a resource', "match: 'GET /a/{canvas}', forward-to: /", '(found {canvas}, expected another name)'],
    ['a body', 'match: POST /a, body: { json: 1B }, forward-to: /', 'another path is asked for only where'],
    ['a path with dots', 'match: GET /a, forward-to: /a/../b', 'not a plain path (found /a/../b'],
    ['a path with an empty segment', 'match: GET /a, forward-to: /a//b', 'not a plain path'],
    ['a path with a query', "match: GET /a, forward-to: '/a?b'", 'forward-to has the wrong form'],
  ])('%s', (_name, route, words) => {
    expect(faults(route)[0]).toContain(words);
  });
});
