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
