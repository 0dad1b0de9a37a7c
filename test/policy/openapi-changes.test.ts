import { describe, expect, test } from 'vitest';
import { listedRoutes } from '../../src/policy/lint-warning.ts';
import { changesOf } from '../../src/policy/openapi-changes.ts';
import { readOperations } from '../../src/policy/openapi-list.ts';
import { subjectFrom } from '../support/warnings.ts';

const resources =
  "resources: { canvas: { id: '[a-z]+' } }\nlimits: { runs: { concurrent: 1, by: user, timeout: 1m } }\n";

const changes = (route: string, path: string, operation: object): readonly string[] => {
  const [listed] = listedRoutes(subjectFrom(`${resources}routes:\n  - { id: r, ${route} }`));
  const read = readOperations({ openapi: '3.1.0', paths: { [path]: operation } });
  const [one] = 'problem' in read ? [] : read.operations;
  if (listed === undefined || one === undefined) throw new Error('nothing to compare');
  return changesOf(listed, one);
};

const taking = (type: string, properties?: object, required = true) => ({
  post: { requestBody: { required, content: { [type]: properties === undefined ? {} : { schema: { properties } } } } },
});

describe('the parameters of a path', () => {
  const path = (type?: string) => ({
    get: { parameters: [{ in: 'path', name: 'id', required: true, ...(type && { schema: { type } }) }] },
  });

  test('may have other names', () => {
    expect(changes('match: "GET /a/{canvas}"', '/a/{id}', path('string'))).toEqual([]);
    expect(changes('match: "GET /a/{canvas}"', '/a/{id}', path())).toEqual([]);
  });

  test('are told where the upstream reads an id as another type', () => {
    expect(changes('match: "GET /a/{canvas}"', '/a/{id}', path('integer'))).toEqual([
      'the upstream reads {id} as integer, the policy as the text of an id',
    ]);
    expect(changes('match: "GET /a/{number}"', '/a/{id}', path('integer'))).toEqual([]);
  });

  test('are told where the policy has a word', () => {
    expect(changes('match: GET /a/list', '/a/{id}', path())).toEqual([
      'the upstream has the parameter {id} where the policy has list',
    ]);
  });
});

describe('a body', () => {
  test.each([
    ['body: { json: 1KiB }', 'application/json', []],
    ['body: { multipart: 1KiB, file: file }', 'multipart/form-data', []],
    [
      'body: { json: 1KiB }',
      'multipart/form-data',
      ['the upstream takes multipart/form-data, and the policy sends application/json'],
    ],
    [
      'body: { multipart: 1KiB, file: f }',
      'application/json',
      ['the upstream takes application/json, and the policy sends multipart/form-data'],
    ],
    [
      'access: user',
      'application/json',
      ['the upstream needs a body of application/json, and the policy lets none pass'],
    ],
  ])('%s where the upstream takes %s', (body, type, expected) => {
    expect(changes(`match: POST /a, ${body}`, '/a', taking(type))).toEqual(expected);
  });

  test('that is not needed, or of which the list says nothing, is no difference', () => {
    expect(changes('match: POST /a', '/a', taking('application/json', undefined, false))).toEqual([]);
    expect(changes('match: POST /a, body: { json: 1KiB }', '/a', { post: {} })).toEqual([]);
  });

  test('is told where the upstream does not read what the policy checks', () => {
    const body =
      'body: { json: 1KiB, claim: { canvas: a.id } }, run: { limit: runs, session: a.id, ends: event }'.replaceAll(
        'a.id',
        'id',
      );
    expect(changes(`match: POST /a, ${body}`, '/a', taking('application/json', { id: {}, name: {} }))).toEqual([]);
    expect(changes(`match: POST /a, ${body}`, '/a', taking('application/json', { canvasId: {} }))).toEqual([
      'the upstream reads no id from the body, which the policy relies on',
    ]);
    const form = 'match: POST /a, body: { multipart: 1KiB, file: image }';
    expect(changes(form, '/a', taking('multipart/form-data', { file: {} }))).toEqual([
      'the upstream reads no image from the body, which the policy relies on',
    ]);
  });
});

test('a call that is answered is told where the upstream reads no such field', () => {
  const socket = `sockets:
  - path: /s/
    protocol: socket.io
    token: [auth]
    deliver: { update: { owner: { canvas: id }, type: type, types: { asks: { pending: id } } } }
`;
  const told = (properties: object): readonly string[] => {
    const body = 'body: { json: 1KiB, own: { canvas: id }, confirms: call.id }';
    const text = `${resources}${socket}routes:\n  - { id: r, match: POST /a, ${body} }`;
    const [listed] = listedRoutes(subjectFrom(text));
    const read = readOperations({ openapi: '3.1.0', paths: { '/a': taking('application/json', properties) } });
    const [one] = 'problem' in read ? [] : read.operations;
    return listed === undefined || one === undefined ? ['nothing to compare'] : changesOf(listed, one);
  };
  expect(told({ id: {}, call: {} })).toEqual([]);
  expect(told({ id: {}, call_id: {} })).toEqual([
    'the upstream reads no call from the body, which the policy relies on',
  ]);
});

test('a query is told where one side knows a parameter and the other does not', () => {
  const parameters = [
    { in: 'query', name: 'page' },
    { in: 'query', name: 'need', required: true },
    { in: 'header', name: 'gone', required: true },
  ];
  expect(changes('match: GET /a, query: [page, need]', '/a', { get: { parameters } })).toEqual([]);
  expect(changes('match: GET /a, query: [page, gone]', '/a', { get: { parameters } })).toEqual([
    'the upstream knows no query parameter gone, which the policy forwards',
    'the upstream needs the query parameter need, which the policy drops',
  ]);
});

test('of a route of which nothing is forwarded nothing is told', () => {
  const need = taking('application/json');
  expect(changes('match: POST /a, access: denied', '/a', need)).toEqual([]);
  expect(changes('match: POST /a, answer: { status: 200, json: {} }', '/a', need)).toEqual([]);
});
