/** What is signed in the compact form, read and verified by itself. */
import { describe, expect, test } from 'vitest';
import { refusal } from '../../src/authn/challenge.ts';
import { readKeyDocument, type VerificationKey } from '../../src/authn/jwk.ts';
import { readSigned, verifySigned } from '../../src/authn/jws.ts';
import { base64url, rejectionOf, signer } from '../support/token-issuer.ts';

const [key, other] = [await signer('k', 'ES256'), await signer('k', 'ES256')];
const { byId } = await readKeyDocument(Buffer.from(JSON.stringify({ keys: [key.jwk] })), ['ES256'], []);
const found = byId.get('k');

const find = (_algorithm: string, kid: string | undefined): VerificationKey => {
  if (found === undefined || (kid !== undefined && kid !== 'k')) throw refusal('token-key-unknown', 'no key');
  return found;
};
const terms = { issuer: 'main', algorithms: new Set(['ES256']), types: new Set(['jwt']), keys: { find } };

const reasonOf = async (text: string): Promise<string> => {
  const { reason, cause } = await rejectionOf(() => verifySigned(readSigned(text), terms));
  expect(String(cause)).not.toContain('eyJ');
  return reason;
};

test('resolves with the key that signed, and tells header and claims', async () => {
  const token = readSigned(key.sign({ sub: 'ann' }));
  expect(token.claims).toMatchObject({ sub: 'ann' });
  expect(token.header).toMatchObject({ alg: 'ES256', kid: 'k' });
  expect(await verifySigned(token, terms)).toBe(found);
});

describe('refuses', () => {
  test.each([
    ['no parts', '', 'token-malformed'],
    ['two parts', 'e30.e30', 'token-malformed'],
    ['four parts', 'e30.e30.e30.e30', 'token-malformed'],
    ['five parts', 'e30.e30.e30.e30.e30', 'token-malformed'],
    ['a part that is not base64url', 'e30.e30.+', 'token-malformed'],
    ['a part with a second spelling', 'e30.e30.AB', 'token-malformed'],
    ['a header that is a list', `${base64url('[]')}.e30.`, 'token-malformed'],
    ['claims that name one twice', `e30.${base64url('{"a":1,"\\u0061":2}')}.`, 'token-malformed'],
    ['no algorithm', 'e30.e30.', 'token-algorithm'],
    ['none', `${base64url('{"alg":"none"}')}.e30.`, 'token-algorithm'],
    ['an algorithm that is a list', `${base64url('{"alg":["ES256"]}')}.e30.`, 'token-algorithm'],
  ])('%s', async (_name, text, reason) => {
    expect(await reasonOf(text)).toBe(reason);
  });

  test.each(['jwk', 'jku', 'x5u', 'x5c', 'crit', 'b64', 'zip', 'cty'])('a header with %s', async (name) => {
    expect(await reasonOf(key.sign({}, { [name]: 'x' }))).toBe('token-header');
  });

  test.each([7, '', 'a'.repeat(300), null])('the kid %j', async (kid) => {
    expect(await reasonOf(key.sign({}, { kid }))).toBe('token-header');
  });

  test('a kid that nobody has', async () => {
    expect(await reasonOf(key.sign({}, { kid: 'x' }))).toBe('token-key-unknown');
  });

  test.each(['at+jwt', 7, ''])('the type %j', async (typ) => {
    expect(await reasonOf(key.sign({}, { typ }))).toBe('token-type');
  });

  test('an algorithm that is not among those of the issuer, although the key would do', async () => {
    const others = { ...terms, algorithms: new Set(['ES384', 'RS256']) };
    expect((await rejectionOf(() => verifySigned(readSigned(key.sign()), others))).reason).toBe('token-algorithm');
  });

  test('a signature of another key under the same name', async () => {
    expect(await reasonOf(other.sign())).toBe('token-signature');
  });

  test('claims that were changed after signing', async () => {
    const [header, , signature] = key.sign().split('.');
    expect(await reasonOf(`${header}.${base64url('{"sub":"root"}')}.${signature}`)).toBe('token-signature');
  });
});
