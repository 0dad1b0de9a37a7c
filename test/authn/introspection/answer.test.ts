import { describe, expect, test } from 'vitest';
import { answerJudge } from '../../../src/authn/introspection/answer.ts';
import type { IssuerSettings } from '../../../src/authn/issuer.ts';
import { activeClaims, opaqueIssuer } from '../../support/introspection-server.ts';
import { NOON, rejectionOf } from '../../support/token-issuer.ts';

const NOW = NOON * 1000;
const judge = (more: object = {}, settings: Partial<IssuerSettings> = {}, latestMillis = NOW + 30_000) =>
  answerJudge(opaqueIssuer('http://127.0.0.1/', settings))({ ...activeClaims, ...more }, NOW, latestMillis);

test('a good answer says whose the token is, by the claims that the issuer’s signed tokens would have', () => {
  const settings = {
    claims: { user: '/user/id', roles: 'scope', tenant: 'org' },
    roleMap: new Map([['jaaz:admin', 'admin']]),
    tenants: new Set(['acme']),
  };
  const answer = { user: { id: 'u1' }, scope: 'openid jaaz:admin', org: 'acme', jti: 't1' };
  expect(judge(answer, settings)).toEqual({
    ...{ owner: 'main|u1', issuer: 'main', user: 'u1', roles: ['admin'], tenant: 'acme' },
    ...{ tokenId: 't1', sessionId: undefined },
    ...{ issuedAtMillis: (NOON - 10) * 1000, expiresAtMillis: NOW + 30_000 },
  });
});

describe('the authority ends', () => {
  test.each([
    ['when the answer is too old, where the token lasts longer', NOON + 3600, NOW + 30_000],
    ['with the token, where that is sooner', NOON + 10, NOW + 10_000],
    ['when the answer is too old, where nothing is said', undefined, NOW + 30_000],
  ])('%s', (_, exp, expected) => {
    expect(judge({ exp }).expiresAtMillis).toBe(expected);
  });
});

test.each(['Bearer', 'bearer', 'BEARER'])('the type %s is fine, as none is, and as the issuer’s name is', (type) => {
  expect(judge({ token_type: type, iss: 'https://issuer.test/' }).owner).toBe('main|ann');
});

describe('is refused', () => {
  test.each<[object, string]>([
    [{ active: false }, 'token-inactive 401'],
    [{ iss: 'https://other.test/' }, 'token-issuer 401'],
    [{ iss: 'https://issuer.test' }, 'token-issuer 401'],
    [{ iss: null }, 'token-issuer 401'],
    [{ iss: ['https://issuer.test/'] }, 'token-issuer 401'],
    [{ token_type: 'DPoP' }, 'token-type 401'],
    [{ token_type: 'N_A' }, 'token-type 401'],
    [{ token_type: ['Bearer'] }, 'token-type 401'],
    [{ token_type: null }, 'token-type 401'],
    [{ aud: undefined }, 'token-audience 401'],
    [{ aud: 'another' }, 'token-audience 401'],
    [{ aud: [] }, 'token-audience 401'],
    [{ aud: [1, 'jaaz'] }, 'token-claims 401'],
    [{ exp: NOON }, 'token-expired 401'],
    [{ exp: '1790000300' }, 'token-claims 401'],
    [{ exp: Number.POSITIVE_INFINITY }, 'token-claims 401'],
    [{ nbf: NOON + 1 }, 'token-not-yet-valid 401'],
    [{ iat: NOON + 61 }, 'token-not-yet-valid 401'],
    [{ sub: undefined }, 'token-claims 401'],
    [{ sub: 7 }, 'token-claims 401'],
    [{ sub: 'a\nb' }, 'token-claims 401'],
    [{ jti: 1 }, 'token-claims 401'],
    [{ roles: { admin: true } }, 'token-claims 401'],
  ])('%j: %s', async (more, expected) => {
    const { reason, status } = await rejectionOf(() => judge(more));
    expect(`${reason} ${status}`).toBe(expected);
  });

  test('a tenant that has no access', async () => {
    const settings = { claims: { user: 'sub', roles: undefined, tenant: 'org' }, tenants: new Set(['acme']) };
    expect(await rejectionOf(() => judge({ org: 'other' }, settings))).toMatchObject({ reason: 'tenant-refused' });
  });
});
