/** What every store of API keys does; and what those do that other processes share. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import type { ApiKeyStore } from '../../src/authn/api-keys.ts';
import { LedgerError } from '../../src/store/ledger-error.ts';
import { memoryApiKeys } from '../../src/store/memory/api-keys.ts';
import { sqliteApiKeys } from '../../src/store/sqlite/api-keys.ts';
import { sqliteChanges } from '../../src/store/sqlite/changes.ts';
import { openSqliteFile } from '../../src/store/sqlite/file.ts';
import { keptKey, openKeys, wanted } from '../support/api-keys.ts';
import { eventually } from '../support/eventually.ts';
import { outcome } from '../support/token-issuer.ts';

const directory = mkdtempSync(join(tmpdir(), 'api-keys-'));
const closers: Array<() => void> = [];
afterEach(() => {
  for (const close of closers.splice(0).reverse()) close();
});
afterAll(() => rmSync(directory, { recursive: true }));

let files = 0;
const newPath = (): string => join(directory, `${files++}.db`);

const sqlite = (path = newPath()): ApiKeyStore => {
  const file = openSqliteFile({ path });
  closers.push(() => file.close());
  return sqliteApiKeys(file, sqliteChanges(file));
};

const MOST = 100;
const stores = [
  { name: 'this process', open: () => memoryApiKeys() },
  { name: 'SQLite', open: () => sqlite() },
];

describe.each(stores)('API keys in $name', ({ open }) => {
  test('come back as they were made, oldest first', async () => {
    const store = open();
    const made = [
      keptKey({ madeAtMillis: 3, note: 'für "nachts"\u0000' }),
      keptKey({ madeAtMillis: 1, roles: ['admin', '{"x":1}', 'ä'] }),
      keptKey({ madeAtMillis: 2, account: 'other', expiresAtMillis: 8_000_000_000_000 }),
    ];
    for (const one of made) expect(await store.add(one, MOST)).toBe(true);
    expect(await store.all()).toEqual([made[1], made[2], made[0]]);
  });

  test('are removed by their id, once', async () => {
    const store = open();
    const [one, other] = [keptKey(), keptKey()];
    await store.add(one, MOST);
    await store.add(other, MOST);
    const removed = [await store.remove(one.id), await store.remove(one.id), await store.remove('x')];
    expect(removed).toEqual([true, false, false]);
    expect(await store.all()).toEqual([other]);
  });

  test('are one for an id', async () => {
    const store = open();
    const one = keptKey();
    await store.add(one, MOST);
    await expect(store.add({ ...one, account: 'thief' }, MOST)).rejects.toThrow();
    expect(await store.all()).toEqual([one]);
  });

  test('are no more than the bound, however many are added together', async () => {
    const store = open();
    const added = await Promise.all(Array.from({ length: 10 }, () => store.add(keptKey(), 4)));
    expect(added.filter((one) => one)).toHaveLength(4);
    expect(await store.all()).toHaveLength(4);
  });

  test('are purged when they expired before the moment, and not at it', async () => {
    const store = open();
    const [gone, there] = [keptKey({ expiresAtMillis: 999 }), keptKey({ expiresAtMillis: 1000 })];
    await store.add(gone, MOST);
    await store.add(there, MOST);
    await store.purge(1000);
    expect(await store.all()).toEqual([there]);
  });
});

describe('API keys in a file', () => {
  const gateway = async (path: string) => {
    const { keys, end } = await openKeys(sqlite(path), { now: Date.now });
    closers.push(end);
    return keys;
  };
  const terms = () => wanted({ expiresAtMillis: Date.now() + 60_000 });

  test('are kept before it is said that they are, whatever becomes of the process', async () => {
    const path = newPath();
    const made = keptKey();
    const script = new URL('../support/key-keeper.ts', import.meta.url).pathname;
    const child = spawn(process.execPath, [script, path, JSON.stringify(made)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    expect(await sqlite(path).all()).toEqual([made]);
  });

  test('are of all gateways on it within a second: made here, good there, revoked there, refused here', async () => {
    const path = newPath();
    const [one, other] = [await gateway(path), await gateway(path)];
    const { key, text } = await one.make(terms());
    const made = performance.now();
    await eventually(async () => (await outcome(other, text)) === 'accepted');
    expect(performance.now() - made).toBeLessThan(1000);
    await other.revoke(key.id);
    const revoked = performance.now();
    await eventually(async () => (await outcome(one, text)) === 'token-key-unknown 401');
    expect(performance.now() - revoked).toBeLessThan(1000);
  });

  test('outlive a restart, and the file never held one', async () => {
    const path = newPath();
    const { text } = await (await gateway(path)).make(terms());
    for (const close of closers.splice(0).reverse()) close();
    expect(await outcome(await gateway(path), text)).toBe('accepted');
    for (const close of closers.splice(0).reverse()) close();
    expect(readFileSync(path).includes(text.slice(17, 60))).toBe(false);
  });

  test('that cannot be read stay as they were known, until they can be', async () => {
    const path = newPath();
    const keys = await gateway(path);
    const { text } = await keys.make(terms());
    const program = new DatabaseSync(path);
    program.exec("ALTER TABLE api_keys RENAME TO lost; UPDATE changes SET count = count + 1 WHERE what = 'api_keys'");
    await eventually(() => !keys.healthy());
    expect(await outcome(keys, text)).toBe('accepted');
    program.exec('DELETE FROM lost; ALTER TABLE lost RENAME TO api_keys');
    await eventually(async () => keys.healthy() && (await outcome(keys, text)) === 'token-key-unknown 401');
    program.close();
  });

  test('that cannot be read at the start reject with the store’s error', async () => {
    const file = openSqliteFile({ path: newPath() });
    const store = sqliteApiKeys(file, sqliteChanges(file));
    file.close();
    await expect(openKeys(store)).rejects.toThrow(LedgerError);
  });

  test.each(['', 'null', '{}', '"admin"', '[1]', '["a",["b"]]'])(
    'are refused as a whole with the roles %s',
    async (roles) => {
      const path = newPath();
      const store = sqlite(path);
      const program = new DatabaseSync(path);
      program.prepare('INSERT INTO api_keys VALUES (?, ?, ?, ?, 1, 2, NULL)').run('x', 'd', 'ci', roles);
      program.close();
      await expect(store.all()).rejects.toThrow(LedgerError);
    },
  );
});
