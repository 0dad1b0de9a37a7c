import { beforeAll, describe, expect, test } from 'vitest';
import { claimsJudge } from '../../src/authn/claims.ts';
import type { Verdict } from '../../src/authn/jwt.ts';
import { type KeySet, secretKeySet } from '../../src/authn/keys.ts';
import { verdicts } from '../../src/authn/verdicts.ts';
import { clock, goodClaims, issuerSettings, NOON } from '../support/token-issuer.ts';

describe('verdicts', () => {
  let keys: KeySet;
  let verdict: Verdict;
  beforeAll(async () => {
    keys = secretKeySet('s'.repeat(32));
    const principal = claimsJudge(issuerSettings(''))(goodClaims, NOON * 1000);
    const key = await keys.find('HS256', undefined);
    verdict = { principal, key, keys, endsAtMillis: principal.expiresAtMillis };
  });

  test('recalls what was remembered and nothing else', () => {
    const known = verdicts(10, clock().now);
    known.remember('a', verdict);
    expect(known.recall('a')).toBe(verdict.principal);
    expect(known.recall('b')).toBeUndefined();
  });

  test('forgets at the end of the token', () => {
    const time = clock();
    const known = verdicts(10, time.now);
    known.remember('a', verdict);
    time.seconds = NOON + 300;
    expect(known.recall('a')).toBeUndefined();
    expect(known.size).toBe(0);
  });

  test('forgets when the key is retired or the key set no longer current', () => {
    const known = verdicts(10, clock().now);
    const key = { ...verdict.key };
    known.remember('a', { ...verdict, key });
    known.remember('b', { ...verdict, keys: { ...keys, current: () => false } });
    key.retired = true;
    expect(known.recall('a')).toBeUndefined();
    expect(known.recall('b')).toBeUndefined();
  });

  test('never holds more than its bound, and keeps what is in use', () => {
    const known = verdicts(10, clock().now);
    known.remember('used', verdict);
    for (let index = 0; index < 1000; index += 1) {
      known.remember(`once-${index}`, verdict);
      expect(known.size).toBeLessThanOrEqual(10);
      expect(known.recall('used')).toBe(verdict.principal);
    }
  });

  test('makes room even when everything is in use', () => {
    const known = verdicts(20, clock().now);
    for (let index = 0; index < 20; index += 1) known.remember(String(index), verdict);
    for (let index = 0; index < 20; index += 1) known.recall(String(index));
    known.remember('new', verdict);
    expect(known.size).toBe(20);
    expect(known.recall('new')).toBe(verdict.principal);
  });

  test('remembers nothing with a bound of 0', () => {
    const known = verdicts(0, clock().now);
    known.remember('a', verdict);
    expect(known.size).toBe(0);
  });
});
