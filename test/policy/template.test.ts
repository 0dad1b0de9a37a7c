import { describe, expect, test } from 'vitest';
import { overlaps, parseTemplate, type Template } from '../../src/policy/template.ts';
import { jaazPolicy } from '../support/policies.ts';

const kinds = jaazPolicy().resources;
const parsed = (text: string): Template => {
  const template = parseTemplate(text);
  if ('expected' in template) throw new Error(`${text}: ${template.expected}`);
  return template;
};

describe('parseTemplate', () => {
  test('knows literals, parameters and a rest', () => {
    expect(parsed('GET /')).toEqual({ method: 'GET', segments: [] });
    expect(parsed('POST /a.b/{canvas}/*')).toEqual({
      method: 'POST',
      segments: [{ kind: 'literal', text: 'a.b' }, { kind: 'parameter', name: 'canvas' }, { kind: 'rest' }],
    });
  });

  test.each([
    ...['', 'GET', '/a', 'get /a', 'TRACE /a', 'CONNECT /a', 'GET a', 'GET  /a', 'GET /a b', ' GET /a', 'GET /a '],
    ...['GET //', 'GET /a/', 'GET /a//b', 'GET /./a', 'GET /a/..', 'GET /a%2fb', 'GET /a?b', 'GET /a#b', 'GET /a;b'],
    ...['GET /*/a', 'GET /a*', 'GET /{a}b', 'GET /{A}', 'GET /{}', 'GET /{a-b}', 'GET /:a', 'GET /é', 'GET /a\n'],
    ...['GET /{canvas}/{canvas}'],
  ])('%j is refused', (text) => {
    expect(parseTemplate(text)).toHaveProperty('expected');
  });
});

const meet = (one: string, other: string): boolean => {
  const tree = overlaps<Template>(kinds);
  expect(tree.add(parsed(one))).toEqual([]);
  return tree.add(parsed(other))?.length === 1;
};

describe('overlaps', () => {
  test.each([
    ['GET /a', 'GET /a', true],
    ['GET /a', 'POST /a', false],
    ['GET /a', 'GET /b', false],
    ['GET /a', 'GET /a/b', false],
    ['GET /', 'GET /a', false],
    ['GET /', 'GET /*', false],
    ['GET /a/*', 'GET /a/b', true],
    ['GET /a/*', 'GET /a', false],
    ['GET /a/*', 'GET /a/{x}/b', true],
    ['GET /a/*', 'GET /b/{x}', false],
    ['GET /*', 'GET /a/b/c', true],
    ['GET /a/*', 'GET /*', true],
    ['GET /a/{x}', 'GET /a/b', true],
    ['GET /a/{x}', 'GET /a/{y}', true],
    ['GET /a/{x}/b', 'GET /a/{y}/c', false],
    ['GET /a/{canvas}', 'GET /a/list', false],
    ['GET /a/{canvas}', 'GET /a/other', true],
    ['GET /a/{canvas}', 'GET /a/b.c', false],
    ['GET /a/{file}', 'GET /a/list', false],
    ['GET /{x}/b', 'GET /a/{y}', true],
  ])('%s and %s: %s', (one, other, expected) => {
    expect(meet(one, other)).toBe(expected);
    expect(meet(other, one)).toBe(expected);
  });

  test('names a few earlier ones and no more', () => {
    const tree = overlaps<Template & { id: number }>(kinds);
    for (let id = 0; id < 100; id++) tree.add({ id, ...parsed('GET /a') });
    expect(tree.add({ id: 100, ...parsed('GET /{x}') })).toHaveLength(5);
  });

  test('gives up on templates that are too entangled', () => {
    const tree = overlaps<Template>(kinds);
    const outcomes = new Set<boolean>();
    for (let index = 0; index < 3_000; index++) outcomes.add(tree.add(parsed(`GET /a${index}/x`)) === undefined);
    for (let index = 0; index < 3_000; index++) outcomes.add(tree.add(parsed(`GET /{x}/y${index}`)) === undefined);
    expect([...outcomes]).toEqual([false, true]);
  });

  test('names every earlier one', () => {
    const tree = overlaps<Template & { id: number }>(kinds);
    for (const [id, text] of ['GET /a/b', 'GET /a/{x}', 'GET /a/*', 'GET /b', 'POST /a/b'].entries()) {
      tree.add({ id, ...parsed(text) });
    }
    const met = tree.add({ id: 9, ...parsed('GET /{y}/b') });
    expect(met?.map(({ id }) => id).sort()).toEqual([0, 1, 2]);
  });
});
