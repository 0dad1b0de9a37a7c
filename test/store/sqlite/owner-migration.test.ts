import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { OwnerUndo } from '../../../src/model/owner-change.ts';
import { LedgerError } from '../../../src/store/ledger-error.ts';
import {
  type ApplyTerms,
  isConflict,
  type OwnerMigration,
  openOwnerMigration,
} from '../../../src/store/sqlite/owner-migration.ts';
import { NOW, type OwnedFile, ownedFile } from '../../support/owned-file.ts';

const directory = mkdtempSync(join(tmpdir(), 'owner-migration-'));
afterAll(() => rmSync(directory, { recursive: true }));

let files = 0;
let there: OwnedFile;
let migration: OwnerMigration;
let kept: OwnerUndo[];
beforeEach(() => {
  there = ownedFile(join(directory, `${files++}.db`));
  migration = openOwnerMigration({ path: there.path, now: () => NOW });
  kept = [];
});
afterEach(() => {
  migration.close();
  there.close();
});

const terms = (more: Partial<ApplyTerms> = {}): ApplyTerms => ({
  merge: false,
  refusedMillis: 1_000,
  keep: (undo) => void kept.push(undo),
  ...more,
});
type Pair = readonly [from: string, to: string];

const rename = (...pairs: readonly Pair[]) => ({
  owners: pairs.map(([from, to]) => ({ from, to })),
});
const keptOne = (): OwnerUndo => {
  const [undo] = kept;
  if (undo === undefined) throw new Error('nothing was kept');
  return undo;
};

describe('the list', () => {
  test('tells who has what, tombstones apart', () => {
    there.own('b|x', '1');
    there.own('a|x', '2', '3');
    there.bury('a|x', '4');
    expect(migration.list()).toEqual([
      { owner: 'a|x', resources: 2, deleted: 1 },
      { owner: 'b|x', resources: 1, deleted: 0 },
    ]);
  });

  test('of an issuer is of no other one, however alike they are called', () => {
    there.own('corp|x', '1');
    there.own('corp-2|x', '2');
    there.own('cor|p|x', '3');
    there.own('corp|', '4');
    there.own('corp|\u{10ffff}', '5');
    expect(migration.list('corp').map(({ owner }) => owner)).toEqual(['corp|', 'corp|x', 'corp|\u{10ffff}']);
    expect(migration.list('none')).toEqual([]);
  });
});

describe('a plan', () => {
  test('says what it is about, and changes nothing', () => {
    there.own('a|x', '1', '2');
    there.bury('a|x', '3');
    there.session('a', 'x');
    there.session('a', 'x', NOW);
    there.session('b', 'x');
    there.revoke('r1', { issuer: 'a', subject: 'x' });
    there.revoke('r2', { issuer: 'a', subject: 'x', until: NOW });
    there.key('k', 'x');
    const before = there.rows('SELECT * FROM changes');
    const numbers = { resources: 2, deleted: 1, sessions: 1, keys: 0, revocations: 1, meets: 0 };
    expect(migration.plan(rename(['a|x', 'a|y']))).toEqual([{ from: 'a|x', to: 'a|y', ...numbers }]);
    expect(migration.plan(rename(['service|x', 'service|y']))[0]).toMatchObject({ resources: 0, keys: 1 });
    expect(there.rows('SELECT * FROM changes')).toEqual(before);
    expect(there.owners()).toEqual({ 1: 'a|x', 2: 'a|x', 3: 'a|x' });
  });

  test('sees whom the new owner would meet: one that stays, one that comes too, and none that goes', () => {
    there.own('a|x', '1');
    there.own('a|y', '2');
    there.bury('a|z', '3');
    const conflicts = (...pairs: readonly Pair[]) => migration.plan(rename(...pairs)).map(isConflict);
    expect(conflicts(['a|x', 'a|y'])).toEqual([true]);
    expect(conflicts(['a|x', 'a|z'])).toEqual([true]);
    expect(conflicts(['a|x', 'a|new'], ['a|y', 'a|new'])).toEqual([true, true]);
    expect(conflicts(['a|x', 'a|y'], ['a|y', 'a|x'])).toEqual([false, false]);
    expect(conflicts(['a|x', 'a|y'], ['a|y', 'a|new'])).toEqual([false, false]);
    expect(conflicts(['a|nobody', 'a|y'])).toEqual([false]);
    expect(conflicts(['a|x', 'a|new'], ['a|nobody', 'a|new'])).toEqual([false, false]);
  });
});

