import { expect, test } from 'vitest';
import { ownershipLookup } from '../src/authz/lookup.ts';
import { writeJson } from '../src/body/json-write.ts';
import { encodeMultipart } from '../src/body/multipart.ts';
import { read } from '../src/body/read.ts';
import { shadowStages } from '../src/gateway-shadow.ts';
import { nearOwnershipCache } from '../src/store/memory/near-ownership-cache.ts';
import { memoryLedger } from '../src/store/memory/ownership-ledger.ts';
import { refusalOf } from './support/bodies.ts';
import { jaazPolicy } from './support/policies.ts';
import { principalOf } from './support/stages.ts';
import { request } from './support/token-issuer.ts';

const asked: Array<string | undefined> = [];
const ledger = memoryLedger();
const stages = shadowStages({
  policy: jaazPolicy(),
  ledger,
  lookup: ownershipLookup({ ledger, near: nearOwnershipCache({ maxEntries: 9, maxAgeMillis: 9 }), common: undefined }),
  presence: async () => false,
  identify(_request, token) {
    asked.push(token);
    return token === undefined ? undefined : principalOf('alice');
  },
  read: read(),
  rewriting: {
    catalogue: async () => [],
    writeJson: async (value) => [writeJson(value)],
    writeMultipart: encodeMultipart,
  },
  learn: async () => 'learned',
});

test('a caller is known by what the request shows, of which the token stands in the header alone', async () => {
  expect(await refusalOf(() => stages.identify(request('Basic eDp5')))).toBe('token-malformed 401');
  expect(asked).toEqual([]);
  expect(await stages.identify(request(undefined, { query: { token: 'a.b.c' } }))).toBeUndefined();
  expect(await stages.identify(request('Bearer a.b.c'))).toMatchObject({ owner: 'test|alice' });
  expect(asked).toEqual([undefined, 'a.b.c']);
});
