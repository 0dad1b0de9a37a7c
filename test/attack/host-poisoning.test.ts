/** A Host of the client's choosing in URLs, routing or caches (Starlette CVE-2026-48710). */
import { expect, test } from 'vitest';
import { canonical } from '../../src/server/canonical.ts';
import { refusalOf } from '../support/bodies.ts';
import { hostileHosts } from '../support/hostile.ts';

const raw = (host: string) => ({ method: 'GET', target: '/', rawHeaders: ['Host', host], remoteAddress: '127.0.0.1' });

test.each(hostileHosts)('refuses $why: $host', async ({ host, reason }) => {
  const canonicalize = canonical({ hosts: ['gateway.example'], trustedProxies: [] });
  expect(await refusalOf(() => canonicalize(raw(host)))).toBe(`${reason} ${reason === 'host-unknown' ? 421 : 400}`);
});

test('a malformed host is refused where every host is served, too', async () => {
  const canonicalize = canonical({ hosts: undefined, trustedProxies: [] });
  for (const { host, reason } of hostileHosts) {
    const expected = reason === 'host-unknown' ? 'accepted' : 'host-invalid 400';
    expect(await refusalOf(() => canonicalize(raw(host)))).toBe(expected);
  }
});
