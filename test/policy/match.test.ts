import { describe, expect, test } from 'vitest';
import type { Route } from '../../src/model/route.ts';
import { routeTable } from '../../src/policy/match.ts';
import { parseTemplate } from '../../src/policy/template.ts';

const table = (...texts: string[]) =>
  routeTable(texts.map((text) => ({ id: text, ...parseTemplate(text) }) as unknown as Route));
const find = (match: ReturnType<typeof table>, method: string, path: string) => {
  const found = match(method, path);
  return found === undefined ? undefined : [found.route.id, { ...found.parameters }];
};

const LONG = 'a'.repeat(8_000);

const match = table(
  'GET /',
  'GET /api/canvas/list',
  'GET /api/canvas/{canvas}',
  'POST /api/canvas/{canvas}/save',
  'POST /api/canvas/{session}/other',
  'GET /assets/*',
);

describe('a request', () => {
  test.each([
    ['GET', '/', ['GET /', {}]],
    ['GET', '/api/canvas/list', ['GET /api/canvas/list', {}]],
    ['GET', '/api/canvas/lists', ['GET /api/canvas/{canvas}', { canvas: 'lists' }]],
    ['GET', '/api/canvas/a:b', ['GET /api/canvas/{canvas}', { canvas: 'a:b' }]],
    ['POST', '/api/canvas/a/save', ['POST /api/canvas/{canvas}/save', { canvas: 'a' }]],
    ['POST', '/api/canvas/a/other', ['POST /api/canvas/{session}/other', { session: 'a' }]],
    ['GET', `/api/canvas/${LONG}`, ['GET /api/canvas/{canvas}', { canvas: LONG }]],
    ['GET', `/assets/${LONG}`, ['GET /assets/*', { '*': LONG }]],
    ['GET', '/assets/a/b.js', ['GET /assets/*', { '*': 'a/b.js' }]],
  ])('%s %s finds its route', (method, path, expected) => {
    expect(find(match, method, path)).toEqual(expected);
  });

  test.each([
    ['POST', '/'],
    ['HEAD', '/'],
    ['PURGE', '/'],
    ['CONSTRUCTOR', '/'],
    ['get', '/'],
    ['GET', '/API/canvas/list'],
    ['GET', '/api/canvas/list/'],
    ['GET', '/api/canvas/'],
    ['GET', '/api/canvas'],
    ['GET', '/assets'],
    ['GET', '/api/canvas/a/save'],
    ['GET', '/__proto__'],
  ])('%s %s finds none', (method, path) => {
    expect(find(match, method, path)).toBeUndefined();
  });
});

test('ten thousand routes are still told apart', () => {
  const many = table(...Array.from({ length: 10_000 }, (_, index) => `GET /api/r${index}/{canvas}`));
  expect(find(many, 'GET', '/api/r9999/x')).toEqual(['GET /api/r9999/{canvas}', { canvas: 'x' }]);
  expect(find(many, 'GET', '/api/r10000/x')).toBeUndefined();
});
