/**
 * Owners that come to be called otherwise, because an issuer or one of its claims changed: all that is theirs at once, in one
 * transaction, while gateways run. Their triggers and looks at the file do the rest.
 */
import { existsSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import type { OwnerChange, OwnerUndo, Renaming } from '../../model/owner-change.ts';
import type { Owner } from '../../model/principal.ts';
import type { ResourceRef } from '../../model/resource.ts';
import { LedgerError } from '../ledger-error.ts';
import { openSqliteFile } from './file.ts';
import { type Ending, followNames, restoreNames } from './owner-names.ts';
import { describe } from './schema.ts';

export interface OwnerCount {
  readonly owner: Owner;
  /** Resources that are there. */
  readonly resources: number;
  /** Resources of which a tombstone is kept. */
  readonly deleted: number;
}

export interface PlannedChange extends OwnerChange, Omit<OwnerCount, 'owner'> {
  readonly sessions: number;
  readonly keys: number;
  readonly revocations: number;
  /** Resources and tombstones, of another owner, that the new one would come to share: undefined is nobody's. */
  readonly meets: number;
}

export interface Migrated {
  readonly changes: readonly PlannedChange[];
  /** What belongs to somebody else now. */
  readonly refs: readonly ResourceRef[];
}

export interface ApplyTerms {
  /** True: an owner may get what is another's besides its own. */
  readonly merge: boolean;
  /** How long what old names show is refused. */
  readonly refusedMillis: number;
  /** Keeps what takes it back, durably; what it throws ends everything, and nothing has changed. */
  readonly keep: (undo: OwnerUndo) => void;
}

export interface OwnerMigration {
  /** Returns the owners that have something, by name. */
  list(issuer?: string): readonly OwnerCount[];
  plan(renaming: Renaming): readonly PlannedChange[];
  /** Changes all, or throws a LedgerError and changes nothing: so too where one would meet another and may not. */
  apply(renaming: Renaming, terms: ApplyTerms): Migrated;
  /** Returns what can be given back: what has not changed hands since. */
  restorable(undo: OwnerUndo): readonly ResourceRef[];
  /** Gives it back, takes the revocations back, and returns what has changed hands. */
  restore(undo: OwnerUndo): readonly ResourceRef[];
  close(): void;
}

export interface OwnerMigrationOptions {
  readonly path: string;
  /** Unix time in milliseconds. */
  readonly now?: () => number;
  /** How long is waited for a gateway's transaction; 10 seconds unless told, because nobody else waits for this process. */
  readonly patienceMillis?: number;
}

/** Opens a ledger that is there, or throws a LedgerError. */
export function openOwnerMigration(options: OwnerMigrationOptions): OwnerMigration {
  const { path, now = Date.now, patienceMillis = 10_000 } = options;
  if (!existsSync(path)) throw new LedgerError(`there is no ledger at ${path}`);
  const file = openSqliteFile({ path, now, busyTimeoutMillis: patienceMillis });
  const { database } = file;
  const run = <T>(work: () => T): T => transaction(database, work);
  return {
    list: (issuer) => run(() => counted(database, issuer)),
    plan: (renaming) => run(() => planned(database, renaming, now())),
    apply: (renaming, terms) => run(() => applied(database, renaming, { ...terms, nowMillis: now() })),
    restorable: (undo) => run(() => restorable(database, undo).map(({ kind, id }) => ({ kind, id }))),
    restore: (undo) => run(() => restored(database, undo)),
    close: () => file.close(),
  };
}

/** Everything is done under the file's lock: what was planned is what is done. The temporary tables go with it. */
function transaction<T>(database: DatabaseSync, work: () => T): T {
  try {
    database.exec('BEGIN IMMEDIATE');
    const result = work();
    database.exec('DROP TABLE IF EXISTS temp.renames; COMMIT');
    return result;
  } catch (cause) {
    if (database.isTransaction) database.exec('ROLLBACK');
    if (cause instanceof LedgerError) throw cause;
    throw new LedgerError(`the ledger was not changed: ${describe(cause)}`, cause);
  }
}

const COUNTS = `count(*) FILTER (WHERE state <> 'deleted') AS resources,
  count(*) FILTER (WHERE state = 'deleted') AS deleted`;

/** `|` is the last character of an alias with its bar, and `}` the one behind it: whatever follows lies between. */
const OF_ISSUER = `owner >= ?1 || '|' AND owner < ?1 || '}'`;

function counted(database: DatabaseSync, issuer: string | undefined): OwnerCount[] {
  const where = issuer === undefined ? '' : `WHERE ${OF_ISSUER}`;
  const rows = database.prepare(`SELECT owner, ${COUNTS} FROM resources ${where} GROUP BY owner ORDER BY owner`);
  const found = issuer === undefined ? rows.all() : rows.all(issuer);
  return found.map(({ owner, resources, deleted }) => ({
    owner: String(owner),
    resources: Number(resources),
    deleted: Number(deleted),
  }));
}

/** Fills the table of names, and returns what each change is about. */
function planned(database: DatabaseSync, renaming: Renaming, nowMillis: number): PlannedChange[] {
  database.exec(`CREATE TEMP TABLE renames (
    place INTEGER PRIMARY KEY, old TEXT NOT NULL UNIQUE, new TEXT NOT NULL,
    issuer TEXT NOT NULL, user TEXT NOT NULL);
    CREATE INDEX temp.renames_by_new ON renames (new)`);
  const insertion = database.prepare(
    `INSERT INTO renames (place, old, new, issuer, user)
     SELECT ?1, ?2, ?3, substr(?2, 1, instr(?2, '|') - 1), substr(?2, instr(?2, '|') + 1)`,
  );
  const changes = 'owners' in renaming ? renaming.owners : allOf(database, renaming.issuer);
  for (const [place, { from, to }] of changes.entries()) insertion.run(place, from, to);
  const rows = database.prepare(
    `SELECT old, new,
       (SELECT count(*) FROM resources WHERE owner = old AND state <> 'deleted') AS resources,
       (SELECT count(*) FROM resources WHERE owner = old AND state = 'deleted') AS deleted,
       (SELECT count(*) FROM sessions AS s WHERE s.issuer = r.issuer AND s.user = r.user AND s.ends_at > ?1) AS sessions,
       (SELECT count(*) FROM api_keys WHERE r.issuer = 'service' AND account = r.user) AS keys,
       coalesce(v.count, 0) AS revocations,
       (SELECT count(*) FROM resources WHERE owner = r.new AND NOT EXISTS (SELECT 1 FROM renames WHERE old = r.new))
       + (SELECT count(*) FROM renames AS other JOIN resources ON owner = other.old
         WHERE other.new = r.new AND other.place <> r.place) AS meets
     FROM renames AS r LEFT JOIN (
       SELECT issuer, subject, count(*) AS count FROM revocations
       WHERE by = 'user' AND (until IS NULL OR until > ?1) GROUP BY issuer, subject
     ) AS v ON v.issuer = r.issuer AND v.subject = r.user ORDER BY place`,
  );
  return rows.all(nowMillis).map(({ old: from, new: to, ...counts }) => {
    const numbers = Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, Number(count)]));
    return { from: String(from), to: String(to), ...numbers } as unknown as PlannedChange;
  });
}

