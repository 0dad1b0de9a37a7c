/** The durable record of owners for one replica: an embedded SQLite file, flushed to the disk at every commit. */
import type { Claim, ClaimOutcome, OwnershipLedger, Settlement } from '../../authz/ownership.ts';
import type { Owner } from '../../model/principal.ts';
import {
  type OwnershipOrigin,
  type OwnershipRecord,
  type OwnershipState,
  type ResourceRef,
  resourceKey,
} from '../../model/resource.ts';
import { LedgerError } from '../ledger-error.ts';
import { openSqliteFile, type SqliteFile, type SqliteFileOptions } from './file.ts';
import { prepareStatements, recordOf, recordsOf, type Statements } from './rows.ts';
import { describe } from './schema.ts';

/** Returns the ledger in a file of its own, or throws a LedgerError: not a ledger, of a newer version, not accessible. */
export function openSqliteLedger(options: SqliteFileOptions): OwnershipLedger {
  return sqliteLedger(openSqliteFile(options));
}

/** Returns the ledger in an opened file, which it closes. */
export function sqliteLedger({ database, commits, now, close }: SqliteFile): OwnershipLedger {
  const statements = prepareStatements(database);

  return {
    find: (refs) => read(() => findAll(statements, refs)),
    claim: (claims, owner, requestId) =>
      commits.write(() => claimAll(statements, claims, { owner, requestId, at: now() })),
    settle: async (refs, requestId, settlement) => {
      // Unknown: the lean stays, and with it the pending row. There is nothing to write.
      if (settlement === 'unknown' || refs.length === 0) return;
      await commits.write(() => settleAll(statements, refs, { requestId, settlement }));
    },
    learn: (learned, owner) => commits.write(() => learnOne(statements, learned, { owner, at: now() })),
    release: (ref, owner) => commits.write(() => releaseAll(statements, ref, owner)),
    ping: () => read(() => void recordOf(statements, { kind: '', id: '' })),
    close: async () => close(),
  };
}

async function read<T>(work: () => T): Promise<T> {
  try {
    return work();
  } catch (cause) {
    throw new LedgerError(`the ledger cannot be read: ${describe(cause)}`, cause);
  }
}

function findAll(statements: Statements, refs: readonly ResourceRef[]): ReadonlyArray<OwnershipRecord | undefined> {
  return refs.length < 3 ? refs.map((ref) => recordOf(statements, ref)) : recordsOf(statements, refs);
}

interface Claimer {
  readonly owner: Owner;
  readonly requestId: string;
  readonly at: number;
}

/** Judges everything before it writes anything. */
function claimAll(statements: Statements, claims: readonly Claim[], claimer: Claimer): ClaimOutcome {
  const inBatch = new Set<string>();
  for (const claim of claims) {
    const because = refusal(recordOf(statements, claim.ref), claim.verb, claimer.owner);
    if (because !== undefined) return { claimed: false, ref: claim.ref, because };
    inBatch.add(resourceKey(claim.ref));
  }
  for (const { ref, parent } of claims) {
    if (parent === undefined || inBatch.has(resourceKey(parent))) continue;
    if (!isLiveOf(recordOf(statements, parent), claimer.owner)) return { claimed: false, ref, because: 'parent' };
  }
  const leaning = new Map<string, ResourceRef>();
  for (const { ref, parent } of claims) {
    const record = recordOf(statements, ref);
    if (record?.state === 'owned') continue;
    if (record === undefined) insert(statements, { ref, parent, origin: 'request', state: 'pending' }, claimer);
    statements.lean.run(ref.kind, ref.id, claimer.requestId);
    leaning.set(resourceKey(ref), ref);
  }
  return { claimed: true, refs: [...leaning.values()] };
}

function refusal(
  record: OwnershipRecord | undefined,
  verb: Claim['verb'],
  owner: Owner,
): 'foreign' | 'owned' | 'deleted' | undefined {
  if (record === undefined) return undefined;
  if (record.state === 'deleted') return 'deleted';
  if (record.owner !== owner) return 'foreign';
  return record.state === 'owned' && verb === 'create' ? 'owned' : undefined;
}

function isLiveOf(record: OwnershipRecord | undefined, owner: Owner): boolean {
  return record !== undefined && record.state !== 'deleted' && record.owner === owner;
}

interface NewRow {
  readonly ref: ResourceRef;
  readonly parent: ResourceRef | undefined;
  readonly origin: OwnershipOrigin;
  readonly state: OwnershipState;
}

function insert(statements: Statements, row: NewRow, by: { readonly owner: Owner; readonly at: number }): void {
  const { ref, parent } = row;
  const kinship = [parent?.kind ?? null, parent?.id ?? null] as const;
  statements.insert.run(ref.kind, ref.id, by.owner, ...kinship, row.state, row.origin, by.at);
}

function settleAll(
  statements: Statements,
  refs: readonly ResourceRef[],
  { requestId, settlement }: { readonly requestId: string; readonly settlement: Settlement },
): void {
  for (const { kind, id } of refs) {
    // Only who leans may settle: the id may have been given back, and be somebody else's by now.
    if (statements.leans.get(kind, id, requestId) === undefined) continue;
    if (settlement === 'kept') {
      statements.makeOwned.run(kind, id);
      statements.unleanAll.run(kind, id);
    } else {
      statements.unlean.run(kind, id, requestId);
      statements.giveBack.run(kind, id);
    }
  }
}

function learnOne(
  statements: Statements,
  learned: Parameters<OwnershipLedger['learn']>[0],
  by: { readonly owner: Owner; readonly at: number },
): 'learned' | 'known' | 'conflict' {
  const { ref, parent } = learned;
  const record = recordOf(statements, ref);
  if (record !== undefined) {
    if (!isLiveOf(record, by.owner)) return 'conflict';
    if (record.state === 'owned') return 'known';
    statements.makeOwned.run(ref.kind, ref.id);
    statements.unleanAll.run(ref.kind, ref.id);
    return 'known';
  }
  const above = parent === undefined ? undefined : recordOf(statements, parent);
  if (above?.state === 'deleted') {
    // What the server makes for something that was deleted meanwhile is deleted with it, and nobody's for ever.
    insert(statements, { ...learned, state: 'deleted' }, by);
    return 'conflict';
  }
  if (above !== undefined && above.owner !== by.owner) return 'conflict';
  insert(statements, { ...learned, state: 'owned' }, by);
  return 'learned';
}

function releaseAll(statements: Statements, ref: ResourceRef, owner: Owner): ResourceRef[] {
  const below = statements.below.all(ref.kind, ref.id, owner) as unknown as ResourceRef[];
  return below.map(({ kind, id }) => {
    statements.makeDeleted.run(kind, id);
    statements.unleanAll.run(kind, id);
    return { kind, id };
  });
}
