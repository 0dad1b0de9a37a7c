import { describe, expect, test } from 'vitest';
import { keysUnavailable, quoted, refusal, retryAfter, withMetadata } from '../../src/authn/challenge.ts';
import type { Principal } from '../../src/model/principal.ts';
import { type ReasonCode, reasons } from '../../src/model/reason.ts';
import { Rejection } from '../../src/model/rejection.ts';

const challengeOf = (reason: ReasonCode): readonly string[] => refusal(reason, 'why').headers;

describe('refusal', () => {
  test('tells who presented nothing no error code', () => {
    for (const reason of ['token-missing', 'session-ended'] as const) {
      expect(challengeOf(reason)).toEqual(['WWW-Authenticate', 'Bearer realm="jaaz-gateway"']);
    }
  });

  test('tells who lacks a role that more is needed than this token', () => {
    const headers = ['WWW-Authenticate', 'Bearer realm="jaaz-gateway", error="insufficient_scope"'];
    expect(refusal('role-missing', 'why')).toMatchObject({ reason: 'role-missing', status: 403, headers });
  });

  test('tells the same of every other token, whatever is wrong with it', () => {
    const invalid = Object.entries(reasons).flatMap(([code, { stage, status }]) =>
      stage === 'authenticate' && status === 401 && !/^(token-missing|session-ended)$/.test(code)
        ? [code as ReasonCode]
        : [],
    );
    expect(invalid).toContain('token-signature');
    const said = new Set(invalid.map((code) => challengeOf(code).join(': ')));
    expect([...said]).toEqual(['WWW-Authenticate: Bearer realm="jaaz-gateway", error="invalid_token"']);
  });

  test('asks for no token where another one would not help', () => {
    expect(challengeOf('keys-unavailable')).toEqual([]);
  });

  test('keeps why for the record', () => {
    const cause = new Error('below');
    expect(refusal('token-signature', 'why', { cause })).toMatchObject({ message: 'why', cause, principal: undefined });
  });
});

describe('withMetadata', () => {
  const URL_OF_IT = 'https://gateway.example/metadata';

  test('adds where they are to a challenge, and changes nothing else', () => {
    const cause = new Error('below');
    const before = refusal('token-expired', 'why', { cause });
    expect(withMetadata(before, URL_OF_IT)).toMatchObject({
      ...{ reason: 'token-expired', status: 401, message: 'why', cause, principal: undefined },
      headers: [
        'WWW-Authenticate',
        'Bearer realm="jaaz-gateway", error="invalid_token", resource_metadata="https://gateway.example/metadata"',
      ],
    });
    expect(before.headers[1]).not.toContain('resource_metadata');
  });

  test('finds the challenge among other headers, however it is spelt, and keeps who is refused', () => {
    const principal = { owner: 'main|ann' } as Principal;
    const headers = ['x-said', 'www-authenticate', 'www-authenticate', 'Bearer'];
    const after = withMetadata(new Rejection('role-missing', 'why', { headers, principal }), URL_OF_IT);
    expect(after.headers).toEqual([...headers.slice(0, 3), `Bearer, resource_metadata="${URL_OF_IT}"`]);
    expect(after.principal).toBe(principal);
  });

  test('is nothing to a refusal that asks for no token', () => {
    const refused = keysUnavailable('why', 0);
    expect(withMetadata(refused, URL_OF_IT)).toBe(refused);
  });
});

describe('keysUnavailable', () => {
  test.each([
    [0, '1'],
    [1000, '1'],
    [1001, '2'],
    [30_000, '30'],
  ])('says to come back in whole seconds, never in none: %d ms', (millis, seconds) => {
    const headers = ['Retry-After', seconds];
    expect(keysUnavailable('why', millis)).toMatchObject({ reason: 'keys-unavailable', status: 503, headers });
  });
});

describe('quoted', () => {
  test('keeps a text from ending its own line or its own quotes', () => {
    expect(quoted('a"\r\nb\0')).toBe(String.raw`"a\"\r\nb\u0000"`);
  });

  test('cuts what is long', () => {
    expect(quoted('x'.repeat(80))).toBe(`"${'x'.repeat(80)}"`);
    expect(quoted('x'.repeat(81))).toBe(`"${'x'.repeat(80)}…"`);
  });
});

test('asking again makes sense after whole seconds, one at least', () => {
  expect([0, 1, 1000, 1001, 30_000].map((millis) => retryAfter(millis).join(': '))).toEqual(
    [1, 1, 1, 2, 30].map((seconds) => `Retry-After: ${seconds}`),
  );
});
