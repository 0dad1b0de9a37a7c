import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LedgerError } from '../../../src/store/ledger-error.ts';
import { type GroupCommit, groupCommit } from '../../../src/store/sqlite/group-commit.ts';

let directory: string;
let database: DatabaseSync;
/** Another connection: it sees what is committed, and nothing else. */
let onlooker: DatabaseSync;
let commits: GroupCommit;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'commits-'));
  const path = join(directory, 'ledger.db');
  database = new DatabaseSync(path, { timeout: 0 });
  database.exec('PRAGMA journal_mode = WAL; CREATE TABLE words (word TEXT PRIMARY KEY) STRICT');
  onlooker = new DatabaseSync(path);
  commits = groupCommit(database);
});
afterEach(() => {
  for (const one of [database, onlooker]) if (one.isOpen) one.close();
  rmSync(directory, { recursive: true });
});

const committed = (): unknown[] =>
  onlooker
    .prepare('SELECT word FROM words ORDER BY word')
    .all()
    .map(({ word }) => word);

/** Adds a word and returns how many of them others can see. */
const add = (word: string) => (): number => {
  database.prepare('INSERT INTO words VALUES (?)').run(word);
  return committed().length;
};

const outcomesOf = (settled: ReadonlyArray<PromiseSettledResult<unknown>>) => settled.map(({ status }) => status);

describe('write', () => {
  test('of one turn is one transaction, which is told of when it is committed', async () => {
    let seen: unknown[] = [];
    const first = commits.write(add('a')).then((count) => {
      seen = committed();
      return count;
    });
    expect(await Promise.all([first, commits.write(add('b')), commits.write(add('c'))])).toEqual([0, 0, 0]);
    expect(seen).toEqual(['a', 'b', 'c']);
  });

  test('of the next turn is the next transaction', async () => {
    expect(await commits.write(add('a'))).toBe(0);
    expect(await commits.write(add('b'))).toBe(1);
  });

  test('waits for the next turn when 256 others came before it', async () => {
    const counts = await Promise.all(Array.from({ length: 257 }, (_, index) => commits.write(add(String(index)))));
    expect(counts.slice(0, 256).every((count) => count === 0)).toBe(true);
    expect(counts[256]).toBe(256);
  });

  test('that throws takes back what it wrote, and nothing of its neighbours', async () => {
    const half = () => {
      add('half')();
      return add('a')();
    };
    const settled = await Promise.allSettled([add('a'), half, add('b')].map((work) => commits.write(work)));
    expect(outcomesOf(settled)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(settled[1]).toMatchObject({
      reason: { name: 'LedgerError', message: expect.stringMatching(/^the ledger refused a write: UNIQUE/) },
    });
    expect(committed()).toEqual(['a', 'b']);
  });

  test('is rejected with all its neighbours when the disk is full, and the next one goes through', async () => {
    const { page_count: pages } = database.prepare('PRAGMA page_count').get() ?? {};
    database.exec(`PRAGMA max_page_count = ${Number(pages) + 1}`);
    const settled = await Promise.allSettled(['a', 'x'.repeat(100_000), 'b'].map((word) => commits.write(add(word))));
    expect(outcomesOf(settled)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(settled[0]).toMatchObject({ reason: expect.any(LedgerError) });
    expect(committed()).toEqual([]);
    await commits.write(add('c'));
    expect(committed()).toEqual(['c']);
  });

  test('is rejected while another process writes, and leaves no transaction open', async () => {
    onlooker.exec('BEGIN IMMEDIATE');
    await expect(commits.write(add('a'))).rejects.toThrow(/^the ledger cannot be written: database is locked/);
    onlooker.exec('ROLLBACK');
    expect(database.isTransaction).toBe(false);
    await commits.write(add('b'));
    expect(committed()).toEqual(['b']);
  });

  test('is rejected when it cannot be committed, and leaves no transaction open', async () => {
    database.exec('CREATE TABLE rhymes (word TEXT REFERENCES words (word) DEFERRABLE INITIALLY DEFERRED) STRICT');
    const orphan = () => database.prepare("INSERT INTO rhymes VALUES ('none')").run();
    const settled = await Promise.allSettled([commits.write(orphan), commits.write(add('a'))]);
    expect(outcomesOf(settled)).toEqual(['rejected', 'rejected']);
    expect(settled[1]).toMatchObject({ reason: { message: expect.stringContaining('FOREIGN KEY') } });
    await commits.write(add('b'));
    expect(committed()).toEqual(['b']);
  });

  test('is rejected on a connection that was closed', async () => {
    database.close();
    await expect(commits.write(() => 1)).rejects.toThrow(LedgerError);
  });
});

describe('flush', () => {
  test('commits what waits at once, however much it is, and each only once', async () => {
    const written = Array.from({ length: 300 }, (_, index) => commits.write(add(String(index))));
    commits.flush();
    expect(committed()).toHaveLength(300);
    await nextTurn();
    expect(outcomesOf(await Promise.allSettled(written)).every((status) => status === 'fulfilled')).toBe(true);
    expect(committed()).toHaveLength(300);
  });

  test('does nothing when nothing waits', () => {
    commits.flush();
    expect(database.isTransaction).toBe(false);
  });
});
