import { describe, expect, test } from 'vitest';
import { asksRolesOnly } from '../../src/policy/compile-condition.ts';
import { arrive, faultsOf, policyFrom, principalOf } from '../support/stages.ts';

const withCondition = (when: string, more = 'body: { json: 1KiB }'): string =>
  `version: 1\nname: p\nroutes:\n  - id: r\n    match: POST /a\n    ${more}\n    when: ${when}\n`;
const holds = async (when: string, { roles = [] as string[], ...arriving }) => {
  const { request, match } = await arrive(policyFrom(withCondition(when)), {
    method: 'POST',
    target: '/a',
    body: {},
    ...arriving,
  });
  const { canonical, body } = request;
  return match.route.when?.({
    canonical,
    body: body.kind === 'json' ? body.value : undefined,
    principal: principalOf('a', roles),
  });
};

describe('a condition holds', () => {
  test.each([
    ['{ role: x }', { roles: ['y', 'x'] }],
    ['{ header: x-mode, is: a }', { headers: ['X-Mode', 'a'] }],
    ['{ header: x-mode, one-of: [b, a] }', { headers: ['X-Mode', 'a'] }],
    ['{ query: q, is: a b }', { target: '/a?q=a%20b' }],
    ['{ body: a.b, is: 1 }', { body: { a: { b: 1 } } }],
    ['{ body: a.b, is: 1 }', { body: '{"a":{"b":1.0}}' }],
    ['{ body: a, is: null }', { body: { a: null } }],
    ['{ body: a, one-of: [x, true] }', { body: { a: true } }],
    ['{ body: a, present: true }', { body: { a: null } }],
    ['{ body: a, present: false }', { body: { b: 1 } }],
    ['{ all: [{ role: x }, { body: a, is: 1 }] }', { roles: ['x'], body: { a: 1 } }],
    ['{ any: [{ role: x }, { body: a, is: 1 }] }', { body: { a: 1 } }],
    ['{ not: { role: x } }', {}],
  ])('%s', async (when, arriving) => {
    expect(await holds(when, arriving)).toBe(true);
  });
});

describe('a condition does not hold', () => {
  test.each([
    ['{ role: x }', { roles: ['xx'] }],
    ['{ header: x-mode, is: a }', {}],
    ['{ header: x-mode, is: a }', { headers: ['X-Mode', 'A'] }],
    ['{ query: q, is: a }', { target: '/a?p=a' }],
    ['{ body: a.b, is: 1 }', { body: { a: { b: '1' } } }],
    ['{ body: a, is: x }', { body: { a: ['x'] } }],
    ['{ body: a, is: null }', {}],
    ['{ body: constructor, present: true }', {}],
    ['{ body: a, is: 1 }', { body: { a: { rawJSON: '1' } } }],
    ['{ all: [{ role: x }, { body: a, is: 1 }] }', { body: { a: 1 } }],
    ['{ any: [{ role: x }, { role: y }] }', {}],
    ['{ not: { not: { role: x } } }', {}],
  ])('%s', async (when, arriving) => {
    expect(await holds(when, arriving)).toBe(false);
  });
});

describe('a fault is', () => {
  test.each([
    ['no question', '{ header: a }', '7:11: a condition asks one question (found none, expected is or one-of)'],
    [
      'two questions',
      '{ body: a, is: 1, present: true }',
      '7:11: a condition asks one question (found 2 of them, expected is, one-of or present)',
    ],
    ['several values', '{ body: "a[*]", is: 1 }', '7:19: one value is needed here, not several (found a[*])'],
    ['no place', '{ not: { body: a..b, is: 1 } }', '7:26: not a place in a JSON value'],
    ['a header in capitals', '{ header: X-Mode, is: 1 }', '7:'],
    ['a word that is none', '{ rolle: x }', '7:13: unknown key "rolle", did you mean "role"?'],
    ['nothing in a list', '{ all: [] }', '7:18: '],
  ])('%s', (_name, when, words) => {
    expect(faultsOf(withCondition(when))[0]).toContain(`p.yaml:${words}`);
  });

  test('a body on a route that takes none', () => {
    expect(faultsOf(withCondition('{ body: a, is: 1 }', 'query: []'))).toEqual([
      'p.yaml:7:19: the condition asks for a JSON body, and the route takes none (found a, expected json: SIZE)',
    ]);
  });

  test.each(['public', 'denied'])('a role on a %s route', (access) => {
    expect(faultsOf(withCondition('{ not: { role: x } }', `access: ${access}`))).toContain(
      `p.yaml:7:26: nobody is known on a ${access} route, so nobody has a role (found x)`,
    );
  });
});

test('roles alone are told from what the client says of itself', () => {
  expect(asksRolesOnly({ any: [{ role: 'a' }, { all: [{ not: { role: 'b' } }] }] })).toBe(true);
  expect(asksRolesOnly({ any: [{ role: 'a' }, { all: [{ not: { header: 'b', is: 'c' } }] }] })).toBe(false);
});
