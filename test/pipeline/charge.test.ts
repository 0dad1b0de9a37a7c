import { describe, expect, test } from 'vitest';
import type { ReasonCode } from '../../src/model/reason.ts';
import { Rejection } from '../../src/model/rejection.ts';
import { charge } from '../../src/pipeline/charge.ts';
import { beginLife } from '../../src/pipeline/life.ts';
import type { Limit } from '../../src/ratelimit/limit.ts';
import { refusalOf } from '../support/bodies.ts';
import { jaazPolicy } from '../support/policies.ts';
import { arrive, principalOf } from '../support/stages.ts';

const counting = () => {
  const counted: string[] = [];
  const limit: Limit = {
    admit(_request, _match, principal) {
      counted.push(`user ${principal?.owner}`);
      return [];
    },
    visitor: async (address) => void counted.push(`visitor ${address}`),
    failed: async (address) => void counted.push(`failure ${address}`),
  };
  return { counted, limit };
};

const life = async () => {
  const raw = { method: 'GET', target: '/', rawHeaders: [], remoteAddress: '198.51.100.1' };
  const begun = beginLife({ raw, source: undefined, cancellation: { cancelled: false, onCancel: undefined } });
  const { request, match } = await arrive(jaazPolicy(), { method: 'GET', target: '/api/config' });
  return { begun, known: { ...begun, request: request.canonical, match } };
};

describe('who pays for a refusal', () => {
  test.each([
    ['route-unknown', 'visitor 192.0.2.1'],
    ['token-missing', 'visitor 192.0.2.1'],
    ['session-ended', 'visitor 192.0.2.1'],
    ['login-needed', 'visitor 192.0.2.1'],
    ['site-foreign', 'visitor 192.0.2.1'],
    ['credentials-differ', 'visitor 192.0.2.1'],
    ['token-signature', 'failure 192.0.2.1'],
    ['keys-unavailable', 'visitor 192.0.2.1'],
  ] as const)('%s: %s', async (reason, payer) => {
    const { counted, limit } = counting();
    await charge(limit, (await life()).known, new Rejection(reason, 'x'));
    expect(counted).toEqual([payer]);
  });

  test('the user, where one is known', async () => {
    const { counted, limit } = counting();
    await charge(limit, (await life()).known, new Rejection('role-missing', 'x', { principal: principalOf('alice') }));
    expect(counted).toEqual(['user test|alice']);
  });

  test('the peer, where the request could not be read', async () => {
    const { counted, limit } = counting();
    await charge(limit, (await life()).begun, new Rejection('target-invalid', 'x'));
    expect(counted).toEqual(['visitor 198.51.100.1']);
  });
});

test('too many of them are another refusal', async () => {
  const { limit } = counting();
  const full = { ...limit, visitor: () => Promise.reject(new Rejection('rate-limited' satisfies ReasonCode, 'x')) };
  const { known } = await life();
  expect(await refusalOf(() => charge(full, known, new Rejection('route-unknown', 'x')))).toBe('rate-limited 429');
});
