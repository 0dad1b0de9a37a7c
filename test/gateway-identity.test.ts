import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import type { IssuerSettings } from '../src/authn/issuer.ts';
import { openRevocations } from '../src/authn/revocation.ts';
import type { Config } from '../src/config/config.ts';
import { adminKeys, type Identity, identityPlane } from '../src/gateway-identity.ts';
import { openStores } from '../src/gateway-stores.ts';
import { createLog } from '../src/telemetry/log.ts';
import { testIssuer } from './support/issuer.ts';

const root = mkdtempSync(join(tmpdir(), 'identity-'));
afterAll(() => rmSync(root, { recursive: true }));
const closing: Array<() => void | Promise<void>> = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

const issuer = await testIssuer(root);
const LOGIN: IssuerSettings = {
  ...issuer.settings,
  name: 'people',
  issuer: 'http://127.0.0.1:1',
  keys: undefined,
  audience: [],
  login: {
    title: 'T',
    clientId: 'c',
    clientSecret: undefined,
    scopes: ['openid'],
    algorithms: ['RS256'],
    userinfo: false,
    graceMillis: 0,
  },
};

let folders = 0;

const open = async (change: Partial<Config> = {}) => {
  const folder = join(root, String(folders++));
  const config = {
    listen: { url: undefined, origins: [] },
    issuers: [issuer.settings],
    ledger: { sqlite: join(folder, 'l.db') },
    redis: undefined,
    upstream: { url: 'http://up', assertion: undefined },
    sessions: { idleMillis: 1000, lifetimeMillis: 1000, store: 'ledger', secrets: [] },
    ...change,
  } as unknown as Config;
  const log = createLog({ level: 'error', file: join(root, 'log') });
  const stores = await openStores({ config, log });
  closing.push(stores.close);
  const revocations = await openRevocations({ store: stores.revocations });
  closing.push(revocations.close);
  const identity = await identityPlane({ config, stores, revocations, log });
  closing.push(identity.close);
  return { identity, secret: join(folder, 'session.secret') };
};

const ownerOf = async ({ authenticator }: Identity, token: string) => (await authenticator.verify(token)).owner;

describe('who is calling', () => {
  test('is known by tokens and by keys of service accounts, where nobody logs in, and no secret is made', async () => {
    const { identity, secret } = await open();
    expect([identity.people, identity.assertions, existsSync(secret)]).toEqual([undefined, undefined, false]);
    expect(await ownerOf(identity, await issuer.token('alice'))).toBe('test|alice');
    const made = await identity.apiKeys.make({
      account: 'ci',
      roles: [],
      expiresAtMillis: Date.now() + 60_000,
      note: undefined,
    });
    expect(await ownerOf(identity, made.text)).toBe('service|ci');
    expect(identity.healthy()).toBe(true);
  });

  test('may log in where an issuer has a login, and what is kept of it is sealed', async () => {
    const { identity, secret } = await open({ issuers: [LOGIN] });
    expect(identity.people?.logins.providers).toEqual([{ name: 'people', title: 'T' }]);
    expect(existsSync(secret)).toBe(true);
  });

  test('is told to the upstream with a signature where that is configured', async () => {
    const assertion = {
      header: 'x-jaaz-assertion',
      algorithm: 'ES256',
      audience: 'a',
      lifetimeMillis: 60_000,
      rotateMillis: 86_400_000,
    } as const;
    const { identity } = await open({ upstream: { url: 'http://up', assertion } });
    expect(identity.assertions?.header).toBe('x-jaaz-assertion');
  });

  test('is not known at all by a secret that cannot be read: the gateway does not start', async () => {
    const folder = join(root, String(folders));
    const { secret } = await open({ issuers: [LOGIN] });
    writeFileSync(secret, 'cut');
    folders -= 1;
    await expect(open({ issuers: [LOGIN] })).rejects.toThrow(`${join(folder, 'session.secret')} holds no secret`);
  });

  test('is made and ended by the admin API', async () => {
    const { identity } = await open();
    const admin = adminKeys(identity.apiKeys, {
      access: { host: 'localhost', token: 't' },
      audit: () => undefined,
    });
    expect(admin).toMatchObject({ host: 'localhost', token: 't', alias: 'service' });
    const { key } = await admin.make({
      account: 'ci',
      roles: [],
      expiresAtMillis: Date.now() + 60_000,
      note: undefined,
    });
    expect(admin.list()).toMatchObject([{ id: key.id }]);
    expect(await admin.revoke(key.id)).toMatchObject({ key: { id: key.id } });
    expect(admin.list()).toEqual([]);
  });
});
