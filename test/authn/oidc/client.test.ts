/** What is asked of a provider, as it is sent. The whole of it is in test/authn/login. */
import { expect, test } from 'vitest';
import type { LoginSettings } from '../../../src/authn/issuer.ts';
import { oidcClient } from '../../../src/authn/oidc/client.ts';
import type { ProviderRequest } from '../../../src/authn/oidc/fetch.ts';
import type { ProviderMetadata } from '../../../src/authn/oidc/metadata.ts';

const metadata: ProviderMetadata = {
  issuer: 'https://issuer.example',
  authorizationEndpoint: 'https://issuer.example/auth?tenant=t',
  tokenEndpoint: 'https://issuer.example/token',
  keysUrl: 'https://issuer.example/keys',
  userinfoEndpoint: 'https://issuer.example/me',
  endSessionEndpoint: 'https://issuer.example/end',
  namesItself: false,
  secretIn: 'header',
};
const login: LoginSettings = {
  title: 'A provider',
  clientId: 'the gateway',
  clientSecret: 's:e c&r=e%t',
  scopes: ['openid', 'email'],
  algorithms: ['RS256'],
  userinfo: false,
  graceMillis: 0,
};
const request = { redirectUri: 'https://jaaz.example/auth/callback', state: 's', nonce: 'n', verifier: 'v'.repeat(43) };

const open = (changes: Partial<ProviderMetadata> = {}, settings: Partial<LoginSettings> = {}, body: object = {}) => {
  const sent: Array<{ readonly url: string } & ProviderRequest> = [];
  const client = oidcClient({
    settings: { clockToleranceSeconds: 5, login: { ...login, ...settings } },
    metadata: { ...metadata, ...changes },
    ask: async (url, asked) => {
      sent.push({ url, ...asked });
      return new Response(JSON.stringify(body), { headers: { 'content-type': 'application/json' } });
    },
  });
  return { client, sent };
};

test('the address of a login keeps what the provider has in it, and holds no secret', async () => {
  const url = new URL(await open().client.authorizationUrl(request));
  expect(Object.fromEntries(url.searchParams)).toEqual({
    tenant: 't',
    redirect_uri: request.redirectUri,
    scope: 'openid email',
    state: 's',
    nonce: 'n',
    // The S256 digest of 43 v.
    code_challenge: Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(request.verifier))).toString(
      'base64url',
    ),
    code_challenge_method: 'S256',
    client_id: 'the gateway',
    response_type: 'code',
  });
});

test('a code goes to the token endpoint with the verifier, and the secret where it belongs', async () => {
  for (const secretIn of ['header', 'body', undefined] as const) {
    const { client, sent } = open({ secretIn }, secretIn === undefined ? { clientSecret: undefined } : {});
    await client
      .exchange(
        new Map([
          ['code', 'c'],
          ['state', 's'],
        ]),
        request,
      )
      .catch(() => undefined);
    expect(sent).toHaveLength(1);
    const form = Object.fromEntries(new URLSearchParams(sent[0]?.body));
    expect(sent[0]).toMatchObject({ url: 'https://issuer.example/token', method: 'POST' });
    expect(form).toMatchObject({
      grant_type: 'authorization_code',
      code: 'c',
      code_verifier: request.verifier,
      redirect_uri: request.redirectUri,
    });
    expect(form.client_secret).toBe(secretIn === 'body' ? login.clientSecret : undefined);
    // RFC 6749 section 2.3.1: both are encoded as in a form before they are joined.
    const basic = Buffer.from('the+gateway:s%3Ae+c%26r%3De%25t').toString('base64');
    expect(sent[0]?.headers.authorization).toBe(secretIn === 'header' ? `Basic ${basic}` : undefined);
  }
});

test.each([
  ['another state', { state: 'x' }],
  ['no state', { state: undefined }],
  ['an error', { error: 'access_denied' }],
  ['the name of another issuer', { iss: 'https://evil.example' }],
])('a callback with %s sends nothing', async (_name, changes) => {
  const { client, sent } = open();
  const query = Object.entries({ code: 'c', state: 's', ...changes }).filter(([, value]) => value !== undefined);
  await expect(client.exchange(new Map(query as Array<[string, string]>), request)).rejects.toThrow();
  expect(sent).toEqual([]);
});

test('claims of another user are refused', async () => {
  const { client, sent } = open({}, {}, { sub: 'ann', roles: ['a'] });
  expect(await client.userinfo('token', 'ann')).toEqual({ sub: 'ann', roles: ['a'] });
  expect(sent[0]?.headers.authorization).toBe('Bearer token');
  await expect(client.userinfo('token', 'bob')).rejects.toThrow();
});

test('a logout names the client and the page to come back to, and hints at the session', () => {
  const { client } = open();
  const url = new URL(client.endSessionUrl('the.id.token', 'https://jaaz.example/auth/logged-out') ?? '');
  expect(url.origin + url.pathname).toBe('https://issuer.example/end');
  expect(Object.fromEntries(url.searchParams)).toEqual({
    id_token_hint: 'the.id.token',
    client_id: 'the gateway',
    post_logout_redirect_uri: 'https://jaaz.example/auth/logged-out',
  });
});

test('a hint that would make the address too long is left out', () => {
  const location = open().client.endSessionUrl('a'.repeat(5000), 'https://jaaz.example/');
  expect(location).not.toContain('id_token_hint');
  expect(location).toContain('client_id');
});

test('a provider without such a place is left as it is', () => {
  expect(open({ endSessionEndpoint: undefined }).client.endSessionUrl('a', 'https://jaaz.example/')).toBeUndefined();
});
