import { describe, expect, test } from 'vitest';
import { configFile } from '../support/config-file.ts';

const { configOf, faultsOf, issuer } = configFile();

describe('a login', () => {
  test('needs a client id, and nothing else', () => {
    expect(configOf(issuer('login: { client-id: gateway }')).issuers[0]).toMatchObject({
      audience: [],
      keys: undefined,
      login: {
        title: 'corp',
        clientId: 'gateway',
        clientSecret: undefined,
        scopes: ['openid', 'profile'],
        algorithms: ['RS256'],
        userinfo: false,
        graceMillis: 300_000,
      },
    });
  });

  test('says everything that it can', () => {
    const login =
      'login: { title: T, client-id: c, client-secret: s, scopes: [openid, email], algorithms: [ES256], userinfo: true, grace: 0s }';
    expect(configOf(issuer(login)).issuers[0]?.login).toEqual({
      title: 'T',
      clientId: 'c',
      clientSecret: 's',
      scopes: ['openid', 'email'],
      algorithms: ['ES256'],
      userinfo: true,
      graceMillis: 0,
    });
  });

  test('takes its secret from the environment first', () => {
    const variables = { JAAZ_GATEWAY_ISSUER_CORP_CLIENT_SECRET: 'e' };
    expect(configOf(issuer('login: { client-id: c, client-secret: f }'), variables).issuers[0]?.login).toMatchObject({
      clientSecret: 'e',
    });
    expect(faultsOf(issuer('login: { client-id: c, client-secret: env }'))).toEqual([
      'the environment holds no secret (expected the variable JAAZ_GATEWAY_ISSUER_CORP_CLIENT_SECRET)',
    ]);
  });

  test.each([
    ['login: {}', /missing key "login.client-id"|missing key "client-id"|client-id/],
    ['login: { client-id: c, scopes: [profile] }', /openid/],
    ['login: { client-id: c, algorithms: [HS256] }', /algorithms/],
    ['login: { client-id: c, grace: 25h }', /from 0s to 24h/],
    ['login: { client-id: c, secret: x }', /unknown key "secret"/],
  ])('is refused: %s', (more, fault) => {
    const faults = faultsOf(issuer(more));
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(fault);
  });

  test('is not found by a name that is no address, nor in clear over a network', () => {
    for (const name of ['urn:corp', 'http://login.example.com'])
      expect(faultsOf(`issuers: [{ name: corp, issuer: '${name}', login: { client-id: c } }]\n`)).toEqual([
        `a provider where people log in is found by its issuer (found "${name}", expected an https URL, or http on this machine, without a user or password)`,
      ]);
    expect(faultsOf('issuers: [{ name: corp, issuer: http://localhost:1, login: { client-id: c } }]\n')).toEqual([]);
  });
});
