/** What is told of a wrong file is in ownership-ledger.test.ts, where an operator meets it. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Worker } from 'node:worker_threads';
import { afterAll, describe, expect, test } from 'vitest';
import { LedgerError } from '../../../src/store/ledger-error.ts';
import { describe as describeError, openDatabase } from '../../../src/store/sqlite/schema.ts';
import type { OpenerData } from '../../support/ledger-opener.ts';

const directory = mkdtempSync(join(tmpdir(), 'schema-'));
afterAll(() => rmSync(directory, { recursive: true }));

let files = 0;
const newPath = (): string => join(directory, `${files++}.db`);
const open = (path: string, now = 1) => openDatabase({ path, busyTimeoutMillis: 0, now: () => now });

const columnOf = (database: DatabaseSync, sql: string): unknown[] =>
  database
    .prepare(sql)
    .all()
    .flatMap((row) => Object.values(row));

/** What came with the third version and the one after it, undone: the table of revocations is as the second one made it. */
const undoThird = (database: DatabaseSync): void => {
  for (const name of ['sessions', 'logouts', 'api_keys', 'signing_keys', 'revocations'])
    database.exec(`DROP TABLE ${name}`);
  database.exec(`CREATE TABLE revocations (
     id TEXT PRIMARY KEY,
     by TEXT NOT NULL CHECK (by IN ('user', 'token', 'issued-before')),
     issuer TEXT,
     subject TEXT,
     before INTEGER,
     made_at INTEGER NOT NULL,
     until INTEGER,
     note TEXT,
     CHECK ((by = 'issued-before') = (subject IS NULL)),
     CHECK ((by = 'issued-before') = (before IS NOT NULL)),
     CHECK (by = 'issued-before' OR issuer IS NOT NULL)
   ) STRICT, WITHOUT ROWID;
   CREATE TRIGGER revocation_made AFTER INSERT ON revocations
     BEGIN UPDATE changes SET count = count + 1 WHERE what = 'revocations'; END;
   CREATE TRIGGER revocation_gone AFTER DELETE ON revocations
     BEGIN UPDATE changes SET count = count + 1 WHERE what = 'revocations'; END;
   DELETE FROM changes WHERE what IN ('api_keys', 'signing_keys');
   DELETE FROM schema_version WHERE version IN (3, 4);`);
};

describe('openDatabase', () => {
  test('marks a new file as its own and records when each version was reached', () => {
    const database = open(newPath(), 5);
    expect(columnOf(database, 'PRAGMA application_id')).toEqual([Buffer.from('JzGw').readInt32BE()]);
    expect(columnOf(database, 'SELECT version, applied_at FROM schema_version')).toEqual([1, 5, 2, 5, 3, 5, 4, 5]);
    database.close();
  });

  test('migrates a file once only, and keeps what is in it', () => {
    const path = newPath();
    const database = open(path, 5);
    database.exec("INSERT INTO leans VALUES ('canvas', 'c', 'r')");
    database.close();
    const again = open(path, 6);
    expect(columnOf(again, 'SELECT version, applied_at FROM schema_version')).toEqual([1, 5, 2, 5, 3, 5, 4, 5]);
    expect(columnOf(again, 'SELECT id FROM leans')).toEqual(['c']);
    again.close();
  });

  test('brings a file of the first version to the newest, and keeps what is in it', () => {
    const path = newPath();
    const database = open(path, 5);
    database.exec("INSERT INTO leans VALUES ('canvas', 'c', 'r')");
    undoThird(database);
    // What came with the second version, undone.
    for (const name of ['owner_changed', 'owner_gone']) database.exec(`DROP TRIGGER ${name}`);
    for (const name of ['revocations', 'changes']) database.exec(`DROP TABLE ${name}`);
    database.exec('DELETE FROM schema_version WHERE version = 2');
    database.close();
    const again = open(path, 6);
    expect(columnOf(again, 'SELECT version, applied_at FROM schema_version')).toEqual([1, 5, 2, 6, 3, 6, 4, 6]);
    expect(columnOf(again, 'SELECT id FROM leans')).toEqual(['c']);
    expect(columnOf(again, 'SELECT count(*) FROM revocations')).toEqual([0]);
    again.close();
  });

  test('brings a file of the third version to the newest', () => {
    const path = newPath();
    const database = open(path, 5);
    database.exec('DROP TABLE logouts; DELETE FROM schema_version WHERE version = 4');
    database.close();
    const again = open(path, 6);
    expect(columnOf(again, 'SELECT version, applied_at FROM schema_version')).toEqual([1, 5, 2, 5, 3, 5, 4, 6]);
    expect(columnOf(again, 'SELECT count(*) FROM logouts')).toEqual([0]);
    again.close();
  });

  test('brings a file of the second version to the newest, with its revocations and their count', () => {
    const path = newPath();
    const database = open(path, 5);
    undoThird(database);
    const rows = [
      ['r1', 'user', 'main', 'ann', null, 1, null, 'left'],
      ['r2', 'token', 'main', 'jti', null, 2, 9, null],
      ['r3', 'issued-before', null, null, 5, 3, null, null],
    ];
    const insert = database.prepare('INSERT INTO revocations VALUES (?, ?, ?, ?, ?, ?, ?, ?)');
    for (const row of rows) insert.run(...row);
    expect(() => insert.run('r4', 'session', null, 's', null, 4, null, null)).toThrow(/constraint/);
    database.close();
    const again = open(path, 6);
    expect(columnOf(again, 'SELECT version, applied_at FROM schema_version')).toEqual([1, 5, 2, 5, 3, 6, 4, 6]);
    expect(columnOf(again, 'SELECT * FROM revocations ORDER BY id')).toEqual(rows.flat());
    const counts = () => columnOf(again, 'SELECT count FROM changes ORDER BY what');
    expect(counts()).toEqual([0, 0, 3, 0]);
    again.exec("INSERT INTO revocations VALUES ('r4', 'session', NULL, 's', NULL, 4, NULL, NULL)");
    again.exec("DELETE FROM revocations WHERE id = 'r1'");
    expect(counts()).toEqual([0, 0, 5, 0]);
    again.close();
  });

  test('waits for the disk at every commit', () => {
    const database = open(newPath());
    expect(columnOf(database, 'PRAGMA synchronous')).toEqual([2]);
    database.close();
  });

  test('takes an empty file for a new one, but not one that bears the mark of another program', () => {
    const path = newPath();
    new DatabaseSync(path).close();
    open(path).close();
    const marked = newPath();
    const other = new DatabaseSync(marked);
    other.exec('PRAGMA application_id = 42');
    other.close();
    expect(() => open(marked)).toThrow(LedgerError);
    expect(() => open(marked)).toThrow(/is not a ledger: found application id 42 with 0 tables/);
  });

  test('leaves no half of a migration behind when one fails', () => {
    const path = newPath();
    const broken = () =>
      openDatabase({
        path,
        busyTimeoutMillis: 0,
        now: () => {
          throw new Error('no clock');
        },
      });
    expect(broken).toThrow(/^cannot open the ledger .*: no clock$/);
    const found = new DatabaseSync(path);
    expect(columnOf(found, 'SELECT name FROM sqlite_schema')).toEqual([]);
    found.close();
    open(path).close();
  });
});

