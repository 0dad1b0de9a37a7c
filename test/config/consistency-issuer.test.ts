import { describe, expect, test } from 'vitest';
import { configFile } from '../support/config-file.ts';

const { configOf, faultsOf, issuer, keys } = configFile();

describe('an issuer', () => {
  test('of which nothing is accepted is a fault, and so is a token for nobody', () => {
    expect(faultsOf(issuer('audience: jaaz'))).toEqual([
      'nothing of this issuer could be accepted (expected keys, introspection or login)',
    ]);
    expect(faultsOf(issuer('keys: { url: https://i/keys }'))).toEqual([
      'missing key "audience" (expected whom a token must be meant for)',
    ]);
  });

  test('of which something is judged by nothing that is written is a fault', () => {
    const judged = (expected: string) => `nothing of this issuer is judged by it (expected ${expected})`;
    const login = 'login: { client-id: x }';
    expect(faultsOf(issuer(`${login}, audience: jaaz, algorithms: [ES256], types: [jwt]`))).toEqual([
      judged('keys or introspection beside it'),
      judged('keys beside it, or login.algorithms'),
      judged('keys beside it'),
    ]);
    const introspection = 'introspection: { url: https://i/ask, client-id: x, client-secret: y }';
    expect(faultsOf(issuer(`${introspection}, audience: jaaz, algorithms: [ES256]`))).toEqual([
      judged('keys beside it'),
    ]);
    expect(faultsOf(issuer(`${keys}, ${login}, types: [jwt], algorithms: [ES256]`))).toEqual([]);
  });

  test('has a secret in a variable of its own', () => {
    const two = (...given: readonly string[]) =>
      `issuers: [{ name: corp, issuer: https://a, ${given[0]} }, { name: corp-client, issuer: https://b, ${given[1]} }]\n`;
    const secret = `audience: jaaz, keys: { secret: ${'s'.repeat(32)} }`;
    expect(faultsOf(two('login: { client-id: x, client-secret: y }', secret))).toEqual([
      'a secret of issuers[0] is read from the same variable, JAAZ_GATEWAY_ISSUER_CORP_CLIENT_SECRET (expected another name)',
    ]);
    expect(faultsOf(two('login: { client-id: x }', secret))).toEqual([]);
  });

  test('is not called like the service accounts', () => {
    expect(faultsOf(`issuers: [{ name: service, issuer: https://i, ${keys} }]\n`)).toEqual([
      'this is the alias of the service accounts, whose keys the gateway makes itself (found service, expected another)',
    ]);
  });

  test('that lets in some tenants says which claim names them', () => {
    expect(faultsOf(issuer(`${keys}, tenants: [acme]`))).toEqual([
      'nobody would be let in: no claim names the tenant of a user (expected a claims.tenant beside it)',
    ]);
  });

  test('maps roles, names tenants and says which are accepted', () => {
    const more = `${keys}, claims: { user: email, roles: /realm/roles, tenant: org }, roles: { jaaz-admins: admin }, tenants: [acme]`;
    expect(configOf(issuer(more)).issuers[0]).toMatchObject({
      claims: { user: 'email', roles: '/realm/roles', tenant: 'org' },
      roleMap: new Map([['jaaz-admins', 'admin']]),
      tenants: new Set(['acme']),
    });
  });
});
