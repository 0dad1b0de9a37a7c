/**
 * API keys live long and stand in the configuration of other programs: they are guessed, misspelt, stolen with a copy of
 * the ledger, shown to the wrong place, and used on after they were revoked.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { apiKeyDigest, newApiKey } from '../../src/authn/api-key-text.ts';
import type { Authenticator } from '../../src/authn/authenticate.ts';
import { introspection } from '../../src/authn/introspection/introspection.ts';
import { memoryApiKeys } from '../../src/store/memory/api-keys.ts';
import { sqliteApiKeys } from '../../src/store/sqlite/api-keys.ts';
import { sqliteChanges } from '../../src/store/sqlite/changes.ts';
import { openSqliteFile } from '../../src/store/sqlite/file.ts';
import { keptKey, openKeys, wanted } from '../support/api-keys.ts';
import {
  activeClaims,
  type IntrospectionServer,
  introspectionServer,
  opaqueIssuer,
} from '../support/introspection-server.ts';
import { NOON_MILLIS } from '../support/revocations.ts';
import {
  authenticator,
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

const ends: Array<() => unknown> = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

let server: KeyServer;
let endpoint: IntrospectionServer;
let key: Signer;
beforeAll(async () => {
  key = await signer('k1');
  server = await keyServer(key.jwk);
  endpoint = await introspectionServer();
  // An issuer that would say yes to anything.
  endpoint.answer((response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(activeClaims));
  });
});
afterAll(async () => {
  await server.close();
  await endpoint.close();
});

const withChecksum = (text: string): string => text + crc32(text).toString(16).padStart(8, '0');

/** A gateway's stage with keys, signed tokens and opaque tokens side by side. */
const open = async (...given: Parameters<typeof openKeys>) => {
  const { keys, revocations, end } = await openKeys(...given);
  const opaque = opaqueIssuer(endpoint.url, { name: 'opaque', issuer: 'https://opaque.test/' });
  const issuers = [issuerSettings(server.url), opaque];
  const readers = [keys, introspection({ issuers, now: () => NOON_MILLIS })];
  const authn: Authenticator = authenticator(issuers, { readers, revocations });
  const reversed = authenticator(issuers, { readers: readers.toReversed(), revocations });
  ends.push(end, authn.close, reversed.close);
  return { keys, revocations, authn, reversed };
};

describe('a guessed key', () => {
  test('opens nothing: another secret, another id, a secret of another key, one of another gateway', async () => {
    const { keys, authn } = await open();
    const elsewhere = await open();
    const [one, two] = [await keys.make(wanted()), await keys.make(wanted({ account: 'root', roles: ['admin'] }))];
    const mixed = newApiKey();
    expect(await outcome(authn, one.text)).toBe('accepted');
    for (const text of [mixed.text, (await elsewhere.keys.make(wanted())).text]) {
      expect(await outcome(authn, text)).toBe('token-key-unknown 401');
    }
    // The id of one with the secret of the other fails at its checksum; with a checksum that fits, at the digest.
    const crossed = two.text.slice(0, 17) + one.text.slice(17, 60);
    expect(await outcome(authn, crossed + one.text.slice(60))).toBe('token-malformed 401');
    expect(await outcome(authn, withChecksum(crossed))).toBe('token-key-unknown 401');
  });

  test('is told the same as any other, whatever was wrong with it', async () => {
    const mine = newApiKey();
    const store = memoryApiKeys();
    await store.add(keptKey({ id: mine.id }), 10);
    const { authn } = await open(store);
    const answers = await Promise.all(
      [mine.text, newApiKey().text].map((text) => rejectionOf(() => authn.verify(text))),
    );
    const shown = answers.map(({ reason, status, headers }) => JSON.stringify([reason, status, headers]));
    expect(new Set(shown).size).toBe(1);
  });
});

describe('a copy of the ledger', () => {
  test('holds nothing that opens anything', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'stolen-'));
    ends.push(() => rmSync(directory, { recursive: true }));
    const path = join(directory, 'ledger.db');
    const file = openSqliteFile({ path });
    const store = sqliteApiKeys(file, sqliteChanges(file));
    const { keys, authn } = await open(store);
    const { key: made, text } = await keys.make(wanted({ roles: ['admin'] }));
    const [row] = await store.all();
    file.close();
    const copy = readFileSync(path);
    expect(copy.includes(row?.digest ?? 'none')).toBe(true);
    for (const part of [text, text.slice(17), text.slice(17, 60)]) expect(copy.includes(part)).toBe(false);
    const stolen = apiKeyDigest(text);
    for (const spelling of [stolen.toString('base64url'), stolen.toString('hex')]) {
      for (const attempt of [`jgk_${made.id}_${spelling}`, `jgk_${made.id}_${spelling}${text.slice(60)}`]) {
        expect(await outcome(authn, attempt)).toBe('token-malformed 401');
      }
    }
  });

  test('in which digests were moved to other rows lets nobody be another', async () => {
    const store = memoryApiKeys();
    const { keys } = await open(store);
    const { text } = await keys.make(wanted());
    const [mine] = await store.all();
    const root = keptKey({ account: 'root', roles: ['admin'], digest: mine?.digest ?? '' });
    await store.add(root, 10);
    const { authn } = await open(store);
    expect(authn.verify(text)).toMatchObject({ owner: 'service|ci', roles: [] });
    const crossed = `jgk_${root.id}${text.slice(16, 60)}`;
    expect(await outcome(authn, withChecksum(crossed))).toBe('token-key-unknown 401');
  });
});

