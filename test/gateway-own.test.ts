import { afterEach, expect, test } from 'vitest';
import type { IssuerSettings } from '../src/authn/issuer.ts';
import type { Config } from '../src/config/config.ts';
import { ownPathOf } from '../src/gateway-own.ts';
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

test('the paths that are told as the gateway’s own are those at which it answers', async () => {
  const assertion = {
    audience: 'a',
    header: 'x-a',
    algorithm: 'ES256',
    lifetimeMillis: 60_000,
    rotateMillis: 86_400_000,
  };
  world = await startWorld();
  const { upstream, issuers } = world.config;
  await world.close();
  const people1 = { ...people('one', 'http://localhost:1'), keys: issuers[0]?.keys, audience: 'a' };
  world = await startWorld({
    config: { issuers: [people1], upstream: { ...upstream, assertion } as Config['upstream'] },
  });
  const { config } = world;
  const paths = ['/auth/me', '/.well-known/jaaz-gateway/jwks.json', '/.well-known/oauth-protected-resource'];
  expect(paths.map((path) => ownPathOf(path, config))).toEqual(['/auth/', ...paths.slice(1)]);
  const statuses = await Promise.all(paths.map(async (path) => (await at(path)).status));
  expect(statuses).toEqual([303, 200, 200]);
  expect(world.upstream.requests).toEqual([]);
  const open = { ...config, upstream, issuers: [{ ...people1, keys: undefined, login: undefined }] };
  expect([...paths, '/auth'].filter((path) => ownPathOf(path, open) !== undefined)).toEqual([]);
});

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