/** Everybody of whom anything is known under the old alias. */
function allOf(database: DatabaseSync, { from, to }: OwnerChange): OwnerChange[] {
  const known = database.prepare(
    `SELECT owner FROM resources WHERE ${OF_ISSUER}
     UNION SELECT ?1 || '|' || user FROM sessions WHERE issuer = ?1
     UNION SELECT ?1 || '|' || subject FROM revocations WHERE issuer = ?1 AND by = 'user' ORDER BY 1`,
  );
  return known.all(from).map(({ owner }) => ({ from: String(owner), to: `${to}${String(owner).slice(from.length)}` }));
}

function applied(
  database: DatabaseSync,
  renaming: Renaming,
  terms: ApplyTerms & { readonly nowMillis: number },
): Migrated {
  const { nowMillis, refusedMillis } = terms;
  const changes = planned(database, renaming, nowMillis);
  const conflict = terms.merge ? undefined : changes.find(isConflict);
  if (conflict !== undefined) throw new LedgerError(`${conflict.to} would meet what is another's`);
  const moved = database
    .prepare('SELECT kind, id, place FROM resources JOIN renames ON owner = old ORDER BY place, kind, id')
    .all()
    .map(({ kind, id, place }) => ({ kind: String(kind), id: String(id), change: Number(place) }));
  // At once for all: two owners may change their names with each other.
  database.exec(`UPDATE resources SET owner = (SELECT new FROM renames WHERE old = owner)
    WHERE owner IN (SELECT old FROM renames)`);
  const ending: Ending = {
    nowMillis,
    untilMillis: nowMillis + refusedMillis,
    issuer: 'issuer' in renaming ? renaming.issuer : undefined,
  };
  const { revocations, keys } = followNames(database, ending);
  terms.keep({ changes: changes.map(({ from, to }) => ({ from, to })), revocations, keys, moved });
  return { changes, refs: moved.map(({ kind, id }) => ({ kind, id })) };
}

/** Whether an owner would get something besides what is another's. */
export const isConflict = ({ meets, resources, deleted }: PlannedChange): boolean =>
  meets > 0 && resources + deleted > 0;

type Moved = OwnerUndo['moved'][number];

function restorable(database: DatabaseSync, { changes, moved }: OwnerUndo): Moved[] {
  const ownerOf = database.prepare('SELECT owner FROM resources WHERE kind = ? AND id = ?');
  return moved.filter(({ kind, id, change }) => ownerOf.get(kind, id)?.owner === changes[change]?.to);
}

function restored(database: DatabaseSync, undo: OwnerUndo): ResourceRef[] {
  const back = database.prepare('UPDATE resources SET owner = ? WHERE kind = ? AND id = ?');
  const found = restorable(database, undo);
  for (const { kind, id, change } of found) back.run(undo.changes[change]?.from ?? '', kind, id);
  restoreNames(database, undo);
  return found.map(({ kind, id }) => ({ kind, id }));
}
