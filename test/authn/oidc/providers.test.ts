/** The providers together, and the question whether a session goes on, put to a real one. */
import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import type { RefreshOutcome } from '../../../src/authn/session/refresh.ts';
import { type Liar, openLiar } from '../../support/oidc-liar.ts';
import { type LoginScene, logInAt, loginScene, ORIGIN, type SceneOptions } from '../../support/oidc-logins.ts';
import { openTestProvider, type TestProvider, type TestProviderOptions } from '../../support/oidc-provider.ts';
import { rejectionOf } from '../../support/token-issuer.ts';

const opened: Array<{ close(): unknown }> = [];

afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

interface Logged extends LoginScene {
  readonly provider: TestProvider;
  readonly refreshToken: string;
  ask(token?: string): Promise<RefreshOutcome>;
}

const open = async (options: TestProviderOptions = {}, scene: SceneOptions = {}): Promise<Logged> => {
  const provider = await openTestProvider({ refreshTokens: true, ...options });
  await provider.register(ORIGIN);
  const at = loginScene([provider.settings()], scene);
  opened.push(provider, at);
  const { session } = await logInAt(at.logins, 'alice');
  const refreshToken = at.sessions.open.get(session)?.proven.tokens.refreshToken ?? '';
  return { ...at, provider, refreshToken, ask: (token = refreshToken) => at.providers.refresh('main', token) };
};

/** Answers at the token endpoint in the provider's place. */
const atTokens = (provider: TestProvider, answer: (response: ServerResponse) => void, path = '/token'): void =>
  provider.intercept(({ url }, response) => {
    if (url !== path) return false;
    answer(response);
    return true;
  });

const fine = (outcome: RefreshOutcome): Exclude<RefreshOutcome, 'refused'> => {
  if (outcome === 'refused') throw new Error('refused');
  return outcome;
};

test('lists those with a login, in the order of the settings', async () => {
  const [one, other] = [await openLiar(), await openLiar()];
  opened.push(one, other);
  const { login: _login, ...without } = one.settings({}, { name: 'b' });
  const scene = loginScene([
    one.settings({ title: 'Second' }, { name: 'z' }),
    without,
    other.settings({ title: 'First' }, { name: 'a' }),
  ]);
  opened.push(scene);
  expect(scene.providers.list).toEqual([
    { name: 'z', title: 'Second' },
    { name: 'a', title: 'First' },
  ]);
  expect((await rejectionOf(() => scene.providers.named('b'))).reason).toBe('provider-unknown');
});

describe('a refresh', () => {
  test('brings new tokens, and the claims as they are by now', async () => {
    let roles = ['member'];
    const { ask, refreshToken } = await open({ claims: () => ({ roles }) });
    roles = ['admin'];
    const refreshed = fine(await ask());
    expect(refreshed.claims).toMatchObject({ sub: 'alice', roles: ['admin'] });
    expect(refreshed.refreshToken).toMatch(/.{20,}/);
    expect(refreshed.refreshToken).not.toBe(refreshToken);
    expect(refreshed.idToken).toMatch(/^eyJ/);
    expect((refreshed.refreshAtMillis ?? 0) - Date.now()).toBeGreaterThan(3_500_000);
  });

  test('brings claims of the userinfo endpoint too, where the settings say so', async () => {
    const { ask } = await open({ claimsIn: 'userinfo' });
    expect(fine(await ask()).claims).toMatchObject({ sub: 'alice', roles: ['member'] });
  });

  test('is refused when the provider has taken back what it gave', async () => {
    const { ask, provider, notices } = await open();
    await provider.revokeAll();
    expect(await ask()).toBe('refused');
    expect(notices.at(-1)).toMatch(/^refresh-refused: the provider says "invalid_grant"/);
  });

  test('is refused with a token that was used before', async () => {
    const { ask } = await open();
    const next = fine(await ask()).refreshToken ?? '';
    expect(await ask()).toBe('refused');
    // Who shows a used one may be a thief: the provider takes back the whole family (RFC 9700 section 4.14.2).
    expect(await ask(next)).toBe('refused');
  });

  test.each(['x', 'a b', 'ä', 'a'.repeat(5000)])('is refused with %j', async (token) => {
    const { providers } = await open();
    expect(await providers.refresh('main', token)).toBe('refused');
  });

  test('is refused where nobody logs in any more', async () => {
    const { providers, refreshToken } = await open();
    expect(await providers.refresh('gone', refreshToken)).toBe('refused');
  });

  test.each([
    ['answers with 500', (response: ServerResponse) => response.writeHead(500).end()],
    ['answers with 503', (response: ServerResponse) => response.writeHead(503).end()],
    ['answers with 429', (response: ServerResponse) => response.writeHead(429).end()],
    ['answers with a page', (response: ServerResponse) => response.writeHead(403).end('<html>')],
    ['breaks off', (response: ServerResponse) => response.destroy()],
    ['never answers', () => undefined],
    [
      'says that it is not well',
      (response: ServerResponse) =>
        response.writeHead(400, { 'content-type': 'application/json' }).end('{"error":"temporarily_unavailable"}'),
    ],
  ])('of a provider that %s rejects, and can be tried again', async (_name, answer) => {
    const { ask, provider } = await open({}, { timeoutMillis: 1000 });
    atTokens(provider, answer);
    await expect(ask()).rejects.toThrow(/^main /);
    provider.intercept(undefined);
    expect(await ask()).not.toBe('refused');
  });

  test('rejects when nobody listens', async () => {
    const { ask, provider } = await open();
    await provider.close();
    await expect(ask()).rejects.toThrow();
  });

  test('keeps the new refresh token when the claims cannot be had, and asks again soon', async () => {
    const { ask, provider } = await open({ claimsIn: 'userinfo' });
    atTokens(provider, (response) => response.writeHead(503).end(), '/me');
    const refreshed = fine(await ask());
    expect(refreshed).toMatchObject({ claims: undefined, idToken: undefined });
    expect((refreshed.refreshAtMillis ?? 0) - Date.now()).toBeLessThanOrEqual(60_000);
    provider.intercept(undefined);
    expect(fine(await ask(refreshed.refreshToken)).claims).toMatchObject({ sub: 'alice' });
  });
});

describe('a liar that is asked whether a session goes on', () => {
  const lie = async (lies: Liar['lies']): Promise<RefreshOutcome> => {
    const liar = await openLiar(lies);
    const scene = loginScene([liar.settings()]);
    opened.push(liar, scene);
    return scene.providers.refresh('main', 'a-refresh-token');
  };

  test('is believed as long as it tells the truth', async () => {
    const refreshed = fine(await lie({ claims: { nonce: undefined } }));
    expect(refreshed).toMatchObject({ claims: { sub: 'mallory' }, refreshToken: undefined });
    expect(refreshed.refreshAtMillis).toBeGreaterThan(Date.now());
  });

  test('need not bring an ID token', async () => {
    const refreshed = fine(await lie({ tokens: { id_token: undefined } }));
    expect(refreshed).toMatchObject({ claims: undefined, idToken: undefined });
  });

  test.each([
    ['of another client', { claims: { aud: 'other' } }],
    ['of another issuer', { claims: { iss: 'https://evil.example' } }],
    ['that has expired', { claims: { exp: 1 } }],
    ['signed with none', { idToken: () => 'eyJhbGciOiJub25lIn0.e30.' }],
  ])('ends the session with an ID token %s', async (_name, lies) => {
    expect(await lie(lies)).toBe('refused');
  });
});
