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

  const inQuery = { tokenInQuery: true };
  const asked = (token: string, authorization?: string) => request(authorization, { query: { token } });

  test('is the one in the query where the route says so, and else that is no token', () => {
    expect(credential(asked('a.b.c'), inQuery)).toBe('a.b.c');
    expect(credential(request(), inQuery)).toBeUndefined();
    for (const route of [undefined, {}, { tokenInQuery: false }]) {
      expect(credential(asked('a.b.c'), route)).toBeUndefined();
      expect(credential(asked('a.b.c', 'Bearer d.e.f'), route)).toBe('d.e.f');
    }
  });

  test('may stand in both places where it is the same', () => {
    expect(credential(asked('a.b.c', 'Bearer a.b.c'), inQuery)).toBe('a.b.c');
    expect(credential(request('Bearer a.b.c'), inQuery)).toBe('a.b.c');
  });

  test.each([
    ['differs from the header’s', asked('a.b.c', 'Bearer d.e.f')],
    ['is empty', asked('')],
    ['is empty beside one in the header', asked('', 'Bearer a.b.c')],
    ['stands beside a header that holds none', asked('a.b.c', 'Basic eDp5')],
  ])('is refused, and cited nowhere, where the one in the query %s', async (_, shown) => {
    const refused = await rejectionOf(() => credential(shown, inQuery));
    expect(refused).toMatchObject({ reason: 'token-malformed', status: 401 });
    expect(refused.message).not.toMatch(/a\.b|d\.e/);
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
