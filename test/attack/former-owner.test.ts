/**
 * What was mine and is no longer: another process on the same ledger has given it up, deleted it or handed it on, and this
 * one still remembers whose it was. Without a Redis nobody tells it.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type OwnershipLookup, ownershipLookup } from '../../src/authz/lookup.ts';
import type { Claim, OwnershipLedger } from '../../src/authz/ownership.ts';
import { nearOwnershipCache } from '../../src/store/memory/near-ownership-cache.ts';
import { sqliteChanges } from '../../src/store/sqlite/changes.ts';
import { openSqliteFile } from '../../src/store/sqlite/file.ts';
import { sqliteLedger } from '../../src/store/sqlite/ownership-ledger.ts';
import { eventually } from '../support/eventually.ts';

let directory: string;
let path: string;
const canvas = { kind: 'canvas', id: 'c' };
const create: Claim = { ref: canvas, parent: undefined, verb: 'create' };

/** One gateway's ledger with the memory in front of it, which looks at what others do or does not. */
const gateway = (looks: boolean): { lookup: OwnershipLookup; ledger: OwnershipLedger } => {
  const file = openSqliteFile({ path });
  const ledger = sqliteLedger(file);
  const near = nearOwnershipCache({ maxEntries: 100, maxAgeMillis: 300_000 });
  const changes = sqliteChanges(file);
  if (looks) changes.watch('owners', (news) => (news === 'changed' ? near.clear() : undefined));
  return { lookup: ownershipLookup({ ledger, near, common: undefined }), ledger };
};

let here: ReturnType<typeof gateway>;
let other: ReturnType<typeof gateway>;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'former-owner-'));
  path = join(directory, 'ownership.db');
  [here, other] = [gateway(true), gateway(true)];
  await here.ledger.claim([create], 'main|ann', 'r1');
  expect(await here.lookup.ownersOf([canvas])).toEqual(['main|ann']);
});
afterEach(async () => {
  await here.ledger.close();
  await other.ledger.close();
  rmSync(directory, { recursive: true });
});

const isOf = async (owner: string | undefined): Promise<boolean> => (await here.lookup.ownersOf([canvas]))[0] === owner;

test('the attack works on who does not look: a former owner is remembered', async () => {
  const blind = gateway(false);
  expect(await blind.lookup.ownersOf([canvas])).toEqual(['main|ann']);
  await other.ledger.settle([canvas], 'r1', 'undone');
  await eventually(() => isOf(undefined));
  expect(await blind.lookup.ownersOf([canvas])).toEqual(['main|ann']);
  await blind.ledger.close();
});

test('what another process gave back, and somebody else took, is theirs here within a second', async () => {
  await other.ledger.settle([canvas], 'r1', 'undone');
  await other.ledger.claim([create], 'main|bob', 'r2');
  await eventually(() => isOf('main|bob'), 1000);
});

test('what another process deleted is nobody’s here within a second', async () => {
  await other.ledger.settle([canvas], 'r1', 'kept');
  await other.ledger.release(canvas, 'main|ann');
  await eventually(() => isOf(undefined), 1000);
});

test('what another program handed on is another’s here within a second', async () => {
  const program = new DatabaseSync(path);
  program.exec("UPDATE resources SET owner = 'main|bob'");
  program.close();
  await eventually(() => isOf('main|bob'), 1000);
});
