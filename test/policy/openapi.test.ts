import { describe, expect, test } from 'vitest';
import { compareRoutes, formatDifference } from '../../src/policy/openapi.ts';
import { subjectFrom, subjectOf } from '../support/warnings.ts';

const head = "resources: { canvas: { id: '[a-z]+', reserved: [list] } }\nroutes:\n  - ";

/** Lists `METHOD /path` without any detail. */
const listOf = (...operations: readonly string[]): object => {
  const paths: Record<string, object> = {};
  for (const operation of operations) {
    const [method = '', path = ''] = operation.split(' ');
    paths[path] = { ...paths[path], [method.toLowerCase()]: {} };
  }
  return { openapi: '3.1.0', paths };
};

const differences = (routes: readonly string[], ...operations: readonly string[]): string[] => {
  const compared = compareRoutes(listOf(...operations), subjectFrom(`${head}${routes.join('\n  - ')}`));
  if ('problem' in compared) throw new Error(compared.problem);
  return compared.differences.map((one) => formatDifference(one).replace(/^.*p\.yaml/, 'p.yaml'));
};

const canvas = '{ id: read, match: "GET /c/{canvas}" }';

describe('a route that only the upstream has', () => {
  test('is refused, which is told', () => {
    expect(differences([canvas], 'GET /c/{id}', 'POST /new')).toEqual([
      'unmapped: POST /new: no route of the policy lists it, so it is refused: list it, if need be as denied',
    ]);
  });

  test('is told also where an id of that name would reach it', () => {
    expect(differences([canvas], 'GET /c/{id}', 'GET /c/stats')).toEqual([
      'unmapped: GET /c/stats (read): the policy does not list it, but it is reached as /c/{canvas}: list it, and reserve stats among the ids of a canvas',
    ]);
    expect(differences([canvas], 'GET /c/{id}', 'GET /c/list')).toEqual([expect.stringContaining('so it is refused')]);
    expect(differences([canvas], 'GET /c/{id}', 'GET /c/Stats')).toEqual([expect.stringContaining('so it is refused')]);
  });

  test('is not one that is listed as denied, or below a folder', () => {
    expect(
      differences(
        ['{ id: d, match: GET /d, access: denied }', '{ id: f, match: "GET /f/*", access: public }'],
        'GET /d',
        'GET /f/x',
      ),
    ).toEqual([]);
  });
});

describe('the way in which runs are ended', () => {
  const ending = (cancel: string, ...operations: readonly string[]): string[] => {
    const rule = `{ owner: { canvas: id }, type: type, cancel: '${cancel}', types: { a: { opens: { canvas: text } } } }`;
    const sockets = `sockets: [{ path: /s/, protocol: socket.io, token: [auth], deliver: { update: ${rule} } }]\n`;
    const compared = compareRoutes(listOf('GET /c/{id}', ...operations), subjectFrom(`${sockets}${head}${canvas}`));
    if ('problem' in compared) throw new Error(compared.problem);
    return compared.differences
      .filter(({ kind }) => kind === 'vanished')
      .map((one) => formatDifference(one).replace(/^.*p\.yaml/, 'p.yaml'));
  };

  test('is one that the upstream has', () => {
    expect(ending('POST /stop/{canvas}', 'POST /stop/{id}')).toEqual([]);
  });

  test('has vanished where the upstream has it no more, or by another method', () => {
    const told = [
      'p.yaml:3:124: vanished: POST /stop/{canvas}: the upstream has it no more: no run can be ended by it',
    ];
    expect(ending('POST /stop/{canvas}')).toEqual(told);
    expect(ending('POST /stop/{canvas}', 'DELETE /stop/{id}')).toEqual(told);
  });
});

describe('a route that only the policy has', () => {
  test('has vanished', () => {
    expect(differences([canvas, '{ id: gone, match: GET /gone }'], 'GET /c/{id}')).toEqual([
      'p.yaml:6:24: vanished: GET /gone (gone): the upstream has it no more: remove the route',
    ]);
  });

  test('has changed where the upstream takes other methods', () => {
    expect(differences([canvas, '{ id: s, match: "POST /c/{canvas}/s" }'], 'GET /c/{id}', 'PUT /c/{id}/s')).toEqual([
      'unmapped: PUT /c/{id}/s: no route of the policy lists it, so it is refused: list it, if need be as denied',
      'p.yaml:6:21: changed: POST /c/{canvas}/s (s): the upstream takes PUT there, and POST no more',
    ]);
  });

  test.each([
    '{ id: p, match: GET /, access: public }',
    '{ id: p, match: GET /, access: page }',
    '{ id: p, match: "GET /assets/*" }',
    '{ id: p, match: "HEAD /x" }',
    '{ id: p, match: GET /openapi.json, access: denied }',
    '{ id: p, match: GET /own, answer: { status: 200, json: {} } }',
  ])('is nothing to tell of where no list has it: %s', (route) => {
    expect(differences([route])).toEqual([]);
  });
});

describe('a route that both have', () => {
  test('is compared by its shape first', () => {
    expect(differences([canvas, '{ id: l, match: GET /c/list }'], 'GET /c/list', 'GET /c/{id}')).toEqual([]);
  });

  test('has changed where the upstream takes its word for a parameter', () => {
    expect(differences(['{ id: l, match: GET /c/list }'], 'GET /c/{id}')).toEqual([
      'p.yaml:5:21: changed: GET /c/list (l): the upstream has the parameter {id} where the policy has list',
    ]);
  });

  test('is what is asked for where it is forwarded to another path', () => {
    const route = '{ id: spa, match: "GET /page/{word}", forward-to: /index, shared: true }';
    expect(differences([route], 'GET /index')).toEqual([]);
    expect(differences([route], 'GET /page/{word}')).toEqual([
      expect.stringContaining('unmapped: GET /page/{word}'),
      expect.stringContaining('vanished: GET /page/{word} (spa)'),
    ]);
  });
});

test('what is no list of routes is a problem', () => {
  expect(compareRoutes({}, subjectOf('policies/minimal.yaml'))).toHaveProperty('problem');
});
