/** The token brings its own key, or the address of one: jwk, jku, x5u, x5c. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
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

describe('a token that brings its own key', () => {
  let real: Signer;
  let forged: Signer;
  let server: KeyServer;
  let authn: Authenticator;
  beforeAll(async () => {
    real = await signer('k1');
    forged = await signer('k1');
    server = await keyServer(real.jwk);
    authn = authenticator([issuerSettings(server.url)]);
  });
  afterAll(async () => {
    authn.close();
    await server.close();
  });

  test.each(['jwk', 'jku', 'x5u', 'x5c'])('is refused for %s alone, even signed by the issuer', async (name) => {
    expect(await outcome(authn, real.sign())).toBe('accepted');
    for (const value of [null, '', forged.jwk, [], 'https://attacker.test/keys']) {
      expect(await outcome(authn, real.sign({}, { [name]: value }))).toBe('token-header 401');
    }
  });

  test('is refused with the forger’s key in jwk', async () => {
    expect(await outcome(authn, forged.sign({}, { jwk: forged.jwk }))).toBe('token-header 401');
    expect(await outcome(authn, forged.sign())).toBe('token-signature 401');
  });

  test('makes the gateway fetch nothing', async () => {
    let hits = 0;
    const attacker = createServer((_request, response) => {
      hits += 1;
      response.end(JSON.stringify({ keys: [forged.jwk] }));
    });
    await new Promise<void>((resolve) => {
      attacker.listen(0, '127.0.0.1', resolve);
    });
    const url = `http://127.0.0.1:${(attacker.address() as AddressInfo).port}/keys`;
    for (const name of ['jku', 'x5u']) {
      expect(await outcome(authn, forged.sign({}, { [name]: url, kid: 'unheard-of' }))).toBe('token-header 401');
    }
    expect(await outcome(authn, forged.sign({ iss: url }))).toBe('token-issuer 401');
    expect(await outcome(authn, forged.sign({}, { kid: url }))).toBe('token-key-unknown 401');
    expect(hits).toBe(0);
    attacker.close();
  });
});
