import { describe, expect, test } from 'vitest';
import { bearer, credential } from '../../src/authn/credentials.ts';
import { rejectionOf, request } from '../support/token-issuer.ts';

describe('credential', () => {
  test('is undefined without an Authorization header', () => {
    expect(credential(request())).toBeUndefined();
  });

  test('is the token of the one Authorization header', () => {
    expect(credential(request('Bearer abc.def.ghi'))).toBe('abc.def.ghi');
  });
});

describe('bearer', () => {
  test.each(['Bearer a', 'bearer a', 'BEARER a', 'bEaReR a'])('takes the scheme in any case: %s', (value) => {
    expect(bearer(value)).toBe('a');
  });

  test.each([
    '',
    'Bearer',
    'Bearer ',
    'Bearer  a',
    'Bearer\ta',
    ' Bearer a',
    'Bearer a ',
    'Bearer a b',
    'Bearer a, Bearer b',
    'Bearer a,b',
    'Basic YTpi',
    'Token a',
    'a.b.c',
    'Bearers a',
  ])('refuses %j', async (value) => {
    expect(await rejectionOf(() => bearer(value))).toMatchObject({
      reason: 'token-malformed',
      status: 401,
      headers: ['WWW-Authenticate', 'Bearer realm="jaaz-gateway", error="invalid_token"'],
    });
  });
});
