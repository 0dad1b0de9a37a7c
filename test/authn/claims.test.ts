import { describe, expect, test } from 'vitest';
import { claimsJudge, personReader, principalOf } from '../../src/authn/claims.ts';
import type { IssuerSettings } from '../../src/authn/issuer.ts';
import { goodClaims, issuerSettings, NOON, rejectionOf } from '../support/token-issuer.ts';

const judge = (claims: object, overrides: Partial<IssuerSettings> = {}) =>
  claimsJudge(issuerSettings('', overrides))({ ...goodClaims, ...claims }, NOON * 1000);

describe('claimsJudge', () => {
  test('puts the alias before the user, whatever the user is called', () => {
    expect(judge({ sub: 'main|ann' }).owner).toBe('main|main|ann');
    expect(judge({ sub: 'Ånn 日本 🙂' }).owner).toBe('main|Ånn 日本 🙂');
  });

  test('reads the user from the configured claim', () => {
    const claims = { user: 'email', roles: undefined };
    expect(judge({ email: 'ann@x.test' }, { claims })).toMatchObject({ owner: 'main|ann@x.test', roles: [] });
  });

  test('refuses a wrong sub even where another claim names the user', async () => {
    const claims = { user: 'email', roles: undefined };
    const call = () => judge({ email: 'ann@x.test', sub: 7 }, { claims });
    expect(await rejectionOf(call)).toMatchObject({ reason: 'token-claims', status: 401 });
  });

  test('follows a JSON Pointer into nested claims', () => {
    const claims = { user: '/a~1b/c~0d', roles: '/realm_access/roles' };
    const nested = { 'a/b': { 'c~d': 'ann' }, realm_access: { roles: ['admin'] } };
    expect(judge(nested, { claims })).toMatchObject({ user: 'ann', roles: ['admin'] });
    expect(judge({ 'a/b': { 'c~d': 'ann' } }, { claims })).toMatchObject({ roles: [] });
  });

  test.each([
    [undefined, []],
    ['', []],
    ['a', ['a']],
    ['a  b', ['a', 'b']],
    [[], []],
    [
      ['a', 'b c'],
      ['a', 'b c'],
    ],
  ])('reads the roles %j', (roles, expected) => {
    expect(judge({ roles }).roles).toEqual(expected);
  });

  test('takes an audience out of several, on either side', () => {
    expect(judge({ aud: ['other', 'jaaz'] }).user).toBe('ann');
    expect(judge({ aud: 'b' }, { audience: ['a', 'b'] }).user).toBe('ann');
  });

  test('tells when the authority ends, without the tolerance', () => {
    expect(judge({ exp: NOON + 0.5 }, { clockToleranceSeconds: 60 }).expiresAtMillis).toBe((NOON + 0.5) * 1000);
  });

  test.each([
    [NOON - 10, (NOON - 10) * 1000],
    [NOON - 9.5, (NOON - 9.5) * 1000],
    [undefined, undefined],
  ])('tells when the token was issued, where it says so: %s', (iat, expected) => {
    expect(judge({ iat }).issuedAtMillis).toBe(expected);
  });

  test.each([
    ['another audience', { aud: 'Jaaz' }, 'token-audience'],
    ['no audience', { aud: undefined }, 'token-audience'],
    ['no audience in the list', { aud: [] }, 'token-audience'],
    ['the end of its time now', { exp: NOON }, 'token-expired'],
    ['a beginning ahead', { nbf: NOON + 1 }, 'token-not-yet-valid'],
    ['an issue date far ahead', { iat: NOON + 61 }, 'token-not-yet-valid'],
    ['no expiry', { exp: undefined }, 'token-claims'],
    ['an empty user', { sub: '' }, 'token-claims'],
    ['a user of 256 characters', { sub: 'a'.repeat(256) }, 'token-claims'],
    ['more roles than any user has', { roles: Array.from({ length: 257 }, String) }, 'token-claims'],
  ])('refuses %s', async (_name, claims, reason) => {
    expect(await rejectionOf(() => judge(claims))).toMatchObject({ reason, status: 401 });
  });

  test('takes what the tolerance allows and no more', async () => {
    const tolerant = { clockToleranceSeconds: 5 };
    expect(judge({ exp: NOON - 4.9, nbf: NOON + 5, iat: NOON + 65 }, tolerant).user).toBe('ann');
    expect(await rejectionOf(() => judge({ exp: NOON - 5 }, tolerant))).toMatchObject({ reason: 'token-expired' });
    expect(await rejectionOf(() => judge({ nbf: NOON + 5.1 }, tolerant))).toMatchObject({
      reason: 'token-not-yet-valid',
    });
  });
});

describe('who somebody is', () => {
  const claims = { user: 'sub', roles: 'groups', tenant: '/org/id' };

  test('has a tenant where a claim names one', () => {
    const nested = { org: { id: 'acme' } };
    expect(judge(nested, { claims })).toMatchObject({ tenant: 'acme' });
    expect(judge({}, { claims })).toMatchObject({ tenant: undefined });
    expect(judge({ tenant: 'acme' }).tenant).toBeUndefined();
  });

  test.each([7, '', ['acme'], 'a\u0000b', null])('refuses the tenant %j', async (id) => {
    expect(await rejectionOf(() => judge({ org: { id } }, { claims }))).toMatchObject({ reason: 'token-claims' });
  });

  test('is let in from the tenants that are listed, and from no other', async () => {
    const tenants = new Set(['acme']);
    expect(judge({ org: { id: 'acme' } }, { claims, tenants }).user).toBe('ann');
    for (const org of [{ id: 'Acme' }, { id: 'evil' }, {}, undefined])
      expect(await rejectionOf(() => judge({ org }, { claims, tenants }))).toMatchObject({
        reason: 'tenant-refused',
        status: 403,
      });
  });

  test('has the roles of here, and none that nobody has named', () => {
    const roleMap = new Map([
      ['jaaz-admins', 'admin'],
      ['owners', 'admin'],
    ]);
    const groups = ['jaaz-admins', 'owners', 'admin', 'constructor'];
    expect(judge({ groups }, { claims, roleMap }).roles).toEqual(['admin']);
    expect(judge({}, { claims, roleMap }).roles).toEqual([]);
  });

  test('is read the same out of the claims of a login', () => {
    const read = personReader(issuerSettings('', { claims }));
    expect(read({ sub: 'ann', groups: 'a b', org: { id: 'acme' } })).toEqual({
      user: 'ann',
      roles: ['a', 'b'],
      tenant: 'acme',
    });
  });

  test('cannot be changed once it is a principal', () => {
    const person = { user: 'ann', roles: ['a'], tenant: undefined };
    const principal = principalOf('main', person, { issuedAtMillis: 1, expiresAtMillis: 2, sessionId: 's' });
    expect(principal).toMatchObject({ owner: 'main|ann', sessionId: 's', tokenId: undefined, expiresAtMillis: 2 });
    expect(Object.isFrozen(principal) && Object.isFrozen(principal.roles)).toBe(true);
  });
});
