import { describe, expect, test } from 'vitest';
import { readOperations } from '../../src/policy/openapi-list.ts';

const operationsOf = (paths: unknown, more: object = {}) => {
  const read = readOperations({ openapi: '3.1.0', paths, ...more });
  if ('problem' in read) throw new Error(read.problem);
  return read.operations;
};

describe('a list of routes', () => {
  test('gives every operation, its segments and its parameters', () => {
    const parameters = [
      { in: 'path', name: 'id', required: true, schema: { type: 'integer' } },
      { in: 'query', name: 'page', schema: { anyOf: [{ type: 'string' }] } },
    ];
    const paths = { '/': { get: {} }, '/a/{id}/b.c': { get: { parameters }, post: {}, summary: 'no method' } };
    expect(operationsOf(paths).map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /',
      'GET /a/{id}/b.c',
      'POST /a/{id}/b.c',
    ]);
    expect(operationsOf(paths)[0]?.segments).toEqual([]);
    expect(operationsOf(paths)[1]).toMatchObject({
      segments: ['a', undefined, 'b.c'],
      parameters: [
        { in: 'path', name: 'id', required: true, type: 'integer' },
        { in: 'query', name: 'page', required: false, type: undefined },
      ],
      body: undefined,
    });
  });

  test('gives the parameters that all methods of a path have', () => {
    const common = { parameters: [{ in: 'query', name: 'q', required: true }], get: {}, post: {} };
    expect(operationsOf({ '/a': common }).map(({ parameters }) => parameters.map(({ name }) => name))).toEqual([
      ['q'],
      ['q'],
    ]);
  });

  test('gives the fields of a body, through a reference', () => {
    const schema = { $ref: '#/components/schemas/A~1B' };
    const content = { 'application/json; charset=utf-8': { schema }, 'text/plain': {} };
    const [one] = operationsOf(
      { '/a': { post: { requestBody: { required: true, content } } } },
      { components: { schemas: { 'A/B': { properties: { x: {}, y: {} } } } } },
    );
    expect(one?.body?.required).toBe(true);
    expect([...(one?.body?.fields ?? [])]).toEqual([
      ['application/json', ['x', 'y']],
      ['text/plain', undefined],
    ]);
  });

  test.each([
    ['a reference to itself', '#/components/x'],
    ['one that leads nowhere', '#/nothing/there'],
    ['one into a prototype', '#/__proto__/constructor'],
    ['one to another document', 'https://example.com/x.json'],
  ])('survives %s', (_what, $ref) => {
    const [one] = operationsOf(
      { '/a': { get: { parameters: [{ $ref }, null, 7], requestBody: { $ref } } } },
      { components: { x: { $ref: '#/components/x' } } },
    );
    expect(one).toMatchObject({ parameters: [], body: undefined });
  });
});

test.each([
  [null, 'it is not an OpenAPI 3 document: `openapi: 3.…` is missing'],
  [[], 'it is not an OpenAPI 3 document: `openapi: 3.…` is missing'],
  [{ swagger: '2.0', paths: {} }, 'it is not an OpenAPI 3 document: `openapi: 3.…` is missing'],
  [{ openapi: '3.0.2' }, 'it lists no `paths`'],
  [{ openapi: '3.0.2', paths: [] }, 'it lists no `paths`'],
])('%j is no list of routes', (document, problem) => {
  expect(readOperations(document)).toEqual({ problem });
});
