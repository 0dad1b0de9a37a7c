import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Authenticator } from '../../src/authn/authenticate.ts';
import type { IssuerSettings } from '../../src/authn/issuer.ts';
import {
  authenticator,
  issuerSettings,
  type KeyServer,
  keyServer,
  outcome,
  type Signer,
  signer,
} from '../support/token-issuer.ts';

describe('tokenVerifier', () => {
  let key: Signer;
  let server: KeyServer;
  const opened: Authenticator[] = [];
  beforeAll(async () => {
    key = await signer('k1');
    server = await keyServer(key.jwk);
  });
  afterAll(async () => {
    for (const authn of opened) authn.close();
    await server.close();
  });
  const open = (overrides: Partial<IssuerSettings> = {}): Authenticator => {
    const authn = authenticator([issuerSettings(server.url, overrides)]);
    opened.push(authn);
    return authn;
  };

  test('ignores header parameters that change nothing', async () => {
    const token = key.sign({}, { x5t: 'abc', 'x5t#S256': 'abc', tenant: { a: [1] } });
    expect(await outcome(open(), token)).toBe('accepted');
  });

  test.each(['JWT', 'jwt', 'at+jwt', 'AT+JWT', 'application/at+jwt', 'Application/JWT', undefined])(
    'takes the type %s',
    async (typ) => {
      expect(await outcome(open(), key.sign({}, { typ }))).toBe('accepted');
    },
  );

  test.each(['logout+jwt', 'dpop+jwt', 'JOSE', '', 'text/jwt', 'application/application/jwt', 1, ['JWT'], {}])(
    'refuses the type %j',
    async (typ) => {
      expect(await outcome(open(), key.sign({}, { typ }))).toBe('token-type 401');
    },
  );

  test('refuses a plain token, and one without a type, where access tokens alone are accepted', async () => {
    const strict = open({ types: ['at+jwt'] });
    expect(await outcome(strict, key.sign({}, { typ: 'at+jwt' }))).toBe('accepted');
    expect(await outcome(strict, key.sign({}, { typ: 'JWT' }))).toBe('token-type 401');
    expect(await outcome(strict, key.sign({}, { typ: undefined }))).toBe('token-type 401');
  });

  test.each([1, null, '', {}, ['k1'], 'k'.repeat(257)])('refuses the kid %j', async (kid) => {
    expect(await outcome(open(), key.sign({}, { kid }))).toBe('token-header 401');
  });

  test('needs no kid where there is one key', async () => {
    expect(await outcome(open(), key.sign({}, { kid: undefined }))).toBe('accepted');
  });

  test.each([
    '',
    '.',
    '..',
    '...',
    'a.b.c',
    'e30.e30.',
    'e30.e30',
    'bnVsbA.bnVsbA.',
    'W10.W10.',
    ' ',
    '\0',
    '{"payload":"e30"}',
    '🙂.🙂.🙂',
  ])('refuses %j', async (text) => {
    expect(await outcome(open(), text)).toBe(text === 'e30.e30.' ? 'token-issuer 401' : 'token-malformed 401');
  });
});
