import { expect, test } from 'vitest';
import { ownershipLookup } from '../src/authz/lookup.ts';
import { writeJson } from '../src/body/json-write.ts';
import { encodeMultipart } from '../src/body/multipart.ts';
import { read } from '../src/body/read.ts';
import { ledgerOf } from '../src/cli/rehearsal/belongings.ts';
import { type ScriptedAnswer, scriptedOrigin } from '../src/cli/rehearsal/origin.ts';
import { keepingReply } from '../src/cli/rehearsal/reply.ts';
import { requestPlane } from '../src/gateway-requests.ts';
import type { AuditRecord } from '../src/model/audit.ts';
import { beginLife } from '../src/pipeline/life.ts';
import { limit } from '../src/ratelimit/limit.ts';
import { runs } from '../src/ratelimit/runs.ts';
import { shares } from '../src/ratelimit/shares.ts';
import { canonical } from '../src/server/canonical.ts';
import { memoryLimiter } from '../src/store/memory/limiter.ts';
import { nearOwnershipCache } from '../src/store/memory/near-ownership-cache.ts';
import { memorySlots } from '../src/store/memory/slots.ts';
import { jaazPolicy, type Replacement } from './support/policies.ts';
import { principalOf } from './support/stages.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const ROWS: ScriptedAnswer = { status: 200, headers: JSON_TYPE, body: Buffer.from('[{"id":"a"},{"id":"b"}]') };

/** Alice asks for a target, with a ledger that knows what is hers. */
const ask = async (target: string, ...replacements: readonly Replacement[]) => {
  const policy = jaazPolicy(...replacements);
  const ledger = await ledgerOf([{ ref: { kind: 'canvas', id: 'a' }, owner: 'test|alice' }]);
  const origin = scriptedOrigin({ kinds: policy.resources.values(), has: new Map(), answer: () => ROWS });
  const records: AuditRecord[] = [];
  const judge = requestPlane({
    policy,
    ledger,
    lookup: ownershipLookup({
      ledger,
      near: nearOwnershipCache({ maxEntries: 9, maxAgeMillis: 9 }),
      common: undefined,
    }),
    authenticator: {
      authenticate: () => principalOf('alice'),
      identify: () => principalOf('alice'),
      recheck: () => undefined,
    },
    canonical: canonical({ hosts: undefined, trustedProxies: [] }),
    limit: limit({ policy, limiter: memoryLimiter({ maxEntries: 9 }) }),
    shares: shares({ maxOpenPerKey: 9, maxOpen: 9, maxBytesPerKey: 9, maxBytes: 9 }),
    runs: runs({ slots: memorySlots() }),
    origin,
    read: read(),
    learn: async () => 'learned',
    writeJson: async (value) => [writeJson(value)],
    writeMultipart: encodeMultipart,
    audit: (record) => void records.push(record),
    report: (error) => {
      throw error;
    },
  });
  const { reply, shown } = keepingReply();
  const raw = { method: 'GET', target, rawHeaders: ['Host', 'x'], remoteAddress: '192.0.2.1' };
  await judge(beginLife({ raw, source: undefined, cancellation: { cancelled: false, onCancel: undefined } }), reply);
  return { records, forwarded: origin.taken().forwarded?.target, body: shown()?.body.toString() };
};

test('a request is judged, forwarded, filtered, and recorded once', async () => {
  const { records, forwarded, body } = await ask('/api/canvas/list');
  expect({ forwarded, body }).toEqual({ forwarded: '/api/canvas/list', body: '[{"id":"a"}]' });
  expect(records).toMatchObject([{ outcome: 'allowed', route: 'canvas.list', owner: 'test|alice' }]);
});

test('what is refused is not forwarded, and looks as the route says', async () => {
  const { records, forwarded, body } = await ask('/api/canvas/b');
  expect({ forwarded, body }).toEqual({ forwarded: undefined, body: 'null' });
  expect(records).toMatchObject([{ outcome: 'refused', reason: 'resource-hidden', status: 200 }]);
});

test('where the policy looks on, the same request passes and what would have happened is recorded', async () => {
  const { records, forwarded } = await ask('/api/canvas/b', ['mode: enforce\n\n', 'mode: shadow\n\n']);
  expect(forwarded).toBe('/api/canvas/b');
  expect(records).toMatchObject([
    { outcome: 'allowed', mode: 'shadow', findings: [{ would: 'deny', reason: 'resource-hidden' }] },
  ]);
});
