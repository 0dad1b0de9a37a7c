import { describe, expect, test } from 'vitest';
import { faultsOf, policyFrom } from '../support/stages.ts';

const policy = (...routes: string[]): string =>
  `version: 1\nname: p\nresources: { canvas: { id: '[a-z]{1,9}', reserved: [list] } }\nroutes:\n${routes
    .map((route) => `  - ${route}\n`)
    .join('')}`;

describe('two routes that one request could match are a fault', () => {
  test.each([
    ['the same', 'GET /a', 'GET /a'],
    ['a parameter and a word it could be', 'GET /a/{canvas}', 'GET /a/other'],
    ['two parameters', 'GET /a/{canvas}', 'GET /a/{else}'],
    ['a rest and what is below it', 'GET /a/*', 'GET /a/b'],
    ['a rest and a parameter', 'GET /{else}/b', 'GET /a/*'],
  ])('%s', (_name, one, other) => {
    const first = `{ id: first, match: '${one}' }`;
    const second = `{ id: second, match: '${other}' }`;
    const words = (earlier: string, later: string) =>
      `p.yaml:6:${later === 'first' ? 25 : 26}: a request could match this route and ${earlier} (found ${later}, expected one route for each request)`;
    expect(faultsOf(policy(first, second))).toEqual([words('first', 'second')]);
    expect(faultsOf(policy(second, first))).toEqual([words('second', 'first')]);
  });

  test.each([
    ['a reserved word beside the parameter', 'GET /a/{canvas}', 'GET /a/list'],
    ['a word that no id is', 'GET /a/{canvas}', 'GET /a/b.c'],
    ['another method', 'GET /a', 'POST /a'],
    ['what is above a rest', 'GET /a', 'GET /a/*'],
  ])('but not %s', (_name, one, other) => {
    expect(faultsOf(policy(`{ id: first, match: '${one}' }`, `{ id: second, match: '${other}' }`))).toEqual([]);
  });
});

test('an id that is used twice is a fault', () => {
  expect(faultsOf(policy('{ id: a, match: GET /a }', '{ id: a, match: GET /b }'))).toEqual([
    'p.yaml:6:11: this id is used twice (found a)',
  ]);
});

test('a reserved word and its neighbour reach their own routes', () => {
  const { match } = policyFrom(policy("{ id: one, match: 'GET /a/{canvas}' }", '{ id: all, match: GET /a/list }'));
  expect(match('GET', '/a/list')?.route.id).toBe('all');
  expect(match('GET', '/a/lists')?.route.id).toBe('one');
});

test('limits by address hold for visitors, those of failures for failures', () => {
  const { visitorLimits, failureLimits } = policyFrom(`
version: 1
name: p
limits:
  u: { points: 1, per: 1s, by: user }
  v: { points: 1, per: 1s, by: address }
  f: { points: 1, per: 1s, by: address, counts: failed-authentication }
  w: { points: 1, per: 1s, by: address }
everywhere: [u, v, f]
routes: [{ id: a, match: GET /a, limits: [w] }]
`);
  expect(visitorLimits.map(({ name }) => name)).toEqual(['v']);
  expect(failureLimits.map(({ name }) => name)).toEqual(['f']);
});

test('a second socket is a fault', () => {
  const socket = '{ path: /s/, protocol: socket.io, token: [auth], deliver: {} }';
  expect(faultsOf(`${policy('{ id: a, match: GET /a }')}sockets:\n  - ${socket}\n  - ${socket}\n`)).toEqual([
    'p.yaml:7:3: one Socket.IO endpoint is supported (found 2)',
  ]);
});
