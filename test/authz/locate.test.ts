import { describe, expect, test } from 'vitest';
import { isId, locate } from '../../src/authz/locate.ts';
import { parseFieldPath } from '../../src/model/field-path.ts';
import type { ResourceKind } from '../../src/model/resource.ts';
import type { Location, ResourceUse } from '../../src/model/route.ts';
import { refusalOf } from '../support/bodies.ts';
import { jaazPolicy } from '../support/policies.ts';
import { arrive } from '../support/stages.ts';

const policy = jaazPolicy();
const canvas = policy.resources.get('canvas') as ResourceKind;
const at = (text: string, optional = false): Location => ({ in: 'body', path: parseFieldPath(text), text, optional });
const use = (where: Location): ResourceUse => ({ verb: 'own', kind: canvas, at: where });

const inBody = async (where: Location, body: object) => {
  const { request, match } = await arrive(policy, { method: 'POST', target: '/api/chat', body });
  return locate(use(where), request, match);
};

describe('isId', () => {
  test.each(['a', '-', '_a-Z9', 'a'.repeat(64)])('%s is one', (id) => {
    expect(isId(canvas, id)).toBe(true);
  });
  test.each([
    '',
    'a\n',
    '\na',
    'a/b',
    'a%',
    'é',
    'default',
    'list',
    'create',
    'a'.repeat(65),
    5,
    null,
    undefined,
    ['a'],
    {},
  ])('%j is none', (id) => {
    expect(isId(canvas, id)).toBe(false);
  });
  test('what is longer than 256 characters is none, whatever the grammar says', () => {
    const unbounded = { ...canvas, pattern: /^[a-z]+$/ };
    expect([256, 257, 100_000].map((length) => isId(unbounded, 'a'.repeat(length)))).toEqual([true, false, false]);
  });
});

describe('in a body', () => {
  test('an id is found however deep', async () => {
    expect(await inBody(at('a.b'), { a: { b: 'x' } })).toEqual({ kind: 'canvas', id: 'x' });
  });

  test.each([
    ['a number', { a: 1 }],
    ['null', { a: null }],
    ['nothing', {}],
    ['a list', { a: ['x'] }],
  ])('%s is refused', async (_name, body) => {
    expect(await refusalOf(() => inBody(at('a'), body))).toBe('id-invalid 400');
  });

  test('several values are refused, even where the first would do', async () => {
    expect(await refusalOf(() => inBody(at('a[*]'), { a: ['x', 'y'] }))).toBe('id-invalid 400');
  });

  test.each([
    ['nothing', {}, undefined],
    ['null', { a: null }, undefined],
    ['an id', { a: 'x' }, { kind: 'canvas', id: 'x' }],
  ])('where it may be left out: %s', async (_name, body, expected) => {
    expect(await inBody(at('a', true), body)).toEqual(expected);
  });

  test('an optional id of another form is refused all the same', async () => {
    expect(await refusalOf(() => inBody(at('a', true), { a: '' }))).toBe('id-invalid 400');
    expect(await refusalOf(() => inBody(at('a', true), { a: 0 }))).toBe('id-invalid 400');
  });

  test('the record says what was found, never its value', async () => {
    const refused = await inBody(at('a.b'), { a: { b: 'very secret!' } }).catch((error: unknown) => error);
    expect(refused).toMatchObject({ message: 'body a.b: expected a canvas id, found a string of another form' });
  });
});

describe('elsewhere', () => {
  test('a query parameter is held against the grammar', async () => {
    const { request, match } = await arrive(policy, { method: 'GET', target: '/api/canvas/list?c=x&d=a%2Fb' });
    expect(locate(use({ in: 'query', name: 'c' }), request, match)).toEqual({ kind: 'canvas', id: 'x' });
    expect(await refusalOf(() => locate(use({ in: 'query', name: 'd' }), request, match))).toBe('id-invalid 400');
    expect(await refusalOf(() => locate(use({ in: 'query', name: 'e' }), request, match))).toBe('id-invalid 400');
  });

  test('an impossible id in a path looks like a foreign one', async () => {
    const { request, match } = await arrive(policy, { method: 'GET', target: '/api/canvas/a.b' });
    expect(await refusalOf(() => locate(use({ in: 'path', name: 'canvas' }), request, match))).toBe(
      'resource-hidden 404',
    );
  });
});
