/** What a provider says of itself, and what of it is not accepted. */
import { expect, test } from 'vitest';
import type { LoginSettings } from '../../../src/authn/issuer.ts';
import { ProviderAway } from '../../../src/authn/oidc/fetch.ts';
import { fetchMetadata, metadataUrl, readMetadata } from '../../../src/authn/oidc/metadata.ts';

const login: LoginSettings = {
  title: 'A provider',
  clientId: 'gateway',
  clientSecret: 'secret',
  scopes: ['openid'],
  algorithms: ['RS256'],
  userinfo: false,
  graceMillis: 0,
};
const issuer = 'https://issuer.example/tenant';

const metadata = (changes: object = {}) => ({
  issuer,
  authorization_endpoint: 'https://login.example/auth',
  token_endpoint: 'https://issuer.example/token',
  jwks_uri: 'https://issuer.example/keys',
  ...changes,
});

const read = (changes: object = {}, settings: Partial<LoginSettings> = {}) =>
  readMetadata(metadata(changes), { issuer, login: { ...login, ...settings } });

test('what is needed is enough', () => {
  expect(read()).toEqual({
    issuer,
    authorizationEndpoint: 'https://login.example/auth',
    tokenEndpoint: 'https://issuer.example/token',
    keysUrl: 'https://issuer.example/keys',
    userinfoEndpoint: undefined,
    endSessionEndpoint: undefined,
    namesItself: false,
    secretIn: 'header',
  });
});

test('what else there may be is read', () => {
  const more = {
    userinfo_endpoint: 'https://issuer.example/me',
    end_session_endpoint: 'https://issuer.example/end',
    authorization_response_iss_parameter_supported: true,
  };
  expect(read(more)).toMatchObject({
    userinfoEndpoint: 'https://issuer.example/me',
    endSessionEndpoint: 'https://issuer.example/end',
    namesItself: true,
  });
});

test.each([
  [undefined, 'header'],
  [['client_secret_post', 'client_secret_basic'], 'header'],
  [['private_key_jwt', 'client_secret_post'], 'body'],
])('of the methods %j the secret goes into the %s', (methods, expected) => {
  expect(read({ token_endpoint_auth_methods_supported: methods }).secretIn).toBe(expected);
});

test('a public client shows no secret, whatever the methods are', () => {
  const methods = { token_endpoint_auth_methods_supported: ['private_key_jwt'] };
  expect(read(methods, { clientSecret: undefined }).secretIn).toBeUndefined();
  expect(() => read(methods)).toThrow('takes no client secret');
});

test.each([
  ['authorization_endpoint', 'http://localhost/auth'],
  ['token_endpoint', 'http://127.0.0.1:6379/'],
  ['jwks_uri', 'http://[::1]/keys'],
  ['userinfo_endpoint', 'http://localhost/me'],
  ['end_session_endpoint', 'http://localhost/end'],
  ['authorization_endpoint', 'javascript:alert(1)'],
  ['token_endpoint', ''],
  ['token_endpoint', 'http://issuer.example/token'],
])('a provider behind https may not name %s %s', (name, value) => {
  expect(() => read({ [name]: value })).toThrow(new ProviderAway(`its metadata has no acceptable ${name}`));
});

test.each([
  'https://issuer.example/tenant/',
  'https://issuer.example',
  'https://ISSUER.example/tenant',
  '',
  7,
  undefined,
])('the issuer %j is another one', (other) => {
  expect(() => read({ issuer: other })).toThrow('another issuer');
});

test('who asks for claims at the userinfo endpoint needs one', () => {
  expect(() => read({}, { userinfo: true })).toThrow('has no userinfo_endpoint');
});

test('a name that every object has is none of the provider’s', () => {
  const inherited = Object.create(metadata()) as Record<string, unknown>;
  expect(() => readMetadata(inherited, { issuer, login })).toThrow(ProviderAway);
});

test.each([
  ['https://issuer.example', 'https://issuer.example/.well-known/openid-configuration'],
  ['https://issuer.example/', 'https://issuer.example/.well-known/openid-configuration'],
  ['https://issuer.example/a/b', 'https://issuer.example/a/b/.well-known/openid-configuration'],
  ['https://issuer.example/a/', 'https://issuer.example/a/.well-known/openid-configuration'],
])('the metadata of %s is at %s', (of, at) => {
  expect(metadataUrl(of)).toBe(at);
});

test('is asked for where it is, and an error instead of it is no metadata', async () => {
  const asked: string[] = [];
  const answering = (status: number) => async (url: string) => {
    asked.push(url);
    return new Response(JSON.stringify(metadata()), { status, headers: { 'content-type': 'application/json' } });
  };
  expect(await fetchMetadata({ issuer, login }, answering(200))).toEqual(read());
  expect(asked).toEqual([metadataUrl(issuer)]);
  await expect(fetchMetadata({ issuer, login }, answering(404))).rejects.toThrow('answered with 404');
});
