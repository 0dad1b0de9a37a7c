import { afterEach, expect, test } from 'vitest';
import type { IssuerSettings } from '../src/authn/issuer.ts';
import { ask, NAVIGATION } from './support/own-door.ts';
import { startWorld, type World } from './support/world.ts';

let world: World | undefined;
afterEach(() => world?.close());

const people = (name: string, issuer: string): IssuerSettings => ({
  name,
  issuer,
  audience: [],
  algorithms: ['RS256'],
  keys: undefined,
  claims: { user: 'sub', roles: undefined },
  types: ['jwt'],
  clockToleranceSeconds: 0,
  login: {
    title: `People of ${name}`,
    clientId: 'c',
    clientSecret: undefined,
    scopes: ['openid'],
    algorithms: ['RS256'],
    userinfo: false,
    graceMillis: 0,
  },
});

const at = async (path: string) => ask(`${world?.gateway.url}${path}`, { headers: NAVIGATION });

test('where nobody can log in nothing below /auth/ is the gateway’s own, and what takes tokens is published', async () => {
  world = await startWorld();
  const login = await at('/auth/login');
  expect([login.status, JSON.parse(login.text).code]).toEqual([404, 'route-unknown']);
  const metadata = await at('/.well-known/oauth-protected-resource');
  expect(JSON.parse(metadata.text)).toMatchObject({ authorization_servers: ['https://test.example'] });
});

test('where people can, they choose, and everything below /auth/ is answered here', async () => {
  const issuers = [people('one', 'http://localhost:1'), people('two', 'https://two.example')];
  world = await startWorld({ config: { issuers } });
  expect((await at('/auth/login')).text).toContain('People of two');
  expect((await at('/auth/other')).status).toBe(404);
  expect(world.upstream.requests.filter(({ path }) => path.startsWith('/auth'))).toEqual([]);
  // Logging out may lead to where providers are.
  const csp = String((await at('/auth/logout')).headers['content-security-policy']);
  expect(csp).toMatch(/form-action 'self' https: http:\/\/localhost:1(?:;|$)/);
  expect((await at('/.well-known/oauth-protected-resource')).status).toBe(404);
});
