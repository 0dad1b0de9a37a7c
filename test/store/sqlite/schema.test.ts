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

describe('openDatabase', () => {
  test('marks a new file as its own and records when each version was reached', () => {
    const database = open(newPath(), 5);
    expect(columnOf(database, 'PRAGMA application_id')).toEqual([Buffer.from('JzGw').readInt32BE()]);
    expect(columnOf(database, 'SELECT version, applied_at FROM schema_version')).toEqual([1, 5]);
    database.close();
  });

  test('migrates a file once only, and keeps what is in it', () => {
    const path = newPath();
    const database = open(path, 5);
    database.exec("INSERT INTO leans VALUES ('canvas', 'c', 'r')");
    database.close();
    const again = open(path, 6);
    expect(columnOf(again, 'SELECT version, applied_at FROM schema_version')).toEqual([1, 5]);
    expect(columnOf(again, 'SELECT id FROM leans')).toEqual(['c']);
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
