/**
 * Signed tokens that the JOSE library alone lets pass, given the right key, algorithm, issuer and audience. Each is shown to
 * pass there first: what the library refuses one day by itself may go from this list.
 */
import { generateKeyPairSync } from 'node:crypto';
import { importJWK, type JWTVerifyOptions, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Authenticator } from '../../src/authn/authenticate.ts';
import {
  authenticator,
  goodClaims,
  issuerSettings,
  type KeyServer,
  keyServer,
  NOON,
  outcome,
  type Signer,
  signer,
  signerWith,
} from '../support/token-issuer.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const HEADER = '{"alg":"ES256","kid":"k1"}';
const CLAIMS = JSON.stringify(goodClaims);
const options: JWTVerifyOptions = {
  issuer: goodClaims.iss,
  audience: 'jaaz',
  algorithms: ['ES256'],
  currentDate: new Date(NOON * 1000),
};

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

const byLibrary = async (token: string): Promise<string> => {
  try {
    await jwtVerify(token, await importJWK(key.jwk, 'ES256'), options);
    return 'accepted';
  } catch (error) {
    return String(error);
  }
};

const claims = (changes: object): string => JSON.stringify({ ...goodClaims, ...changes });
const header = (changes: object): string => JSON.stringify({ alg: 'ES256', kid: 'k1', ...changes });

describe('what the library accepts and the gateway does not', () => {
  test.each<[string, string, string, string]>([
    ['a user named twice', HEADER, CLAIMS.replace('{', '{"sub":"bob",'), 'token-malformed'],
    ['a user named twice, spelt differently', HEADER, CLAIMS.replace('{', '{"s\\u0075b":"bob",'), 'token-malformed'],
    ['an algorithm named twice', '{"alg":"none","alg":"ES256","kid":"k1"}', CLAIMS, 'token-malformed'],
    ['no expiry', HEADER, claims({ exp: undefined }), 'token-claims'],
    ['an expiry that never comes', HEADER, CLAIMS.replace(/"exp":\d+/, '"exp":1e999'), 'token-claims'],
    ['an expiry in milliseconds', HEADER, claims({ exp: NOON * 1000 }), 'token-claims'],
    ['an issue date in the future', HEADER, claims({ iat: NOON + 3600 }), 'token-not-yet-valid'],
    ['no user', HEADER, claims({ sub: undefined }), 'token-claims'],
    ['a user that is an object', HEADER, claims({ sub: { name: 'ann' } }), 'token-claims'],
    ['a user that is a number', HEADER, claims({ sub: 1 }), 'token-claims'],
    ['a user with a line break', HEADER, claims({ sub: 'ann\nx-user-id: bob' }), 'token-claims'],
    ['a user of a megabyte', HEADER, claims({ sub: 'a'.repeat(1_000_000) }), 'token-too-large'],
    ['an audience that is partly no text', HEADER, claims({ aud: ['jaaz', 1] }), 'token-claims'],
    ['an id that is a number', HEADER, claims({ jti: 1 }), 'token-claims'],
    ['a key of its own', header({ jwk: { kty: 'oct', k: 'AAAA' } }), CLAIMS, 'token-header'],
    ['the address of a key', header({ jku: 'https://attacker.test/' }), CLAIMS, 'token-header'],
    ['a certificate', header({ x5c: ['AAAA'] }), CLAIMS, 'token-header'],
    ['the type of a logout token', header({ typ: 'logout+jwt' }), CLAIMS, 'token-type'],
    ['the type of a proof of possession', header({ typ: 'dpop+jwt' }), CLAIMS, 'token-type'],
    ['the type of an introspection’s answer', header({ typ: 'token-introspection+jwt' }), CLAIMS, 'token-type'],
    ['a type that is no text', header({ typ: ['jwt'] }), CLAIMS, 'token-type'],
    ['word that it wraps another token', header({ cty: 'JWT' }), CLAIMS, 'token-header'],
    ['word that it is compressed', header({ zip: 'DEF' }), CLAIMS, 'token-header'],
    ['a key id that is a list', header({ kid: ['k1'] }), CLAIMS, 'token-header'],
    ['a key id of another key', header({ kid: 'k2' }), CLAIMS, 'token-key-unknown'],
    [
      'claims 20 levels deep',
      HEADER,
      CLAIMS.replace('{', `{"x":${'['.repeat(20)}${']'.repeat(20)},`),
      'token-malformed',
    ],
  ])('%s', async (_, head, payload, reason) => {
    const token = key.signText(head, payload);
    expect(await byLibrary(token)).toBe('accepted');
    expect(await outcome(authn, token)).toBe(`${reason} 401`);
  });

  test('a second spelling of its signature', async () => {
    const token = key.sign();
    // The last letter of 64 bytes has four bits that stand for nothing.
    const last = ALPHABET.indexOf(token.at(-1) ?? '');
    const spellings = [`${token} `, `${token.slice(0, -1)}${ALPHABET[last + 1]}`];
    for (const spelling of spellings) {
      expect(await byLibrary(spelling)).toBe('accepted');
      expect(await outcome(authn, spelling)).toBe('token-malformed 401');
    }
  });
});

test('what the library answers with an error of the programmer’s is a refusal here, never a 500', async () => {
  const weak = signerWith(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey, 'weak', 'RS256');
  const imported = await importJWK(weak.jwk, 'RS256');
  const verifying = jwtVerify(weak.sign(), imported, { ...options, algorithms: ['RS256'] });
  await expect(verifying).rejects.toThrow(TypeError);
  const strong = await signer('strong', 'RS256');
  const keys = await keyServer(weak.jwk, strong.jwk);
  const weakly = authenticator([issuerSettings(keys.url, { algorithms: ['RS256'] })]);
  expect(await outcome(weakly, strong.sign())).toBe('accepted');
  expect(await outcome(weakly, weak.sign())).toBe('token-key-weak 401');
  weakly.close();
  await keys.close();
});
