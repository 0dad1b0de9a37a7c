import { expect, test } from 'vitest';
import { type HealthChecks, health } from '../../src/server/health.ts';

const well: HealthChecks = {
  ledger: async () => undefined,
  upstream: () => true,
  keys: () => true,
  audit: () => true,
  revocations: () => true,
  redis: () => true,
};

test.each([
  ['all is well', {}, true, {}],
  ['the ledger is down', { ledger: () => Promise.reject(new Error('x')) }, false, { ledger: 'down' }],
  ['the upstream is down', { upstream: () => false }, false, { upstream: 'down' }],
  ['Redis is down', { redis: () => false }, true, { redis: 'degraded' }],
  ['keys are old', { keys: () => false }, true, { keys: 'degraded' }],
  ['revocations cannot be read', { revocations: () => false }, true, { revocations: 'degraded' }],
  ['the audit sink fails', { audit: () => false }, true, { audit: 'degraded' }],
] as ReadonlyArray<readonly [string, Partial<HealthChecks>, boolean, Record<string, string>]>)(
  'when %s',
  async (_name, checks, ready, parts) => {
    const fine = { ledger: 'fine', upstream: 'fine', keys: 'fine', audit: 'fine', revocations: 'fine', redis: 'fine' };
    expect(await health({ ...well, ...checks })).toEqual({ ready, parts: { ...fine, ...parts } });
  },
);

test('what is not there is not mentioned', async () => {
  const { parts } = await health({ ...well, redis: undefined, revocations: undefined });
  expect(Object.keys(parts)).toEqual(['ledger', 'upstream', 'keys', 'audit']);
});
