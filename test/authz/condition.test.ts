import { expect, test } from 'vitest';
import { meetCondition } from '../../src/authz/condition.ts';
import { refusalOf } from '../support/bodies.ts';
import { arrive, policyFrom, principalOf } from '../support/stages.ts';

const policy = policyFrom(`
version: 1
name: p
routes:
  - { id: a, match: POST /a, body: { json: 1KiB }, when: { any: [{ role: admin }, { body: size, is: small }] } }
  - { id: b, match: POST /b, body: { json: 1KiB } }
`);
const meet = async (target: string, body: object, roles: string[] = []) => {
  const { request, match } = await arrive(policy, { method: 'POST', target, body });
  meetCondition(request, match, principalOf('alice', roles));
};

test('a request that does not meet its route’s condition is refused', async () => {
  expect(await refusalOf(() => meet('/a', { size: 'large' }))).toBe('condition-unmet 403');
  await meet('/a', { size: 'small' });
  await meet('/a', { size: 'large' }, ['admin']);
  await meet('/b', { size: 'large' });
});
