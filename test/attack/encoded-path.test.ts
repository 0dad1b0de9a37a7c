/** The upstream decodes a path before it routes: what is matched in one spelling would be served in another. */
import { expect, test } from 'vitest';
import { canonical } from '../../src/server/canonical.ts';
import { refusalOf } from '../support/bodies.ts';
import { encodedTargets, oddTargets } from '../support/hostile.ts';

const canonicalize = canonical({ hosts: undefined, trustedProxies: [] });

test.each([...encodedTargets, ...oddTargets])('refuses $why: $target', async ({ target }) => {
  for (const method of ['GET', 'POST', 'DELETE', 'HEAD', 'OPTIONS']) {
    const raw = { method, target, rawHeaders: ['Host', 'x'], remoteAddress: '127.0.0.1' };
    expect(await refusalOf(() => canonicalize(raw))).toBe('target-invalid 400');
  }
});

test('refuses every character of Latin-1 that is not plain, and decodes none', async () => {
  for (let code = 0; code < 256; code += 1) {
    const character = String.fromCharCode(code);
    if (character === '?' || character === '/') continue;
    const target = `/api/a${character}b`;
    const raw = { method: 'GET', target, rawHeaders: ['Host', 'x'], remoteAddress: '127.0.0.1' };
    if (/[A-Za-z0-9\-._~!$&'()*+,=:@]/.test(character)) expect(canonicalize(raw).path).toBe(target);
    else expect(await refusalOf(() => canonicalize(raw))).toBe('target-invalid 400');
  }
});
