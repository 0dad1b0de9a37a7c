import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Revocations } from '../src/authn/revocation.ts';
import type { Config } from '../src/config/config.ts';
import { adminRevocations, endRevoked, knownRevocations } from '../src/gateway-revocations.ts';
import type { Principal } from '../src/model/principal.ts';
import { memoryRevocations } from '../src/store/memory/revocations.ts';
import { metrics } from '../src/telemetry/metrics.ts';
import { NO_TERMS, ofUser, principalOf } from './support/revocations.ts';

const lines: Array<readonly [string, object]> = [];
const say = (fields: object, message: string) => void lines.push([message, fields]);
const log = { debug: say, info: say, warn: say, error: say, flush: () => undefined };

let revocations: Revocations;
beforeEach(async () => {
  revocations = await knownRevocations(memoryRevocations(), log);
});
afterEach(() => revocations.close());

const people = [principalOf({ sub: 'alice' }), principalOf({ sub: 'bob' }), principalOf({ sub: 'alice' }, 'other')];
const endOf = (open: readonly Principal[]) => (matches: (principal: Principal) => boolean) =>
  open.filter(matches).length;

describe('a revocation', () => {
  test('ends whatever lives by it, is added up, and measured once for each', async () => {
    const counts = metrics();
    endRevoked(revocations, counts, [endOf(people), endOf(people.slice(0, 1))]);
    expect(await revocations.add({ ...ofUser('alice'), ...NO_TERMS })).toMatchObject({ ended: 2 });
    const { text } = await counts.scrape();
    expect(text).toContain('gateway_socket_authority_lag_seconds_count{because="revocation"} 2');
  });

  test('is made by the admin API, under the aliases of the issuers that are configured', async () => {
    const config = { issuers: [{ name: 'main' }] } as unknown as Config;
    const records: unknown[] = [];
    const admin = adminRevocations(revocations, {
      config,
      access: { host: 'localhost', token: 't' },
      audit: (record) => records.push(record),
    });
    expect(admin).toMatchObject({ host: 'localhost', token: 't', issuers: ['main', 'service'] });
    await admin.add({ ...ofUser('alice'), ...NO_TERMS });
    expect(admin.list()).toMatchObject([{ user: 'alice' }]);
    expect(admin.readJson(Buffer.from('{"a":1}'))).toEqual({ a: 1 });
    expect(() => admin.readJson(Buffer.from('{"a":1,"a":2}'))).toThrow();
  });
});

test('a store that cannot be read is no reason to go on', async () => {
  const store = { ...memoryRevocations(), all: () => Promise.reject(new Error('disk I/O error')) };
  await expect(knownRevocations(store, log)).rejects.toThrow('disk I/O error');
});