describe('a key that is shown to the wrong place', () => {
  test('is sent to no issuer, even misspelt, in whatever order tokens are read, and even if the issuer said yes', async () => {
    const { keys, authn, reversed } = await open();
    const { text } = await keys.make(wanted());
    const before = endpoint.asked.length;
    for (const attempt of [text.slice(0, -1), text.toUpperCase(), `${text}x`, `${text}.x`, 'jgk_', newApiKey().text]) {
      for (const stage of [authn, reversed]) {
        expect(await outcome(stage, attempt)).toMatch(/^token-(malformed|key-unknown) 401$/);
      }
    }
    expect(endpoint.asked.length).toBe(before);
    expect(await outcome(reversed, text)).toBe('accepted');
    expect(await outcome(authn, 'anything-else')).toBe('accepted');
    expect(endpoint.asked.length).toBe(before + 1);
  });
});

describe('a service account', () => {
  test('is nobody whom an issuer could name', async () => {
    const { keys, authn } = await open();
    const { text } = await keys.make(wanted({ account: 'ann' }));
    expect(authn.verify(text)).toMatchObject({ owner: 'service|ann' });
    expect(await authn.verify(key.sign())).toMatchObject({ owner: 'main|ann' });
    expect(await authn.verify(key.sign({ sub: 'service|ann' }))).toMatchObject({ owner: 'main|service|ann' });
    expect(() => authenticator([issuerSettings(server.url, { name: 'service' })])).toThrow('the service accounts');
  });

  test('has the roles of its key, and no others', async () => {
    const { keys, authn } = await open();
    const reader = await keys.make(wanted({ roles: ['reader'] }));
    const admin = await keys.make(wanted({ roles: ['reader', 'admin'] }));
    const route = match({ roles: ['admin'] });
    expect(await authn.authenticate(request(`Bearer ${admin.text}`), route)).toMatchObject({ owner: 'service|ci' });
    expect(await rejectionOf(() => authn.authenticate(request(`Bearer ${reader.text}`), route))).toMatchObject({
      reason: 'role-missing',
      status: 403,
    });
  });
});

describe('a key that was revoked', () => {
  test('is good for nothing, and neither is what was let in by it', async () => {
    const { keys, authn } = await open();
    const [one, two] = [await keys.make(wanted()), await keys.make(wanted())];
    const principal = await authn.verify(one.text);
    authn.recheck(principal);
    await keys.revoke(one.key.id);
    expect(await outcome(authn, one.text)).toBe('token-key-unknown 401');
    expect(await rejectionOf(() => authn.recheck(principal))).toMatchObject({ reason: 'token-revoked' });
    expect(await outcome(authn, two.text)).toBe('accepted');
  });

  test('is not good again when its revocation is taken back', async () => {
    const { keys, revocations, authn } = await open();
    const { key: made, text } = await keys.make(wanted());
    await keys.revoke(made.id);
    const [revocation] = revocations.list();
    await revocations.remove(revocation?.id ?? '');
    expect(await outcome(authn, text)).toBe('token-key-unknown 401');
  });

  test('is refused by a process that has not yet heard that it is gone, once it knows of the revocation', async () => {
    const { keys, revocations, authn } = await open();
    const { key: made, text } = await keys.make(wanted());
    await revocations.add({
      ...{ by: 'token', issuer: 'service', tokenId: made.id },
      ...{ untilMillis: made.expiresAtMillis, note: undefined },
    });
    expect(await outcome(authn, text)).toBe('token-revoked 401');
  });
});

test('a flood of guesses is told what it is in little time', async () => {
  const { keys } = await open();
  await keys.make(wanted());
  const guesses = Array.from({ length: 5_000 }, () => newApiKey().text);
  let refused = 0;
  const before = process.cpuUsage();
  for (const guess of guesses) {
    try {
      keys.verify(guess);
    } catch {
      refused += 1;
    }
  }
  const { user, system } = process.cpuUsage(before);
  expect(refused).toBe(guesses.length);
  // A digest that is slow on purpose, as passwords need one, would take many minutes.
  expect(user + system).toBeLessThan(5_000_000);
});
