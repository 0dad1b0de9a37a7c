/** A signed token of the right issuer that was made for something else: to log in, to log out, to prove, to be forwarded. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Authenticator } from '../../src/authn/authenticate.ts';
import {
  authenticator,
  issuerSettings,
  type KeyServer,
  keyServer,
  outcome,
  type Signer,
  signer,
} from '../support/token-issuer.ts';

const LOGOUT = { 'http://schemas.openid.net/event/backchannel-logout': {} };

describe('a token that was made for something else', () => {
  let key: Signer;
  let server: KeyServer;
  let authn: Authenticator;
  let strict: Authenticator;
  beforeAll(async () => {
    key = await signer('k1');
    server = await keyServer(key.jwk);
    authn = authenticator([issuerSettings(server.url)]);
    strict = authenticator([issuerSettings(server.url, { types: ['at+jwt'] })]);
  });
  afterAll(async () => {
    authn.close();
    strict.close();
    await server.close();
  });

  test.each([
    'logout+jwt',
    'LOGOUT+JWT',
    'application/logout+jwt',
    'secevent+jwt',
    'dpop+jwt',
    'token-introspection+jwt',
    'oauth-authz-req+jwt',
    'id_token',
    'jwt ',
    'at+jwt,jwt',
    'application/application/jwt',
    'text/jwt',
    'jwe',
    '',
  ])('is refused by its type: %j', async (typ) => {
    expect(await outcome(authn, key.sign({}, { typ }))).toBe('token-type 401');
  });

  test.each([null, 1, true, {}, [], ['jwt']])('is refused with a type that is no text: %j', async (typ) => {
    expect(await outcome(authn, key.sign({}, { typ }))).toBe('token-type 401');
  });

  test.each(['JWT', 'at+jwt', 'AT+JWT', 'application/at+jwt', undefined])(
    'is not meant by the type %j',
    async (typ) => {
      expect(await outcome(authn, key.sign({}, { typ }))).toBe('accepted');
    },
  );

  test('is refused where nothing but an access token by its type is taken (RFC 9068)', async () => {
    expect(await outcome(strict, key.sign({}, { typ: 'at+jwt' }))).toBe('accepted');
    for (const typ of ['JWT', undefined]) expect(await outcome(strict, key.sign({}, { typ }))).toBe('token-type 401');
  });

  test('is refused by its audience where it has no type of its own: an ID token and a logout token name the client', async () => {
    const id = { aud: 'gateway-client', nonce: 'n', at_hash: 'x' };
    const logout = { aud: 'gateway-client', events: LOGOUT, sid: 's' };
    for (const claims of [id, logout, { aud: 'https://upstream.test/' }]) {
      expect(await outcome(authn, key.sign(claims))).toBe('token-audience 401');
      expect(await outcome(strict, key.sign(claims))).toBe('token-type 401');
    }
  });
});