describe('a renaming', () => {
  test('is of all that an owner has, tombstones too; how an id became known stays', () => {
    there.own('a|x', '1');
    there.bury('a|x', '2');
    there.own('a|z', '3');
    const { changes, refs } = migration.apply(rename(['a|x', 'b|y']), terms());
    expect(there.owners()).toEqual({ 1: 'b|y', 2: 'b|y', 3: 'a|z' });
    expect(there.rows('SELECT DISTINCT origin, created_at, parent_id FROM resources')).toHaveLength(1);
    expect(refs).toEqual([
      { kind: 'canvas', id: '1' },
      { kind: 'canvas', id: '2' },
    ]);
    expect(changes).toHaveLength(1);
  });

  test('may exchange two names, and pass one on', () => {
    there.own('a|x', '1');
    there.own('a|y', '2');
    migration.apply(rename(['a|x', 'a|y'], ['a|y', 'a|x']), terms());
    expect(there.owners()).toEqual({ 1: 'a|y', 2: 'a|x' });
    migration.apply(rename(['a|y', 'a|x'], ['a|x', 'a|z']), terms());
    expect(there.owners()).toEqual({ 1: 'a|x', 2: 'a|z' });
  });

  test('of an issuer is of all its users, whatever they are called, and of nobody else', () => {
    there.own('old|x', '1');
    there.own('old|y|z', '2');
    there.own('older|x', '3');
    there.own('a|old|x', '4');
    migration.apply({ issuer: { from: 'old', to: 'new' } }, terms());
    expect(there.owners()).toEqual({ 1: 'new|x', 2: 'new|y|z', 3: 'older|x', 4: 'a|old|x' });
  });

  test('in which one owner would meet another changes nothing, unless that is wanted', () => {
    there.own('a|x', '1');
    there.own('a|y', '2');
    there.own('a|z', '3');
    const pairs = rename(['a|z', 'a|new'], ['a|x', 'a|y']);
    expect(() => migration.apply(pairs, terms())).toThrow(LedgerError);
    expect(there.owners()).toEqual({ 1: 'a|x', 2: 'a|y', 3: 'a|z' });
    expect(kept).toEqual([]);
    migration.apply(pairs, terms({ merge: true }));
    expect(there.owners()).toEqual({ 1: 'a|y', 2: 'a|y', 3: 'a|new' });
  });

  test('changes nothing when what takes it back cannot be kept', () => {
    there.own('a|x', '1');
    there.session('a', 'x');
    const keep = () => {
      throw new Error('disk full');
    };
    expect(() => migration.apply(rename(['a|x', 'a|y']), terms({ keep }))).toThrow('disk full');
    expect(there.owners()).toEqual({ 1: 'a|x' });
    expect(there.rows('SELECT id FROM sessions')).toHaveLength(1);
    expect(there.rows('SELECT id FROM revocations')).toEqual([]);
    // And the next one is not in the way of what is left of it.
    migration.apply(rename(['a|x', 'a|y']), terms());
    expect(there.owners()).toEqual({ 1: 'a|y' });
  });

  test('is kept before it is done: another process sees the old owner then', () => {
    there.own('a|x', '1');
    migration.apply(rename(['a|x', 'a|y']), terms({ keep: () => expect(there.owners()).toEqual({ 1: 'a|x' }) }));
    expect(there.owners()).toEqual({ 1: 'a|y' });
  });

  test('is counted as a change of owners, which running gateways look at', () => {
    there.own('a|x', '1');
    const count = () => there.rows("SELECT count FROM changes WHERE what = 'owners'")[0]?.count;
    const before = count();
    migration.apply(rename(['a|x', 'a|y']), terms());
    expect(count()).not.toBe(before);
  });

  test('waits for a gateway that is writing, and does not go on without it', () => {
    there.own('a|x', '1');
    there.file.database.exec('BEGIN IMMEDIATE');
    const impatient = openOwnerMigration({ path: there.path, patienceMillis: 20 });
    expect(() => impatient.apply(rename(['a|x', 'a|y']), terms())).toThrow(/was not changed.*locked/);
    there.file.database.exec('COMMIT');
    impatient.apply(rename(['a|x', 'a|y']), terms());
    impatient.close();
    expect(there.owners()).toEqual({ 1: 'a|y' });
  });
});

describe('taken back', () => {
  test('what changed hands is its former owner’s again, also where two had become one', () => {
    there.own('a|x', '1');
    there.own('a|y', '2');
    there.bury('a|x', '3');
    migration.apply(rename(['a|x', 'a|y']), terms({ merge: true }));
    expect(migration.restorable(keptOne())).toHaveLength(2);
    expect(there.owners()).toEqual({ 1: 'a|y', 2: 'a|y', 3: 'a|y' });
    expect(migration.restore(keptOne())).toEqual([
      { kind: 'canvas', id: '1' },
      { kind: 'canvas', id: '3' },
    ]);
    expect(there.owners()).toEqual({ 1: 'a|x', 2: 'a|y', 3: 'a|x' });
  });

  test('what has become somebody else’s since, or is gone, stays as it is', () => {
    there.own('a|x', '1', '2', '3');
    migration.apply(rename(['a|x', 'a|y']), terms());
    migration.apply({ owners: [{ from: 'a|y', to: 'a|z' }] }, terms({ keep: () => undefined }));
    there.file.database.exec("UPDATE resources SET owner = 'a|y' WHERE id = '1'; DELETE FROM resources WHERE id = '2'");
    expect(migration.restore(keptOne())).toEqual([{ kind: 'canvas', id: '1' }]);
    expect(there.owners()).toEqual({ 1: 'a|x', 3: 'a|z' });
  });
});

test('a ledger that is not there is not made', () => {
  const path = join(directory, 'none.db');
  expect(() => openOwnerMigration({ path })).toThrow('there is no ledger');
  expect(() => openOwnerMigration({ path })).toThrow(LedgerError);
});
