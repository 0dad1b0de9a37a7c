import { expect, test } from 'vitest';
import type { Policy } from '../../src/model/policy.ts';
import { selfTest } from '../../src/policy/self-test.ts';
import { policyFrom } from '../support/stages.ts';
import { policyOf } from '../support/world.ts';

const good = policyFrom(`
version: 1
name: p
resources: { doc: { id: '[a-z]{1,9}', reserved: [x, xx] } }
routes:
  - { id: root, match: GET /, access: public }
  - { id: doc, match: 'GET /docs/{doc}' }
  - { id: x, match: GET /docs/x }
  - { id: xx, match: GET /docs/xx }
  - { id: rest, match: GET /files/*, access: public }
`);

test('a policy that does what its routes say passes, parameters beside words included', () => {
  expect(selfTest(good)).toEqual([]);
  expect(selfTest(policyOf('policies/jaaz.yaml'))).toEqual([]);
});

test('a route that cannot be reached is told of', () => {
  const without = (id: string): Policy => ({
    ...good,
    match: (method, path) => {
      const found = good.match(method, path);
      return found?.route.id === id ? undefined : found;
    },
  });
  expect(selfTest(without('doc'))).toEqual(['self-test: GET /docs/xxx reaches no route instead of the route doc']);
});

test('a request that reaches another route than its own is told of', () => {
  const [first] = good.routes;
  if (first === undefined) throw new Error('no routes');
  const always: Policy = { ...good, match: () => ({ route: first, parameters: {} }) };
  expect(selfTest(always)).toContain('self-test: GET /docs/x reaches the route root instead of the route x');
  expect(selfTest(always)).toContain('self-test: UNLISTED / reaches the route root instead of no route');
  expect(selfTest(always).length).toBeLessThanOrEqual(10);
});
