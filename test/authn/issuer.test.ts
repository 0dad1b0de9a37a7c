import { describe, expect, test } from 'vitest';
import { checkIssuers, type IssuerSettings, settingsDigest } from '../../src/authn/issuer.ts';

const good: IssuerSettings = {
  name: 'main',
  issuer: 'https://issuer.test/',
  audience: 'jaaz',
  algorithms: ['RS256', 'ES256'],
  keys: { url: 'https://issuer.test/keys' },
  claims: { user: 'sub', roles: undefined },
  types: ['jwt'],
  clockToleranceSeconds: 0,
};
const LOGIN = {
  title: 'T',
  clientId: 'c',
  clientSecret: undefined,
  scopes: ['openid'],
  algorithms: ['RS256'],
  userinfo: false,
  graceMillis: 0,
};
const INTROSPECTION = { url: 'https://i/x', clientId: 'c', clientSecret: 's', maxAgeMillis: 1 };
const secret = { secret: 's'.repeat(32) };

describe('checkIssuers', () => {
  test.each<[string, Partial<IssuerSettings>]>([
    ['public keys behind an URL', {}],
    ['public keys in a file', { keys: { file: 'keys.json' } }],
    ['a secret of 32 bytes', { keys: secret, algorithms: ['HS256'] }],
    ['a secret of 32 bytes in fewer letters', { keys: { secret: 'é'.repeat(16) }, algorithms: ['HS256'] }],
    ['an alias of 32 letters', { name: 'a'.repeat(32) }],
    ['the largest tolerance', { clockToleranceSeconds: 600 }],
    ['people who log in, and no tokens', { keys: undefined, audience: [], login: LOGIN }],
    ['opaque tokens alone', { keys: undefined, introspection: INTROSPECTION }],
  ])('accepts %s', (_name, change) => {
    expect(() => checkIssuers([{ ...good, ...change }])).not.toThrow();
  });

  test.each<[string, Partial<IssuerSettings>, string]>([
    // An owner is `<alias>|<user>`: with a bar in the alias, two users could be one owner.
    ['a bar in the alias', { name: 'main|ann' }, 'alias'],
    ['a line after the alias', { name: 'main\n' }, 'alias'],
    ['an alias of 33 letters', { name: 'a'.repeat(33) }, 'alias'],
    ['no alias', { name: '' }, 'alias'],
    ['an empty issuer', { issuer: '' }, 'empty issuer'],
    ['an empty audience', { audience: '' }, 'audience'],
    ['no audience', { audience: [] }, 'audience'],
    ['no audience for opaque tokens', { keys: undefined, audience: [], introspection: INTROSPECTION }, 'audience'],
    ['nothing that could be accepted', { keys: undefined }, 'neither keys nor introspection nor a login'],
    ['the alias of the service accounts', { name: 'service' }, 'service accounts'],
    ['an empty claim for the tenant', { claims: { user: 'sub', roles: undefined, tenant: '' } }, 'claim'],
    ['an empty audience among others', { audience: ['jaaz', ''] }, 'audience'],
    ['an empty claim for the user', { claims: { user: '', roles: undefined } }, 'claim'],
    ['an empty claim for the roles', { claims: { user: 'sub', roles: '' } }, 'claim'],
    ['no type', { types: [] }, 'type'],
    ['a negative tolerance', { clockToleranceSeconds: -1 }, 'tolerance'],
    ['a tolerance of more than ten minutes', { clockToleranceSeconds: 601 }, 'tolerance'],
    ['a tolerance that is no number', { clockToleranceSeconds: Number.NaN }, 'tolerance'],
    ['no algorithm', { algorithms: [] }, 'no algorithm'],
    ['no signature at all', { algorithms: ['none'] }, 'none'],
    // RFC 8725 section 2.1: everybody has the public key, so everybody could sign with it.
    ['a public key as the secret of an HMAC', { algorithms: ['RS256', 'HS256'] }, 'HS256'],
    ['a secret beside another algorithm', { keys: secret, algorithms: ['HS256', 'RS256'] }, 'only algorithm'],
    ['a secret of 31 bytes', { keys: { secret: 's'.repeat(31) }, algorithms: ['HS256'] }, '32 bytes'],
  ])('refuses %s', (_name, change, found) => {
    const check = () => checkIssuers([{ ...good, ...change }]);
    expect(check).toThrow(TypeError);
    expect(check).toThrow(found);
  });

  test('never says a secret', () => {
    const keys = { secret: 'too-short-a-secret' };
    expect(() => checkIssuers([{ ...good, keys, algorithms: ['HS256'] }])).toThrow(/^((?!too-short).)*$/);
  });

  test('refuses two issuers under one alias, and one issuer under two', () => {
    const other = { ...good, name: 'other', issuer: 'https://other.test/' };
    expect(() => checkIssuers([good, other])).not.toThrow();
    expect(() => checkIssuers([good, { ...other, name: 'main' }])).toThrow('alias "main"');
    expect(() => checkIssuers([good, { ...other, issuer: good.issuer }])).toThrow('called "https://issuer.test/"');
  });
});

test('settings that differ have different digests, in what JSON has no words for too', () => {
  const settings = { ...good, roleMap: new Map([['a', 'b']]), tenants: new Set(['t']) };
  expect(settingsDigest(settings)).toBe(settingsDigest({ ...settings }));
  const others = [
    { ...settings, roleMap: new Map([['a', 'c']]) },
    { ...settings, tenants: new Set(['u']) },
    { ...settings, audience: 'another' },
  ];
  expect(new Set([settings, ...others].map(settingsDigest)).size).toBe(4);
});
