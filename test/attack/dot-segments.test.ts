/** Matched raw and served normalised, or the other way round (Envoy CVE-2019-9901 and many after it). */
import { expect, test } from 'vitest';
import { canonical } from '../../src/server/canonical.ts';
import { refusalOf } from '../support/bodies.ts';
import { dotTargets } from '../support/hostile.ts';

const canonicalize = canonical({ hosts: undefined, trustedProxies: [] });
const get = (target: string) => ({ method: 'GET', target, rawHeaders: ['Host', 'x'], remoteAddress: '127.0.0.1' });

test.each(dotTargets)('refuses $why: $target', async ({ target }) => {
  expect(await refusalOf(() => canonicalize(get(target)))).toBe('target-invalid 400');
});

test('what is accepted is what a URL parser makes of it', () => {
  for (const target of ['/api/a..b', '/.hidden', '/api/...', '/a/b./c', '/socket.io/', '/@x:y/(z)']) {
    expect(canonicalize(get(target)).path).toBe(new URL(target, 'http://x').pathname);
  }
});
