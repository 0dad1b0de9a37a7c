import { describe, expect, test } from 'vitest';
import { faultsOf, policyFrom } from '../support/stages.ts';

const declaring = (text: string): string => `version: 1\nname: p\n${text}\nroutes: [{ id: a, match: GET /a }]\n`;
const faults = (text: string): string[] => faultsOf(declaring(text));

describe('the grammar of ids', () => {
  test.each(['[a-z]{1,64}', '((im|vi)_[a-z]{8}|[a-z]{10})[.][a-z]{2,5}', 'a?b', '\\d{3}', 'a|b', '[a-z]+'])(
    '%s is one',
    (id) => {
      expect(faults(`resources: { doc: { id: '${id}' } }`)).toEqual([]);
    },
  );

  test('must match a whole id, each of its branches', () => {
    const { resources } = policyFrom(declaring("resources: { doc: { id: 'a|b' } }"));
    const pattern = resources.get('doc')?.pattern as RegExp;
    expect(['a', 'b', 'ab', 'xa', 'bx', 'a\n'].map((id) => pattern.test(id))).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
  });

  test.each(['(a+)+', '(a*)*', '(a|b)*', '(ab){2}', 'a+*', '(a)\\1', '(?=a)b', '(?<x>a)', 'a**', 'a{1,2}{3}'])(
    '%s is too clever',
    (id) => {
      expect(faults(`resources: { doc: { id: '${id}' } }`)).toEqual([
        expect.stringMatching(/^p\.yaml:3:25: the grammar of ids is too clever.*\(found /),
      ]);
    },
  );

  test('that is no expression is told of', () => {
    expect(faults("resources: { doc: { id: '[a-' } }")).toEqual([
      expect.stringContaining('p.yaml:3:25: not a regular expression'),
    ]);
  });
});

describe('a probe', () => {
  const probe = (get: string) => `resources: { doc: { id: a, probe: { get: '${get}', absent: { json: null } } } }`;

  test('names the id once', () => {
    const { resources } = policyFrom(declaring(probe('/d/{doc}/x')));
    expect(resources.get('doc')?.probe).toEqual({
      pathBefore: '/d/',
      pathAfter: '/x',
      absentBodies: ['null'],
      absentStatuses: [],
    });
  });

  test.each(['/d', '/d/{other}', '/d/{doc}/{doc}', '/d/{doc}?x=1', '/d/{doc}#x', '/d/ {doc}', '/d/%2e/{doc}'])(
    'not as %s',
    (get) => {
      expect(faults(probe(get))).toEqual([
        expect.stringMatching(
          /^p\.yaml:3:\d+: the probe must name the id once \(found .*, expected a path with \{doc\}\)$/,
        ),
      ]);
    },
  );
});

describe('names', () => {
  test.each([
    [
      'everywhere: [request]\nlimits: { requests: { points: 1, per: 1s, by: user } }',
      '3:14',
      'this limit',
      'request',
      'requests',
    ],
    ['resources: { canvas: { id: a }, session: { id: a, parent: canvs } }', '3:59', 'this resource', 'canvs', 'canvas'],
    ['everywhere: [x]', '3:14', 'this limit', 'x', 'a declared name'],
    [
      'everywhere: [quite-another]\nlimits: { a: { points: 1, per: 1s, by: user }, b: { points: 1, per: 1s, by: user } }',
      '3:14',
      'this limit',
      'quite-another',
      'one of a, b',
    ],
  ])('%j', (text, place, what, found, expected) => {
    expect(faults(text)).toEqual([`p.yaml:${place}: ${what} is not declared (found ${found}, expected ${expected})`]);
  });

  test('of everywhere are rates: how many at once holds for a route', () => {
    expect(faults('everywhere: [run]\nlimits: { run: { concurrent: 1, by: user, timeout: 1s } }')).toHaveLength(1);
  });
});

test('a failed authentication is counted by address', () => {
  const limit = 'limits: { f: { points: 1, per: 1s, by: user, counts: failed-authentication } }\neverywhere: [f]';
  expect(faults(limit)).toEqual(['p.yaml:3:40: a failed authentication has no user (found user, expected address)']);
});
