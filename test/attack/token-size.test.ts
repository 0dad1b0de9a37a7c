/** Tokens that are long, deep or full of dots, so that refusing them costs more than sending them. */
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

describe('an oversized token', () => {
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

  /** Returns a good token of exactly this length: base64url has no text of 4n+1, so two parts share the filling. */
  const ofLength = (length: number): string => {
    const filled = (inHeader: number, inClaims: number): string => {
      const header = JSON.stringify({ alg: 'ES256', kid: 'k1', fill: 'x'.repeat(inHeader) });
      return key.signText(header, JSON.stringify({ ...goodClaims, fill: 'x'.repeat(inClaims) }));
    };
    const bytes = Math.floor(((length - filled(0, 0).length) * 3) / 4);
    for (const inHeader of [0, 1, 2]) {
      for (const off of [-3, -2, -1, 0, 1]) {
        const token = filled(inHeader, bytes - inHeader + off);
        if (token.length === length) return token;
      }
    }
    throw new Error('no token of this length');
  };

  test('is accepted at 8192 characters and refused at 8193', async () => {
    expect(await outcome(authn, ofLength(8192))).toBe('accepted');
    expect(await outcome(authn, ofLength(8193))).toBe('token-too-large 401');
  });

  test.each([
    ['one letter', 'a'.repeat(16_000_000)],
    ['dots', '.'.repeat(16_000_000)],
    ['three long parts', ['a', 'a', 'a'].map((part) => part.repeat(4_000_000)).join('.')],
  ])('is refused before it is digested or read: %s', async (_name, token) => {
    const before = process.cpuUsage();
    for (let round = 0; round < 1000; round += 1) {
      expect(() => authn.verify(token)).toThrow('too long');
    }
    const { user, system } = process.cpuUsage(before);
    // A thousand digests of 12 MB would take minutes.
    expect(user + system).toBeLessThan(5_000_000);
  });

  test('is refused when it consists of dots', async () => {
    expect(await outcome(authn, '.'.repeat(8192))).toBe('token-malformed 401');
  });

  test('is refused when it is nested deeply, in arrays or objects, in header or claims', async () => {
    const header = '{"alg":"ES256","kid":"k1"}';
    const claims = JSON.stringify(goodClaims);
    const arrays = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;
    const objects = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
    expect(await outcome(authn, key.signText(header, claims.replace('{', `{"x":${arrays(15)},`)))).toBe('accepted');
    for (const deep of [arrays(16), arrays(2800), objects(16), objects(900)]) {
      expect(await outcome(authn, key.signText(header, claims.replace('{', `{"x":${deep},`)))).toBe(
        'token-malformed 401',
      );
      expect(await outcome(authn, key.signText(header.replace('{', `{"x":${deep},`), claims))).toBe(
        'token-malformed 401',
      );
    }
  });
});
