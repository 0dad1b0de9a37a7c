import { describe, expect, test } from 'vitest';
import { found } from '../support/warnings.ts';

const reach = (resource: string, route = '{ id: r, match: "GET /r/{canvas}" }'): string[] =>
  found('route-unreachable', `resources:\n  canvas: ${resource}\nroutes:\n  - ${route}`);

describe('a route that nobody can pass', () => {
  test('is one for a kind whose every id is reserved', () => {
    expect(reach("{ id: 'list|default', reserved: [default, list] }")).toEqual(['6: every canvas is reserved']);
    expect(reach("{ id: 'list|default', reserved: [list] }")).toEqual([]);
    expect(reach("{ id: '[a-z]+', reserved: [list] }")).toEqual([]);
    const body = '{ id: r, match: POST /r, body: { json: 1KiB, own: { canvas: id } } }';
    expect(reach("{ id: 'list', reserved: [list] }", body)).toEqual(['6: every canvas is reserved']);
  });

  test.each([
    ['#[0-9]+', '#'],
    ['[a-z]+/[a-z]+', '/'],
    ['[a-z]+ x', ' '],
    ['a\\%b', '%'],
    ['é', 'é'],
  ])('is one whose ids %j can stand in no path', (id, character) => {
    const because = `6: each canvas has the character ${JSON.stringify(character)}, which no path may hold`;
    expect(reach(`{ id: '${id}' }`)).toEqual([because]);
    expect(reach(`{ id: '${id}' }`, '{ id: r, match: POST /r, body: { json: 1KiB, own: { canvas: id } } }')).toEqual(
      [],
    );
  });

  test.each(['[a-z]+#?', 'a#*b', 'a#{0,3}', '[a-z#]+', '(a|#)', 'a[.]b', 'a\\.b', '\\w+', '.+', 'a+b'])(
    'is not one whose ids %j can',
    (id) => {
      expect(reach(`{ id: '${id}' }`)).toEqual([]);
    },
  );

  test('is nothing to tell of where the route is denied', () => {
    expect(reach("{ id: 'x', reserved: [x] }", '{ id: r, match: "GET /r/{canvas}", access: denied }')).toEqual([]);
  });
});
