/** Of two values one is judged and the other one used (Envoy CVE-2021-32777). */
import { expect, test } from 'vitest';
import { canonical } from '../../src/server/canonical.ts';
import { refusalOf } from '../support/bodies.ts';
import { duplicateHeaders } from '../support/hostile.ts';

const canonicalize = canonical({ hosts: undefined, trustedProxies: [] });

test.each(duplicateHeaders)('refuses $why', async ({ headers, reason }) => {
  const rawHeaders = ['Host', 'gateway.example', ...headers];
  const raw = { method: 'GET', target: '/', rawHeaders, remoteAddress: '127.0.0.1' };
  expect(await refusalOf(() => canonicalize(raw))).toBe(`${reason} 400`);
  expect(await refusalOf(() => canonicalize({ ...raw, rawHeaders: rawHeaders.slice(0, -2) }))).toBe('accepted');
});
