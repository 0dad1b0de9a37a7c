import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Authenticator } from '../../src/authn/authenticate.ts';
import type { Principal } from '../../src/model/principal.ts';
import {
  authenticator,
  clock,
  goodClaims,
  issuerSettings,
  type KeyServer,
  keyServer,
  match,
  NOON,
  rejectionOf,
  request,
  type Signer,
  signer,
} from '../support/token-issuer.ts';

describe('authenticate', () => {
  let key: Signer;
  let server: KeyServer;
  let authn: Authenticator;
  beforeAll(async () => {
    key = await signer('k1');
    server = await keyServer(key.jwk);
    authn = authenticator([issuerSettings(server.url)]);
  });
  afterAll(async () => {
    authn.close();
    await server.close();
  });

  test('names the caller of a good token', async () => {
    const token = key.sign({ roles: ['admin', 'editor'], jti: 't-1' });
    expect(await authn.authenticate(request(`Bearer ${token}`), match())).toEqual({
      owner: 'main|ann',
      issuer: 'main',
      user: 'ann',
      roles: ['admin', 'editor'],
      tokenId: 't-1',
      issuedAtMillis: (NOON - 10) * 1000,
      expiresAtMillis: (NOON + 300) * 1000,
    });
  });

  test('says of somebody who was let in before when that is over, the tolerance included', async () => {
    const time = clock();
    const one = authenticator([issuerSettings(server.url, { clockToleranceSeconds: 5 })], { now: time.now });
    const principal = await one.verify(key.sign());
    time.seconds = NOON + 304;
    expect(() => one.recheck(principal)).not.toThrow();
    time.seconds = NOON + 305;
    expect(await rejectionOf(async () => one.recheck(principal))).toMatchObject({
      reason: 'token-expired',
      status: 401,
    });
    one.close();
  });

  test('looks at the signature of one token once, however many ask at the same time, and says no to all of them', async () => {
    const good = key.sign({ jti: 'together' });
    const one = authenticator([issuerSettings(server.url)]);
    const principals = await Promise.all([one.verify(good), one.verify(good), one.verify(good)]);
    expect(new Set(principals).size).toBe(1);
    const bad = `${good.slice(0, -4)}AAAA`;
    const told = await Promise.all([1, 2, 3].map(() => rejectionOf(async () => one.verify(bad))));
    expect(told.map(({ reason }) => reason)).toEqual(['token-signature', 'token-signature', 'token-signature']);
    expect(await rejectionOf(async () => one.verify(bad))).toMatchObject({ reason: 'token-signature' });
    one.close();
  });

  test('does not look at tokens on a public route', () => {
    expect(authn.authenticate(request('Nonsense'), match({ access: 'public' }))).toBeUndefined();
  });

  test('refuses a denied route even with a good token', async () => {
    const call = () => authn.authenticate(request(`Bearer ${key.sign()}`), match({ access: 'denied' }));
    expect(await rejectionOf(call)).toMatchObject({ reason: 'route-denied', status: 403 });
  });

  test('asks for a token without naming an error when none was presented', async () => {
    expect(await rejectionOf(() => authn.authenticate(request(), match()))).toMatchObject({
      reason: 'token-missing',
      status: 401,
      headers: ['WWW-Authenticate', 'Bearer realm="jaaz-gateway"'],
    });
  });

  test('takes a token from the query where the route says so, and nowhere else', async () => {
    const asked = request(undefined, { query: { token: key.sign() } });
    expect(await authn.authenticate(asked, match({ tokenInQuery: true }))).toMatchObject({ owner: 'main|ann' });
    for (const route of [{}, { tokenInQuery: false }, { tokenInQuery: false, query: new Set(['token']) }]) {
      expect(await rejectionOf(() => authn.authenticate(asked, match(route)))).toMatchObject({
        reason: 'token-missing',
      });
    }
    const two = request(`Bearer ${key.sign()}`, { query: { token: key.sign({ sub: 'bob' }) } });
    expect(await rejectionOf(() => authn.authenticate(two, match({ tokenInQuery: true })))).toMatchObject({
      reason: 'token-malformed',
      status: 401,
    });
  });

  test('tells a bad token that it is invalid and no more', async () => {
    const call = () => authn.authenticate(request(`Bearer ${key.sign({ aud: 'other' })}`), match());
    expect(await rejectionOf(call)).toMatchObject({
      reason: 'token-audience',
      status: 401,
      headers: ['WWW-Authenticate', 'Bearer realm="jaaz-gateway", error="invalid_token"'],
    });
  });

  test('lets one of the route’s roles in and refuses a caller without any, remembered or not', async () => {
    const admins = match({ roles: ['admin', 'operator'] });
    const operator = request(`Bearer ${key.sign({ roles: 'viewer operator' })}`);
    const viewer = request(`Bearer ${key.sign({ roles: 'viewer' })}`);
    expect(await authn.authenticate(operator, admins)).toMatchObject({ user: 'ann' });
    for (let round = 0; round < 2; round += 1) {
      expect(await rejectionOf(() => authn.authenticate(viewer, admins))).toMatchObject({
        reason: 'role-missing',
        status: 403,
        headers: ['WWW-Authenticate', 'Bearer realm="jaaz-gateway", error="insufficient_scope"'],
      });
    }
  });

  test('answers a remembered token without a promise', async () => {
    const bearer = request(`Bearer ${key.sign({ sub: 'remembered' })}`);
    expect(authn.authenticate(bearer, match())).toBeInstanceOf(Promise);
    await authn.authenticate(bearer, match());
    expect(authn.authenticate(bearer, match())).toMatchObject({ owner: 'main|remembered' });
  });

  test('does not remember a refusal', async () => {
    const time = clock();
    const later = authenticator([issuerSettings(server.url)], { now: time.now });
    const token = key.sign({ nbf: NOON + 10 });
    expect(await rejectionOf(() => later.verify(token))).toMatchObject({ reason: 'token-not-yet-valid', status: 401 });
    time.seconds += 10;
    expect(await later.verify(token)).toMatchObject({ user: 'ann' });
    later.close();
  });

  test('refuses a remembered token from the second on at which it expires', async () => {
    const time = clock();
    const tolerant = authenticator([issuerSettings(server.url, { clockToleranceSeconds: 5 })], { now: time.now });
    const token = key.sign();
    await tolerant.verify(token);
    time.seconds = NOON + 304.999;
    expect(tolerant.verify(token)).toMatchObject({ user: 'ann' });
    time.seconds = NOON + 305;
    expect(await rejectionOf(() => tolerant.verify(token))).toMatchObject({ reason: 'token-expired', status: 401 });
    tolerant.close();
  });

  test('forgets what a withdrawn key has verified', async () => {
    const time = clock();
    const other = await signer('k2');
    const rotating = await keyServer(key.jwk);
    const authn = authenticator([issuerSettings(rotating.url)], { now: time.now });
    const token = key.sign();
    await authn.verify(token);
    expect(authn.verify(token)).toMatchObject({ user: 'ann' });
    rotating.publish(other.jwk);
    time.seconds += 31;
    await authn.verify(other.sign());
    expect(await rejectionOf(() => authn.verify(token))).toMatchObject({ reason: 'token-key-unknown', status: 401 });
    authn.close();
    await rotating.close();
  });

  test('stops relying on remembered verdicts when the keys are too old to be relied on', async () => {
    const time = clock();
    const dying = await keyServer(key.jwk);
    const authn = authenticator([issuerSettings(dying.url)], { now: time.now, keyTimes: { staleMillis: 60_000 } });
    const token = key.sign();
    await authn.verify(token);
    await dying.close();
    time.seconds += 59;
    expect(authn.verify(token)).toMatchObject({ user: 'ann' });
    time.seconds += 1;
    expect(await rejectionOf(() => authn.verify(token))).toMatchObject({ reason: 'keys-unavailable', status: 503 });
    expect(authn.healthy()).toBe(false);
    authn.close();
  });

  test('refuses what is revoked, also a token that was verified before, until that is taken back', async () => {
    let revoked = '';
    const revokes = ({ user }: Principal) => (user === revoked ? 'token-revoked' : undefined);
    const authn = authenticator([issuerSettings(server.url)], { revocations: { revokes } });
    const [ann, bob] = [key.sign(), key.sign({ sub: 'bob' })];
    await authn.verify(ann);
    revoked = 'ann';
    expect(await rejectionOf(() => authn.verify(ann))).toMatchObject({
      reason: 'token-revoked',
      status: 401,
      headers: ['WWW-Authenticate', 'Bearer realm="jaaz-gateway", error="invalid_token"'],
      principal: undefined,
    });
    expect(await rejectionOf(() => authn.authenticate(request(`Bearer ${ann}`), match()))).toMatchObject({
      reason: 'token-revoked',
    });
    revoked = 'bob';
    expect(await rejectionOf(() => authn.verify(bob))).toMatchObject({ reason: 'token-revoked', status: 401 });
    expect(authn.verify(ann)).toMatchObject({ user: 'ann' });
    authn.close();
  });

  test('reads the keys before anybody calls', async () => {
    const early = authenticator([issuerSettings(server.url)]);
    await vi.waitFor(() => expect(early.healthy()).toBe(true));
    early.close();
  });

  test('is healthy once every issuer has a usable key', async () => {
    const empty = await keyServer();
    const both = authenticator([
      issuerSettings(server.url),
      issuerSettings(empty.url, { name: 'second', issuer: 'https://second.test/' }),
    ]);
    await both.verify(key.sign());
    expect(both.healthy()).toBe(false);
    expect(authn.healthy()).toBe(true);
    both.close();
    await empty.close();
  });

  test.each(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'])(
    'verifies %s as another implementation signs it',
    async (algorithm) => {
      const pair = await generateKeyPair(algorithm);
      const one = await keyServer({ ...(await exportJWK(pair.publicKey)), kid: 'k' });
      const authn = authenticator([issuerSettings(one.url, { algorithms: [algorithm] })]);
      const token = await new SignJWT(goodClaims)
        .setProtectedHeader({ alg: algorithm, kid: 'k' })
        .sign(pair.privateKey);
      expect(await authn.verify(token)).toMatchObject({ owner: 'main|ann' });
      authn.close();
      await one.close();
    },
  );

  test('verifies HS256 with a configured secret', async () => {
    const secret = 'a secret of 32 bytes, or of more';
    const authn = authenticator([issuerSettings('', { algorithms: ['HS256'], keys: { secret } })]);
    const sign = (text: string) => new SignJWT(goodClaims).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from(text));
    expect(await authn.verify(await sign(secret))).toMatchObject({ owner: 'main|ann' });
    expect(await rejectionOf(async () => authn.verify(await sign(`${secret}!`)))).toMatchObject({
      reason: 'token-signature',
      status: 401,
    });
    expect(authn.healthy()).toBe(true);
  });
});

