import { beforeAll, describe, expect, test } from 'vitest';
import { readKeyDocument } from '../../src/authn/jwk.ts';
import { type Signer, signer } from '../support/token-issuer.ts';

const read = (keys: unknown, algorithms: readonly string[] = ['ES256', 'RS256']) =>
  readKeyDocument(Buffer.from(JSON.stringify({ keys })), algorithms, []);

describe('readKeyDocument', () => {
  let ec: Signer;
  let rsa: Signer;
  beforeAll(async () => {
    ec = await signer('ec');
    rsa = await signer('rsa', 'RS256');
  });

  test('takes each key for those of the issuer’s algorithms that it is made for', async () => {
    const { alg: _alg, ...unnamed } = rsa.jwk;
    const document = await read([ec.jwk, unnamed], ['ES256', 'ES384', 'RS256', 'PS256']);
    expect(document.keys.map((key) => [key.id, [...key.handles.keys()]])).toEqual([
      ['ec', ['ES256']],
      ['rsa', ['RS256', 'PS256']],
    ]);
    expect(document.skipped).toEqual([]);
  });

  test('keeps a key to the algorithm that it names', async () => {
    const document = await read([rsa.jwk], ['RS256', 'PS256']);
    expect([...(document.byId.get('rsa')?.handles.keys() ?? [])]).toEqual(['RS256']);
  });

  test.each([
    ['an encryption key', { use: 'enc' }, 'not meant for signatures'],
    ['a key that may only wrap', { key_ops: ['wrapKey'] }, 'not meant to verify'],
    ['an unknown kind', { kty: 'AKP' }, "of no use for the issuer's algorithms"],
    ['an unknown curve', { crv: 'secp256k1' }, "of no use for the issuer's algorithms"],
    ['an algorithm that the issuer does not have', { alg: 'ES512' }, "of no use for the issuer's algorithms"],
    ['a secret', { kty: 'oct', k: 'c2VjcmV0' }, 'a secret in a set of public keys'],
    ['a published private half', { d: 'AAAA' }, 'published with its private half'],
    ['a point that is not on the curve', { x: 'A'.repeat(43) }, 'cannot be imported'],
    ['a coordinate that is a number', { x: 1 }, 'its x is not a string'],
  ])('leaves out %s and says so', async (_name, change, why) => {
    const document = await read([{ ...ec.jwk, ...change }, rsa.jwk]);
    expect(document.keys.map((key) => key.id)).toEqual(['rsa']);
    expect(document.skipped).toEqual([`"ec": ${why}`]);
  });

  test('leaves out what is no key at all', async () => {
    const document = await read([null, 1, 'key', [], { ...ec.jwk, kid: 7 }, ec.jwk]);
    expect(document.keys.map((key) => key.id)).toEqual(['ec']);
    expect(document.skipped).toHaveLength(5);
  });

  test('uses neither of two different keys with one kid', async () => {
    const other = await signer('ec');
    const document = await read([ec.jwk, other.jwk, rsa.jwk]);
    expect(document.keys.map((key) => key.id)).toEqual(['rsa']);
    expect(document.skipped).toEqual(['"ec": two different keys have this kid']);
  });

  test('takes one key that is listed twice for one', async () => {
    expect((await read([ec.jwk, ec.jwk])).keys).toHaveLength(1);
  });

  test('returns the same object for a key that was there before', async () => {
    const before = await read([ec.jwk, rsa.jwk]);
    const bytes = Buffer.from(JSON.stringify({ keys: [rsa.jwk] }));
    const after = await readKeyDocument(bytes, ['ES256', 'RS256'], before.keys);
    expect(after.keys[0]).toBe(before.byId.get('rsa'));
  });

  test.each(['', '[]', '{}', '{"keys":{}}', '{"keys":null}', '<html></html>', '{"keys":[],"keys":[]}'])(
    'rejects what is no key set: %j',
    async (text) => {
      await expect(readKeyDocument(Buffer.from(text), ['ES256'], [])).rejects.toThrow();
    },
  );
});
