import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Claim } from '../../../src/authz/ownership.ts';
import { type Counted, type SqliteChanges, sqliteChanges } from '../../../src/store/sqlite/changes.ts';
import { openSqliteFile, type SqliteFile } from '../../../src/store/sqlite/file.ts';
import { sqliteLedger } from '../../../src/store/sqlite/ownership-ledger.ts';
import { sqliteRevocations } from '../../../src/store/sqlite/revocations.ts';
import { ofUser, revocation } from '../../support/revocations.ts';

const directory = mkdtempSync(join(tmpdir(), 'changes-'));
afterAll(() => rmSync(directory, { recursive: true }));

const EVERY = 250;
const canvas = { kind: 'canvas', id: 'c' };
const create: Claim = { ref: canvas, parent: undefined, verb: 'create' };
const noted: Pick<Record<Counted, string[]>, 'owners' | 'revocations'> = { owners: [], revocations: [] };

let files = 0;
let path: string;
let here: SqliteFile;
let other: SqliteFile;
let changes: SqliteChanges;
beforeEach(() => {
  path = join(directory, `${files++}.db`);
  here = openSqliteFile({ path });
  other = openSqliteFile({ path });
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  changes = sqliteChanges(here);
  for (const what of ['owners', 'revocations'] as const) {
    noted[what] = [];
    changes.watch(what, (news) => noted[what].push(news));
  }
});
afterEach(() => {
  vi.useRealTimers();
  changes.close();
  here.close();
  other.close();
});

const look = (): typeof noted => {
  vi.advanceTimersByTime(EVERY);
  return noted;
};

test('nothing is told while nothing changes', () => {
  look();
  expect(look()).toEqual({ owners: [], revocations: [] });
});

describe('a change of owner by another process', () => {
  test('is told once for each look: an id that is given back, released, or another’s', async () => {
    const ledger = sqliteLedger(other);
    await ledger.claim([create], 'main|ann', 'r1');
    await ledger.settle([canvas], 'r1', 'undone');
    expect(look().owners).toEqual(['changed']);
    await ledger.claim([create], 'main|bob', 'r2');
    await ledger.settle([canvas], 'r2', 'kept');
    await ledger.release(canvas, 'main|bob');
    expect(look().owners).toEqual(['changed', 'changed']);
    expect(look().owners).toHaveLength(2);
  });

  test('is told also when it was no gateway', () => {
    here.database.exec(`INSERT INTO resources VALUES ('canvas', 'c', 'main|ann', NULL, NULL, 'owned', 'admin', 1)`);
    look();
    const program = new DatabaseSync(path);
    program.exec("UPDATE resources SET owner = 'main|bob'");
    expect(look().owners).toEqual(['changed']);
    program.exec("UPDATE resources SET id = 'd'");
    expect(look().owners).toHaveLength(2);
    program.exec('DELETE FROM resources');
    expect(look().owners).toHaveLength(3);
    program.close();
  });

  test('is not what becomes somebody’s, nor a revocation', async () => {
    const ledger = sqliteLedger(other);
    await ledger.claim([create], 'main|ann', 'r1');
    await ledger.settle([canvas], 'r1', 'kept');
    await ledger.learn({ ref: { kind: 'file', id: 'f' }, parent: canvas, origin: 'event' }, 'main|ann');
    expect(look().owners).toEqual([]);
    await sqliteRevocations(other, changes).add(revocation(ofUser('ann')));
    expect(look()).toEqual({ owners: [], revocations: ['changed'] });
  });
});

test('a revocation that another process makes or takes back is told', async () => {
  const store = sqliteRevocations(other, changes);
  const made = revocation(ofUser('ann'));
  await store.add(made);
  expect(look().revocations).toEqual(['changed']);
  await store.remove(made.id);
  expect(look().revocations).toHaveLength(2);
});

test('what this process does itself is told to nobody', async () => {
  const ledger = sqliteLedger(here);
  await ledger.claim([create], 'main|ann', 'r1');
  await ledger.release(canvas, 'main|ann');
  await sqliteRevocations(here, changes).add(revocation(ofUser('ann')));
  expect(look()).toEqual({ owners: [], revocations: [] });
});

test('what is written is not told before it is committed', () => {
  other.database.exec(`BEGIN IMMEDIATE; UPDATE changes SET count = count + 1 WHERE what = 'owners'`);
  expect(look().owners).toEqual([]);
  other.database.exec('COMMIT');
  expect(look().owners).toEqual(['changed']);
});

test('that it cannot be told is said at each look, and then that everything may have changed', () => {
  other.database.exec('ALTER TABLE changes RENAME TO lost');
  look();
  expect(look()).toEqual({ owners: ['unreadable', 'unreadable'], revocations: ['unreadable', 'unreadable'] });
  other.database.exec('ALTER TABLE lost RENAME TO changes');
  expect(look().owners.at(-1)).toBe('changed');
  expect(look().owners).toHaveLength(3);
});

test('nobody looks any more once it is closed, or once the file is', () => {
  expect(vi.getTimerCount()).toBe(1);
  changes.close();
  expect(vi.getTimerCount()).toBe(0);
  const more = sqliteChanges(other);
  more.watch('owners', () => noted.owners.push('heard'));
  other.close();
  look();
  expect([vi.getTimerCount(), noted.owners]).toEqual([0, []]);
});