describe('the settings', () => {
  test.each([
    ['an alias with a bar', { name: 'a|b' }],
    ['no algorithm', { algorithms: [] }],
    ['the algorithm none', { algorithms: ['none'] }],
    ['HS256 with public keys', { algorithms: ['ES256', 'HS256'] }],
    ['a public-key algorithm with a secret', { algorithms: ['RS256'], keys: { secret: 'x'.repeat(32) } }],
    ['a short secret', { algorithms: ['HS256'], keys: { secret: 'x'.repeat(31) } }],
    ['no audience', { audience: [] }],
    ['an empty audience', { audience: '' }],
    ['no type', { types: [] }],
    ['a tolerance that is not a number', { clockToleranceSeconds: Number.NaN }],
    ['a plain URL of keys', { keys: { url: 'http://issuer.test/keys' } }],
  ])('are refused with %s', (_name, overrides) => {
    expect(() => authenticator([issuerSettings('http://127.0.0.1:1/', overrides)])).toThrow(TypeError);
  });

  test('are refused when two issuers share an alias or an iss', () => {
    const one = issuerSettings('http://127.0.0.1:1/');
    expect(() => authenticator([one, { ...one, name: 'other' }])).toThrow(TypeError);
    expect(() => authenticator([one, { ...one, issuer: 'https://other.test/' }])).toThrow(TypeError);
  });
});
