/** Signed claims of the wrong type, or twice under one name, so that two readers see two users. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Authenticator } from '../../src/authn/authenticate.ts';
import {
  authenticator,
  goodClaims,
  issuerSettings,
  type KeyServer,
  keyServer,
  outcome,
  type Signer,
  signer,
} from '../support/token-issuer.ts';

const wrongUsers: readonly unknown[] = [
  undefined,
  null,
  0,
  1,
  true,
  {},
  [],
  ['ann'],
  { toString: 'ann' },
  '',
  'a'.repeat(256),
  'ann\0',
  'ann\n',
  'ann\r\nx-user-id: bob',
  'ann\u007f',
  'ann\u0085',
  'ann\u2028',
  'ann\ud800',
];

describe('a signed token with strange claims', () => {
  let key: Signer;
  let server: KeyServer;
  let authn: Authenticator;
  beforeAll(async () => {
    key = await signer('k1');
    server = await keyServer(key.jwk);
    authn = authenticator([issuerSettings(server.url)]);
  });
  afterAll(async () => {
    authn.close();
    await server.close();
  });

  test.each(wrongUsers)('is refused with the user %j', async (sub) => {
    expect(await outcome(authn, key.sign())).toBe('accepted');
    expect(await outcome(authn, key.sign({ sub }))).toBe('token-claims 401');
  });

  test.each([null, 1, true, {}, [1], [null], [['admin']], [''], ['a\nb'], 'a\tb'])(
    'is refused with the roles %j',
    async (roles) => {
      expect(await outcome(authn, key.sign({ roles }))).toBe('token-claims 401');
    },
  );

  test.each([[{ jti: 1 }], [{ jti: '' }], [{ jti: null }], [{ aud: 1 }], [{ aud: null }], [{ aud: ['jaaz', 1] }]])(
    'is refused with %j',
    async (claims) => {
      expect(await outcome(authn, key.sign(claims))).toBe('token-claims 401');
    },
  );

  test('is refused when a name stands twice, in claims or header, in any spelling and at any depth', async () => {
    const header = '{"alg":"ES256","kid":"k1"}';
    const claims = JSON.stringify(goodClaims);
    expect(await outcome(authn, key.signText(header, claims))).toBe('accepted');
    const rest = claims.slice(1);
    const doubled = [
      `{"sub":"bob",${rest}`,
      `{"sub":"ann",${rest}`,
      `{"\\u0073ub":"bob",${rest}`,
      `{"iss":"https://other.test/",${rest}`,
      `{"exp":1,${rest}`,
      `{"aud":"other",${rest}`,
      `{"act":{"sub":"a","sub":"b"},${rest}`,
      `{"acts":[{"sub":"a","\\u0073ub":"b"}],${rest}`,
    ];
    for (const text of doubled) {
      expect(await outcome(authn, key.signText(header, text))).toBe('token-malformed 401');
    }
    const headers = [
      '{"alg":"none","alg":"ES256","kid":"k1"}',
      '{"alg":"ES256","kid":"other","kid":"k1"}',
      '{"alg":"ES256","kid":"k1","a\\u006cg":"ES256"}',
    ];
    for (const text of headers) {
      expect(await outcome(authn, key.signText(text, claims))).toBe('token-malformed 401');
    }
  });

  test('is refused when the user stands in a prototype only', async () => {
    const { sub: _sub, ...others } = goodClaims;
    const text = JSON.stringify(others).replace('{', '{"__proto__":{"sub":"ann"},');
    expect(await outcome(authn, key.signText('{"alg":"ES256","kid":"k1"}', text))).toBe('token-claims 401');
    const odd = authenticator([issuerSettings(server.url, { claims: { user: 'constructor', roles: '__proto__' } })]);
    expect(await outcome(odd, key.sign())).toBe('token-claims 401');
    odd.close();
  });

  test.each([
    ['not JSON', 'sub=ann'],
    ['an array', `[${JSON.stringify(goodClaims)}]`],
    ['null', 'null'],
    ['two objects', `${JSON.stringify(goodClaims)}{}`],
    ['a byte order mark', `\uFEFF${JSON.stringify(goodClaims)}`],
    ['NaN', JSON.stringify(goodClaims).replace('{', '{"x":NaN,')],
  ])('is refused with a payload that is %s', async (_name, payload) => {
    expect(await outcome(authn, key.signText('{"alg":"ES256","kid":"k1"}', payload))).toBe('token-malformed 401');
  });
});
