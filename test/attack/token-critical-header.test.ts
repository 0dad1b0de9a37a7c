/** The header asks for processing that the reader does not do: crit, b64, zip, or a token within the token. */
import { deflateRawSync } from 'node:zlib';
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

describe('a token whose header asks for more', () => {
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

  test.each([
    [{ crit: ['b64'], b64: true }],
    [{ crit: ['b64'], b64: false }],
    [{ crit: ['exp'] }],
    [{ crit: ['http://issuer.test/unknown'], 'http://issuer.test/unknown': 1 }],
    [{ crit: [] }],
    [{ crit: null }],
    [{ b64: true }],
    [{ b64: false }],
    [{ zip: 'DEF' }],
    [{ cty: 'JWT' }],
    [{ cty: null }],
  ])('is refused: %j', async (header) => {
    expect(await outcome(authn, key.sign())).toBe('accepted');
    expect(await outcome(authn, key.sign({}, header))).toBe('token-header 401');
  });

  test('is refused with a compressed payload, announced or not', async () => {
    const deflated = deflateRawSync(JSON.stringify(goodClaims)).toString('latin1');
    for (const header of [{ zip: 'DEF' }, {}]) {
      const text = JSON.stringify({ alg: 'ES256', kid: 'k1', ...header });
      expect(await outcome(authn, key.signText(text, deflated))).toBe('token-malformed 401');
    }
  });

  test('is refused with a token as payload', async () => {
    const header = JSON.stringify({ alg: 'ES256', kid: 'k1' });
    expect(await outcome(authn, key.signText(header, key.sign()))).toBe('token-malformed 401');
    expect(await outcome(authn, key.signText(header, JSON.stringify(key.sign())))).toBe('token-malformed 401');
  });
});
