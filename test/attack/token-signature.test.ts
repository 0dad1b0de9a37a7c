/** The signature is missing, borrowed, in another form, or spelt in another way. */
import { sign } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Authenticator } from '../../src/authn/authenticate.ts';
import {
  authenticator,
  base64url,
  issuerSettings,
  type KeyServer,
  keyServer,
  outcome,
  type Signer,
  signer,
} from '../support/token-issuer.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

describe('a token with a wrong signature', () => {
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
  const parts = (claims: object = {}): [string, string, string] => {
    const [header = '', payload = '', signature = ''] = key.sign({ ...claims }).split('.');
    return [header, payload, signature];
  };

  test('is refused without one, cut, lengthened, or changed in any byte', async () => {
    const [header, payload, signature] = parts();
    const bytes = Buffer.from(signature, 'base64url');
    const changed = Array.from(bytes.keys(), (index) => {
      const copy = Buffer.from(bytes);
      copy[index] = (copy[index] ?? 0) ^ 1;
      return copy;
    });
    const wrong = [Buffer.alloc(0), bytes.subarray(1), bytes.subarray(0, 32), Buffer.concat([bytes, bytes])];
    for (const attempt of [...wrong, ...changed]) {
      expect(await outcome(authn, `${header}.${payload}.${base64url(attempt)}`)).toBe('token-signature 401');
    }
  });

  test('is refused with zeros, which broken ECDSA takes for anybody’s (CVE-2022-21449)', async () => {
    const [header, payload] = parts();
    expect(await outcome(authn, `${header}.${payload}.${base64url(Buffer.alloc(64))}`)).toBe('token-signature 401');
  });

  test('is refused with a valid signature in DER', async () => {
    const [header, payload] = parts();
    const der = sign('sha256', Buffer.from(`${header}.${payload}`), key.privateKey);
    expect(await outcome(authn, `${header}.${payload}.${base64url(der)}`)).toBe('token-signature 401');
  });

  test('is refused with the signature of another token, or of another key of the same name', async () => {
    const [header, payload] = parts();
    const [, otherPayload, otherSignature] = parts({ sub: 'bob' });
    const forger = await signer('k1');
    expect(await outcome(authn, `${header}.${payload}.${otherSignature}`)).toBe('token-signature 401');
    expect(await outcome(authn, `${header}.${otherPayload}.${otherSignature}`)).toBe('accepted');
    expect(await outcome(authn, forger.sign())).toBe('token-signature 401');
  });

  test('is refused in a second spelling of the same bytes', async () => {
    const [header, payload, signature] = parts();
    const last = signature.at(-1) ?? '';
    const respelt = `${signature.slice(0, -1)}${ALPHABET[ALPHABET.indexOf(last) + 1]}`;
    expect(Buffer.from(respelt, 'base64url')).toEqual(Buffer.from(signature, 'base64url'));
    const spellings = [respelt, `${signature}=`, `${signature}==`, `${signature}\n`, `${signature} `, `${signature}!`];
    for (const spelling of spellings) {
      expect(await outcome(authn, `${header}.${payload}.${spelling}`)).toBe('token-malformed 401');
    }
    expect(await outcome(authn, `${header}=.${payload}.${signature}`)).toBe('token-malformed 401');
    expect(await outcome(authn, `${header}.${payload}\n.${signature}`)).toBe('token-malformed 401');
    expect(await outcome(authn, ` ${header}.${payload}.${signature}`)).toBe('token-malformed 401');
    expect(await outcome(authn, `${header}.${payload}.${signature}`)).toBe('accepted');
  });

  test('is refused in the standard alphabet', async () => {
    for (let index = 0; ; index += 1) {
      const [header, payload, signature] = parts({ jti: String(index) });
      if (!/[-_]/.test(signature)) continue;
      const standard = signature.replaceAll('-', '+').replaceAll('_', '/');
      expect(await outcome(authn, `${header}.${payload}.${standard}`)).toBe('token-malformed 401');
      return;
    }
  });

  test('is refused with more or fewer than three parts, or in the JSON serialisation', async () => {
    const [header, payload, signature] = parts();
    const json = JSON.stringify({ protected: header, payload, signature });
    const wrong = [
      `${header}.${payload}`,
      `${header}.${payload}.${signature}.`,
      `${header}.${payload}.${signature}.${signature}`,
      `.${header}.${payload}.${signature}`,
      `${header}..${signature}`,
      json,
    ];
    for (const token of wrong) expect(await outcome(authn, token)).toBe('token-malformed 401');
  });
});
