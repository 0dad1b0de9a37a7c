/** Rules that looked at X-Forwarded-Uri, or believed everybody's X-Forwarded-For (oauth2-proxy CVE-2026-40575, -76835). */
import { expect, test } from 'vitest';
import { canonical } from '../../src/server/canonical.ts';
import { overrideHeaders } from '../support/hostile.ts';

const raw = (headers: readonly string[]) => ({
  method: 'POST',
  target: '/api/canvas/list?a=1',
  rawHeaders: ['Host', 'gateway.example', ...headers],
  remoteAddress: '198.51.100.1',
});
const options = { hosts: ['gateway.example'], newId: () => 'r1' };

test.each(overrideHeaders)('%s: %s changes nothing when nobody is trusted, as is the default', (name, value) => {
  const canonicalize = canonical({ ...options, trustedProxies: [] });
  const { headers: _, ...understood } = canonicalize(raw([name, value]));
  const { headers: __, ...expected } = canonicalize(raw([]));
  expect(understood).toEqual(expected);
  expect(understood).toMatchObject({
    address: '198.51.100.1',
    secure: false,
    method: 'POST',
    path: '/api/canvas/list',
  });
});

test('all together change nothing either, nor from a stranger when some proxy is trusted', () => {
  const canonicalize = canonical({ ...options, trustedProxies: ['10.0.0.0/8'] });
  const { headers: _, ...understood } = canonicalize(raw(overrideHeaders.flat()));
  const { headers: __, ...expected } = canonicalize(raw([]));
  expect(understood).toEqual(expected);
});

test('a trusted proxy tells the address and the scheme, and nothing else', () => {
  const canonicalize = canonical({ ...options, trustedProxies: ['198.51.100.1'] });
  const { headers: _, ...understood } = canonicalize(raw(overrideHeaders.flat()));
  const { headers: __, ...expected } = canonicalize(raw([]));
  expect(understood).toEqual({ ...expected, address: '10.0.0.1', secure: true });
});
