/** A verdict that was reached for one token, issuer, configuration or route is used for another. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Authenticator } from '../../src/authn/authenticate.ts';
import {
  authenticator,
  base64url,
  goodClaims,
  issuerSettings,
  type KeyServer,
  keyServer,
  match,
  outcome,
  rejectionOf,
  request,
  type Signer,
  signer,
} from '../support/token-issuer.ts';

const SECOND = 'https://second.test/';

describe('a remembered verdict', () => {
  let key: Signer;
  let server: KeyServer;
  let authn: Authenticator;
  let token: string;
  beforeAll(async () => {
    // One key for two issuers: only what was said of the token keeps them apart.
    key = await signer('k1');
    server = await keyServer(key.jwk);
    authn = authenticator([
      issuerSettings(server.url),
      issuerSettings(server.url, { name: 'second', issuer: SECOND, audience: 'jaaz-two' }),
    ]);
    token = key.sign();
    await authn.verify(token);
  });
  afterAll(async () => {
    authn.close();
    await server.close();
  });

  test('is there at all', () => {
    expect(authn.verify(token)).toMatchObject({ owner: 'main|ann' });
  });

  test('does not serve the same signature under other claims', async () => {
    const [header, , signature] = token.split('.');
    for (const change of [{ sub: 'bob' }, { iss: SECOND }, { iss: SECOND, aud: 'jaaz-two' }, { roles: 'admin' }]) {
      const payload = base64url(JSON.stringify({ ...goodClaims, ...change }));
      expect(await outcome(authn, `${header}.${payload}.${signature}`)).toBe('token-signature 401');
    }
  });

  test('does not serve the same user of the other issuer', async () => {
    const other = key.sign({ iss: SECOND, aud: 'jaaz-two' });
    for (let round = 0; round < 2; round += 1) {
      expect(await authn.verify(other)).toMatchObject({ owner: 'second|ann' });
      expect(await authn.verify(token)).toMatchObject({ owner: 'main|ann' });
    }
  });

  test('does not serve another spelling of its token', async () => {
    for (const spelling of [`${token}=`, `${token} `, ` ${token}`, `${token}.`, token.toLowerCase(), `\0${token}`]) {
      expect(await outcome(authn, spelling)).toMatch(/^token-\w+ 401$/);
    }
  });

  test('does not outlive a change of the configuration', async () => {
    const changed = authenticator([issuerSettings(server.url, { audience: 'renamed' })]);
    expect(await outcome(changed, token)).toBe('token-audience 401');
    changed.close();
  });

  test('does not carry the permission of one route to another', async () => {
    const bearer = request(`Bearer ${token}`);
    expect(authn.authenticate(bearer, match())).toMatchObject({ owner: 'main|ann' });
    expect(await rejectionOf(() => authn.authenticate(bearer, match({ roles: ['admin'] })))).toMatchObject({
      reason: 'role-missing',
      status: 403,
    });
  });

  test('cannot be changed by whoever received it', () => {
    const principal = authn.verify(token);
    expect(() => Object.assign(principal, { owner: 'main|bob' })).toThrow(TypeError);
    expect(() => Object.assign(principal, { extra: true })).toThrow(TypeError);
    if (principal instanceof Promise) throw new Error('it was not remembered');
    expect(() => Array.prototype.push.call(principal.roles, 'admin')).toThrow(TypeError);
    expect(authn.verify(token)).toMatchObject({ owner: 'main|ann', roles: [] });
  });
});