describe('the table of resources', () => {
  const row = ['canvas', 'c', 'main|ann', null, null, 'owned', 'request', 1];
  test.each([
    ['a state that is none', row.with(5, 'free')],
    ['an origin that is none', row.with(6, 'guess')],
    ['a parent without an id', row.with(3, 'canvas')],
    ['a parent without a kind', row.with(4, 'c')],
    ['no owner', row.with(2, null)],
    ['a time that is a text', row.with(7, 'now')],
  ])('holds no row with %s', (_name, values) => {
    const database = open(':memory:');
    const insert = database.prepare('INSERT INTO resources VALUES (?, ?, ?, ?, ?, ?, ?, ?)');
    expect(() => insert.run(...values)).toThrow(/constraint|cannot store/);
    expect(insert.run(...row).changes).toBe(1);
    expect(() => insert.run(...row.with(2, 'main|bob'))).toThrow(/UNIQUE/);
    database.close();
  });
});

describe('the table of revocations', () => {
  const row = ['r1', 'user', 'main', 'ann', null, 1, null, null];
  const before = row.with(1, 'issued-before').with(3, null).with(4, 5);
  test.each([
    ['a way that is none', row.with(1, 'mood')],
    ['no user', row.with(3, null)],
    ['a user without an issuer', row.with(2, null)],
    ['a user and a moment', row.with(4, 5)],
    ['a moment that is none', before.with(4, null)],
    ['a moment and a user', before.with(3, 'ann')],
    ['a token without an issuer', row.with(1, 'token').with(2, null)],
    ['no session', row.with(1, 'session').with(2, null).with(3, null)],
    ['no time', row.with(5, null)],
  ])('holds no row with %s', (_name, values) => {
    const database = open(':memory:');
    const insert = database.prepare('INSERT INTO revocations VALUES (?, ?, ?, ?, ?, ?, ?, ?)');
    expect(() => insert.run(...values)).toThrow(/constraint/);
    expect(insert.run(...row).changes).toBe(1);
    expect(() => insert.run(...before)).toThrow(/UNIQUE/);
    expect(insert.run(...before.with(0, 'r2').with(2, null)).changes).toBe(1);
    expect(insert.run(...row.with(0, 'r3').with(1, 'session').with(2, null)).changes).toBe(1);
    database.close();
  });
});

test('an error is described by its own message, anything else by itself', () => {
  expect([new Error('disk I/O error'), 'odd'].map(describeError)).toEqual(['disk I/O error', 'odd']);
});

test('of several that open a new ledger at the same moment, each gets it', async () => {
  const paths = Array.from({ length: 40 }, newPath);
  const arrived = new Int32Array(new SharedArrayBuffer(paths.length * 4));
  const openers = Array.from({ length: 2 }, () => {
    const workerData: OpenerData = { paths, rivals: 2, arrived };
    return once(new Worker(new URL('../../support/ledger-opener.ts', import.meta.url), { workerData }), 'message');
  });
  expect((await Promise.all(openers)).flat(2)).toEqual([]);
});
