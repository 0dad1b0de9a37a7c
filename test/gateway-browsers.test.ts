import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import type { Claims } from '../src/authz/claim.ts';
import { browserDoor } from '../src/gateway-browsers.ts';
import type { AuditRecord } from '../src/model/audit.ts';
import { beginLife } from '../src/pipeline/life.ts';
import { limit } from '../src/ratelimit/limit.ts';
import { runs } from '../src/ratelimit/runs.ts';
import { shares } from '../src/ratelimit/shares.ts';
import { canonical } from '../src/server/canonical.ts';
import { memoryLimiter } from '../src/store/memory/limiter.ts';
import { memorySlots } from '../src/store/memory/slots.ts';

const LISTED = 'https://app.example';
const records: AuditRecord[] = [];
const { preflight, dress } = browserDoor({
  config: {
    listen: { ...{ host: 'x', port: 0, hosts: undefined, url: undefined }, trustedProxies: [], origins: [LISTED] },
  },
  canonical: canonical({ hosts: undefined, trustedProxies: [] }),
  limit: limit({ limiter: memoryLimiter({ maxEntries: 10 }), policy: { visitorLimits: [], failureLimits: [] } }),
  claims: {} as Claims,
  runs: runs({ slots: memorySlots() }),
  shares: shares({ maxOpenPerKey: 1, maxOpen: 1, maxBytesPerKey: 1, maxBytes: 1 }),
  audit: (record) => void records.push(record),
  report(error) {
    throw error;
  },
});

const asked = async (origin: string): Promise<unknown> => {
  const rawHeaders = ['Host', 'x', 'Origin', origin, 'Access-Control-Request-Method', 'PUT'];
  const raw = { method: 'OPTIONS', target: '/x', rawHeaders, remoteAddress: '192.0.2.1' };
  let told: unknown;
  await preflight.live(beginLife({ raw, source: undefined, cancellation: { cancelled: false, onCancel: undefined } }), {
    async send({ status, headers }) {
      told = [status, headers.includes('access-control-allow-methods')];
      return { status, outcome: 'complete' };
    },
    async refuse({ status, reason }) {
      told = [status, reason];
      return { status, outcome: 'complete' };
    },
  });
  return told;
};

test('a browser that asks is answered by the list of origins, and what it was told is recorded', async () => {
  expect(await asked(LISTED)).toEqual([204, true]);
  expect(await asked('https://evil.example')).toEqual([403, 'origin-refused']);
  expect(records.map(({ route, outcome, reason }) => [route, outcome, reason])).toEqual([
    ['cors.preflight', 'allowed', undefined],
    ['cors.preflight', 'refused', 'origin-refused'],
  ]);
});

test('every answer is completed for browsers: by the list, and by what all are told', () => {
  const head: string[] = [];
  dress(head, { headers: { origin: LISTED }, socket: {} } as unknown as IncomingMessage);
  expect(head).toEqual(
    expect.arrayContaining(['access-control-allow-origin', LISTED, 'x-content-type-options', 'nosniff']),
  );
});
