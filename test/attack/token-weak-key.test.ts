/** The issuer publishes a key that can be broken: the key is not used, and the token is refused, not a 500. */
import { createHash, generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { KeyNotice } from '../../src/authn/keys.ts';
import {
  authenticator,
  base64url,
  goodClaims,
  issuerSettings,
  keyServer,
  outcome,
  type Signer,
  signer,
  signerWith,
} from '../support/token-issuer.ts';

describe('a token signed with a weak key', () => {
  const opened: { close(): unknown }[] = [];
  let strong: Signer;
  beforeAll(async () => {
    strong = await signer('strong', 'RS256');
  });
  afterEach(async () => {
    for (const thing of opened.splice(0)) await thing.close();
  });
  const weak = (modulusLength: number, publicExponent = 65_537): Signer =>
    signerWith(generateKeyPairSync('rsa', { modulusLength, publicExponent }).privateKey, 'weak', 'RS256');
  const open = async (...keys: readonly object[]) => {
    const server = await keyServer(...keys);
    const notices: KeyNotice[] = [];
    const settings = issuerSettings(server.url, { algorithms: ['RS256'] });
    const authn = authenticator([settings], { notice: (notice) => notices.push(notice) });
    opened.push(authn, server);
    return { authn, notices };
  };

  test.each([1024, 2047])('is refused: RSA of %d bits', async (bits) => {
    const key = weak(bits);
    const { authn, notices } = await open(key.jwk, strong.jwk);
    expect(await outcome(authn, strong.sign())).toBe('accepted');
    expect(await outcome(authn, key.sign())).toBe('token-key-weak 401');
    expect(notices).toContainEqual({
      issuer: 'main',
      kind: 'keys-skipped',
      detail: `"weak": an RSA key of ${bits} bits`,
    });
  });

  test('is refused: RSA with a short modulus behind leading zeros', async () => {
    const key = weak(1024);
    const padded = Buffer.concat([Buffer.alloc(128), Buffer.from(key.jwk.n ?? '', 'base64url')]);
    const { authn } = await open({ ...key.jwk, n: base64url(padded) }, strong.jwk);
    expect(await outcome(authn, key.sign())).toBe('token-key-weak 401');
  });

  test('is refused: RSA with the exponent 3', async () => {
    const key = weak(2048, 3);
    const { authn } = await open(key.jwk, strong.jwk);
    expect(await outcome(authn, key.sign())).toBe('token-key-weak 401');
  });

  test('is refused: RSA with the exponent 1, with which the padded digest is its own signature', async () => {
    const { authn } = await open({ ...strong.jwk, kid: 'weak', e: 'AQ' }, strong.jwk);
    const input = [JSON.stringify({ alg: 'RS256', kid: 'weak' }), JSON.stringify(goodClaims)].map(base64url).join('.');
    const info = Buffer.from('3031300d060960864801650304020105000420', 'hex');
    const digest = Buffer.concat([info, createHash('sha256').update(input).digest()]);
    const filling = Buffer.alloc(256 - digest.length - 3, 0xff);
    const padded = Buffer.concat([Buffer.from([0, 1]), filling, Buffer.from([0]), digest]);
    expect(await outcome(authn, `${input}.${base64url(padded)}`)).toBe('token-key-weak 401');
  });

  test.each([
    ['an even exponent', { e: base64url(Buffer.from([1, 0, 2])) }],
    ['the exponent 0', { e: 'AA' }],
    ['an endless exponent', { e: base64url(Buffer.alloc(256, 0xff)) }],
    ['an endless modulus', { n: base64url(Buffer.alloc(2048, 0xff)) }],
    ['no modulus', { n: '' }],
  ])('is refused: RSA with %s', async (_name, change) => {
    const { authn } = await open({ ...strong.jwk, kid: 'weak', ...change }, strong.jwk);
    expect(await outcome(authn, strong.sign({}, { kid: 'weak' }))).toBe('token-key-weak 401');
  });

  test('is refused as such even when the issuer has no better key, and makes the gateway unhealthy', async () => {
    const key = weak(1024);
    const { authn } = await open(key.jwk);
    expect(await outcome(authn, key.sign())).toBe('token-key-weak 401');
    expect(await outcome(authn, strong.sign())).toBe('keys-unavailable 503');
    expect(authn.healthy()).toBe(false);
  });
});
