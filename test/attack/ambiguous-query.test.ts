/** The upstream takes the last of two values and decodes names: a check on the first, or on the raw name, checks nothing. */
import { expect, test } from 'vitest';
import { canonical } from '../../src/server/canonical.ts';
import { refusalOf } from '../support/bodies.ts';
import { hostileQueries } from '../support/hostile.ts';

const canonicalize = canonical({ hosts: undefined, trustedProxies: [] });
const get = (target: string) => ({ method: 'GET', target, rawHeaders: ['Host', 'x'], remoteAddress: '127.0.0.1' });

test.each(hostileQueries)('refuses $why: $query', async ({ query }) => {
  expect(await refusalOf(() => canonicalize(get(`/api/canvas/list?${query}`)))).toBe('query-invalid 400');
});

test('a query is never part of the path', () => {
  expect(canonicalize(get('/livez?x=/api/config')).path).toBe('/livez');
  expect(canonicalize(get('/api/config?a=?/livez')).path).toBe('/api/config');
});
