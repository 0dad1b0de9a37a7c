/** The token chooses its algorithm: none, an HMAC keyed with the public key, or one that the issuer does not use. */
import { createHmac, createPublicKey } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Authenticator } from '../../src/authn/authenticate.ts';
import {
  authenticator,
  base64url,
  goodClaims,
  issuerSettings,
  type KeyServer,
  keyServer,
  outcome,
  type Signer,
  signer,
  signerWith,
} from '../support/token-issuer.ts';

describe('a token that chooses its algorithm', () => {
  let rsa: Signer;
  let ec: Signer;
  let server: KeyServer;
  let authn: Authenticator;
  beforeAll(async () => {
    rsa = await signer('rsa', 'RS256');
    ec = await signer('ec', 'ES256');
    const { alg: _alg, ...anyRsa } = rsa.jwk;
    server = await keyServer(anyRsa, ec.jwk, { kty: 'oct', kid: 'oct', k: base64url('a published secret'.repeat(4)) });
    authn = authenticator([issuerSettings(server.url, { algorithms: ['RS256', 'ES256'] })]);
  });
  afterAll(async () => {
    authn.close();
    await server.close();
  });
  const unsigned = (header: object) => `${base64url(JSON.stringify(header))}.${base64url(JSON.stringify(goodClaims))}.`;
  const hmac = (header: object, key: string | Buffer): string => {
    const input = unsigned(header).slice(0, -1);
    return `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`;
  };

  test('is accepted with the issuer’s own algorithms', async () => {
    expect(await outcome(authn, rsa.sign())).toBe('accepted');
    expect(await outcome(authn, ec.sign())).toBe('accepted');
  });

  test.each(['none', 'None', 'NONE', 'nOnE', '', 'null', undefined, null, 0, ['RS256'], { alg: 'RS256' }])(
    'is refused with alg %j and no signature',
    async (alg) => {
      expect(await outcome(authn, unsigned({ alg, kid: 'rsa' }))).toBe('token-algorithm 401');
      expect(await outcome(authn, rsa.sign({}, { alg }))).toBe('token-algorithm 401');
    },
  );

  test('is refused with a listed alg and no signature', async () => {
    expect(await outcome(authn, unsigned({ alg: 'RS256', kid: 'rsa' }))).toBe('token-signature 401');
  });

  test('is refused when the public key served as the secret of an HMAC', async () => {
    const publicKey = createPublicKey(rsa.privateKey);
    const spellings = [
      publicKey.export({ type: 'spki', format: 'pem' }),
      publicKey.export({ type: 'spki', format: 'der' }),
      publicKey.export({ type: 'pkcs1', format: 'pem' }),
      JSON.stringify(rsa.jwk),
      Buffer.from(rsa.jwk.n ?? '', 'base64url'),
    ];
    for (const secret of spellings) {
      expect(await outcome(authn, hmac({ alg: 'HS256', kid: 'rsa' }, secret))).toBe('token-algorithm 401');
      expect(await outcome(authn, hmac({ alg: 'RS256', kid: 'rsa' }, secret))).toBe('token-signature 401');
    }
  });

  test('is refused with a secret that stands in the key set', async () => {
    const secret = 'a published secret'.repeat(4);
    expect(await outcome(authn, hmac({ alg: 'HS256', kid: 'oct' }, secret))).toBe('token-algorithm 401');
    expect(await outcome(authn, hmac({ alg: 'RS256', kid: 'oct' }, secret))).toBe('token-key-unknown 401');
  });

  test('is refused with an algorithm that is sound but not the issuer’s', async () => {
    for (const algorithm of ['PS256', 'RS512', 'RS384']) {
      const token = signerWith(rsa.privateKey, 'rsa', algorithm).sign();
      expect(await outcome(authn, token)).toBe('token-algorithm 401');
    }
  });

  test('is refused when its alg is not that of the key it names', async () => {
    expect(await outcome(authn, ec.sign({}, { kid: 'rsa' }))).toBe('token-algorithm 401');
    expect(await outcome(authn, rsa.sign({}, { kid: 'ec' }))).toBe('token-algorithm 401');
    expect(await outcome(authn, rsa.sign({}, { alg: 'ES256', kid: 'ec' }))).toBe('token-signature 401');
  });

  test('is refused by an issuer with a secret unless it is HS256', async () => {
    const secret = 'a secret of 32 bytes, or of more';
    const shared = authenticator([issuerSettings('', { algorithms: ['HS256'], keys: { secret } })]);
    expect(await outcome(shared, hmac({ alg: 'HS256' }, secret))).toBe('accepted');
    for (const alg of ['none', 'HS384', 'HS512', 'RS256', 'hs256']) {
      expect(await outcome(shared, hmac({ alg }, secret))).toBe('token-algorithm 401');
    }
  });
});
