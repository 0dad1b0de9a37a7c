/** Every ledger there is, opened empty, and the words in which their suites speak. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import type { Claim, OwnershipLedger } from '../../src/authz/ownership.ts';
import type { ResourceRef } from '../../src/model/resource.ts';
import { memoryLedger } from '../../src/store/memory/ownership-ledger.ts';
import { openSqliteLedger } from '../../src/store/sqlite/ownership-ledger.ts';

const directory = mkdtempSync(join(tmpdir(), 'ledger-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

let files = 0;

export const now = (): number => 1_700_000_000_000;

export const ledgers: ReadonlyArray<{ readonly name: string; readonly open: () => OwnershipLedger }> = [
  { name: 'memory', open: () => memoryLedger({ now }) },
  { name: 'SQLite', open: () => openSqliteLedger({ path: join(directory, `${files++}`, 'ledger.db'), now }) },
];

export const [ann, bob] = ['main|ann', 'main|bob'] as const;
export const canvas = (id: string): ResourceRef => ({ kind: 'canvas', id });
export const session = (id: string): ResourceRef => ({ kind: 'session', id });
export const file = (id: string): ResourceRef => ({ kind: 'file', id });
export const create = (ref: ResourceRef, parent?: ResourceRef): Claim => ({ ref, parent, verb: 'create' });
export const claim = (ref: ResourceRef, parent?: ResourceRef): Claim => ({ ref, parent, verb: 'claim' });

/** Returns `nobody`, or the owner and the state. */
export async function stateIn(ledger: OwnershipLedger, ref: ResourceRef): Promise<string> {
  const [record] = await ledger.find([ref]);
  return record === undefined ? 'nobody' : `${record.owner} ${record.state}`;
}

/** Makes a resource an owner's by a create that was kept. */
export async function give(ledger: OwnershipLedger, claimed: Claim, owner: string): Promise<void> {
  const outcome = await ledger.claim([claimed], owner, 'setup');
  if (!outcome.claimed) throw new Error(`the setup was refused: ${outcome.because}`);
  await ledger.settle([claimed.ref], 'setup', 'kept');
}
