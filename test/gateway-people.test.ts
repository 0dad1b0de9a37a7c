import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openRevocations } from '../src/authn/revocation.ts';
import { sealer } from '../src/authn/seal.ts';
import type { Config } from '../src/config/config.ts';
import { openPeople } from '../src/gateway-people.ts';
import { memoryRevocations } from '../src/store/memory/revocations.ts';
import { memorySessions } from '../src/store/memory/sessions.ts';
import { testIssuer } from './support/issuer.ts';

const folder = mkdtempSync(join(tmpdir(), 'people-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('people log in at the issuers that have a login, and their sessions last as long as is configured', async () => {
  const { settings } = await testIssuer(folder);
  const login = {
    ...{ title: 'T', clientId: 'c', clientSecret: undefined, scopes: ['openid'], algorithms: ['RS256'] },
    ...{ userinfo: false, graceMillis: 0 },
  };
  const issuers = [settings, { ...settings, name: 'people', issuer: 'https://people.example', login }];
  const sessions = { idleMillis: 60_000, lifetimeMillis: 120_000, store: 'ledger', secrets: [] };
  const revocations = await openRevocations({ store: memoryRevocations() });
  const secret = Buffer.alloc(32, 1);
  const people = openPeople({
    config: { issuers, sessions } as unknown as Config,
    stores: { sessions: () => memorySessions() },
    revocations,
    seals: { sealer: sealer([secret]), secret },
    notice: () => undefined,
  });
  expect(people.logins.providers).toEqual([{ name: 'people', title: 'T' }]);
  const tokens = { refreshToken: undefined, idToken: undefined };
  const begun = await people.sessions.begin({
    ...{ issuer: 'people', claims: { sub: 'ann' }, tokens, providerSessionId: undefined, refreshAtMillis: undefined },
  } as unknown as Parameters<typeof people.sessions.begin>[0]);
  expect(begun.principal.owner).toBe('people|ann');
  expect(begun.session.endsAtMillis - begun.session.startedAtMillis).toBe(120_000);
  expect(begun.principal.expiresAtMillis - begun.session.startedAtMillis).toBe(60_000);
  expect(await people.sessions.principalOf(begun.value)).toBe(begun.principal);
  people.close();
  revocations.close();
});
