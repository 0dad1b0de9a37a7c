import { describe, expect, test } from 'vitest';
import { configFile } from '../support/config-file.ts';

const { configOf, faultsOf, issuer } = configFile();

describe('introspection', () => {
  const INTROSPECTION = 'introspection: { url: https://i/introspect, client-id: c, client-secret: s }';

  test('has an answer remembered for half a minute unless it says otherwise', () => {
    const settings = { url: 'https://i/introspect', clientId: 'c', clientSecret: 's' };
    expect(configOf(issuer(`audience: jaaz, ${INTROSPECTION}`)).issuers[0]?.introspection).toEqual({
      ...settings,
      maxAgeMillis: 30_000,
    });
    const variables = { JAAZ_GATEWAY_ISSUER_CORP_INTROSPECTION_SECRET: 'e' };
    const shorter = INTROSPECTION.replace('client-secret: s', 'client-secret: env, max-age: 1s');
    expect(configOf(issuer(`audience: jaaz, ${shorter}`), variables).issuers[0]?.introspection).toEqual({
      ...settings,
      clientSecret: 'e',
      maxAgeMillis: 1_000,
    });
  });

  test('is of one issuer, by https, with an audience and a secret', () => {
    const two = `issuers: [{ name: a, issuer: a, audience: j, ${INTROSPECTION} }, { name: b, issuer: b, audience: j, ${INTROSPECTION} }]\n`;
    expect(faultsOf(two)).toEqual([
      'issuers[0] is asked about opaque tokens already (expected one issuer with introspection)',
    ]);
    expect(faultsOf(issuer(INTROSPECTION))).toEqual([
      'missing key "audience" (expected whom a token must be meant for)',
    ]);
    expect(faultsOf(issuer(`audience: j, ${INTROSPECTION.replace('https', 'http')}`))[0]).toMatch(/an https URL/);
    expect(faultsOf(issuer(`audience: j, ${INTROSPECTION.replace('client-secret: s', 'client-secret: env')}`))).toEqual(
      ['the environment holds no secret (expected the variable JAAZ_GATEWAY_ISSUER_CORP_INTROSPECTION_SECRET)'],
    );
  });
});
