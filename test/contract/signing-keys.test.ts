/** What every store of signing keys does; and what the one does that other processes share. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { openSigningKeys } from '../../src/authn/assertion/keys.ts';
import type { SigningKeyChange, SigningKeyStore, StoredSigningKey } from '../../src/authn/assertion/store.ts';
import { LedgerError } from '../../src/store/ledger-error.ts';
import { memorySigningKeys } from '../../src/store/memory/signing-keys.ts';
import { sqliteChanges } from '../../src/store/sqlite/changes.ts';
import { openSqliteFile } from '../../src/store/sqlite/file.ts';
import { sqliteSigningKeys } from '../../src/store/sqlite/signing-keys.ts';
import { eventually } from '../support/eventually.ts';
import { freshSealer } from '../support/signing.ts';

const directory = mkdtempSync(join(tmpdir(), 'signing-keys-'));
const closers: Array<() => void> = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});
afterAll(() => rmSync(directory, { recursive: true }));

let files = 0;
const newPath = (): string => join(directory, `${files++}.db`);

const sqlite = (path = newPath()): SigningKeyStore => {
  const file = openSqliteFile({ path });
  closers.push(() => file.close());
  return sqliteSigningKeys(file, sqliteChanges(file, { everyMillis: 5 }));
};

const key = (id: string, signsFromMillis = 1): StoredSigningKey => ({
  ...{ id, algorithm: 'ES256', publicJwk: `{"x":"${id}"}`, sealed: `sealed ${id}`, madeAtMillis: 7, signsFromMillis },
  retiredAtMillis: undefined,
});
const change = (more: Partial<SigningKeyChange>) => () => ({ make: [], retire: [], remove: [], ...more });

describe.each([
  { name: 'memory', open: () => memorySigningKeys() },
  { name: 'SQLite', open: () => sqlite() },
])('signing keys in $name', ({ open }) => {
  test('are there as they were made, in the order in which they sign', async () => {
    const store = open();
    expect(await store.all()).toEqual([]);
    const made = [key('b', 2), key('c', 1), { ...key('a', 2), retiredAtMillis: 9 }];
    const expected = [made[1], made[2], made[0]];
    expect(await store.change(change({ make: made }))).toEqual(expected);
    expect(await store.all()).toEqual(expected);
  });

  test('go out of use and go away', async () => {
    const store = open();
    await store.change(change({ make: [key('a'), key('b')] }));
    const after = [{ ...key('b'), retiredAtMillis: 5 }];
    expect(await store.change(change({ retire: [{ id: 'b', atMillis: 5 }], remove: ['a'] }))).toEqual(after);
    expect(await store.change(change({ retire: [{ id: 'no', atMillis: 5 }], remove: ['none'] }))).toEqual(after);
    expect(await store.all()).toEqual(after);
  });

  test('are not changed by halves', async () => {
    const store = open();
    await store.change(change({ make: [key('a')] }));
    await expect(store.change(change({ make: [key('b'), key('a')], remove: [] }))).rejects.toThrow();
    expect(await store.all()).toEqual([key('a')]);
  });

  test('are seen by whoever decides as those before have left them', async () => {
    const store = open();
    const seen: number[] = [];
    const one = (id: string) =>
      store.change((keys) => {
        seen.push(keys.length);
        return { make: keys.length === 0 ? [key(id)] : [], retire: [], remove: [] };
      });
    await Promise.all([one('a'), one('b'), one('c')]);
    expect([seen, (await store.all()).length]).toEqual([[0, 1, 1], 1]);
  });
});

describe('processes on one file', () => {
  test('make one key between them when they start together', async () => {
    const path = newPath();
    const [store, sealer] = [sqlite(path), freshSealer()];
    const times = { rotateMillis: 1_000_000, leadMillis: 1_000, keepMillis: 1 };
    const open = (each: SigningKeyStore) => openSigningKeys({ store: each, sealer, algorithm: 'ES256', times });
    const all = await Promise.all([open(sqlite(path)), open(sqlite(path)), open(sqlite(path))]);
    expect(new Set(all.map((keys) => keys.current().id)).size).toBe(1);
    expect(await store.all()).toHaveLength(1);
    for (const keys of all) keys.close();
  });

  test('are told of what another one made, retired or removed', async () => {
    const path = newPath();
    const [here, there] = [sqlite(path), sqlite(path)];
    let told = 0;
    here.onChange(() => {
      told += 1;
    });
    for (const more of [{ make: [key('a')] }, { retire: [{ id: 'a', atMillis: 1 }] }, { remove: ['a'] }]) {
      const before = told;
      await there.change(change(more));
      await eventually(() => told > before);
    }
  });

  test('are told nothing while nothing is changed', async () => {
    const path = newPath();
    const [here, there] = [sqlite(path), sqlite(path)];
    let told = 0;
    here.onChange(() => {
      told += 1;
    });
    await there.change(change({}));
    await there.change(change({ make: [key('a')] }));
    await eventually(() => told > 0);
    expect(told).toBe(1);
  });
});

test('a file that cannot be read is a LedgerError', async () => {
  const file = openSqliteFile({ path: newPath() });
  const store = sqliteSigningKeys(file, sqliteChanges(file));
  file.database.exec('DROP TABLE signing_keys');
  await expect(store.all()).rejects.toThrow(LedgerError);
  await expect(store.change(change({}))).rejects.toThrow(LedgerError);
  file.close();
});
