/** The ledger's tables in SQLite, as numbered migrations, and the opening of a file that holds them, or is to. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { LedgerError } from '../ledger-error.ts';

/** "JzGw": marks the file as this program's, so that another's database is never migrated by mistake. */
const APPLICATION_ID = 0x4a7a4777;

/** Row n brings a database from version n to n + 1. Rows are only ever added. */
const migrations: readonly string[] = [
  `CREATE TABLE resources (
     kind TEXT NOT NULL,
     id TEXT NOT NULL,
     owner TEXT NOT NULL,
     parent_kind TEXT,
     parent_id TEXT,
     state TEXT NOT NULL CHECK (state IN ('pending', 'owned', 'deleted')),
     origin TEXT NOT NULL CHECK (origin IN ('request', 'response', 'event', 'migration', 'admin')),
     created_at INTEGER NOT NULL,
     PRIMARY KEY (kind, id),
     CHECK ((parent_kind IS NULL) = (parent_id IS NULL))
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX resources_by_owner ON resources (owner, kind);
   CREATE INDEX resources_by_parent ON resources (parent_kind, parent_id) WHERE parent_kind IS NOT NULL;
   CREATE TABLE leans (
     kind TEXT NOT NULL,
     id TEXT NOT NULL,
     request TEXT NOT NULL,
     PRIMARY KEY (kind, id, request)
   ) STRICT, WITHOUT ROWID;`,
  // Triggers, so that what another program does to the rows counts too. That an id became somebody's is no such change:
  // only positive facts are remembered anywhere.
  `CREATE TABLE revocations (
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
   CREATE TABLE changes (what TEXT PRIMARY KEY, count INTEGER NOT NULL) STRICT, WITHOUT ROWID;
   INSERT INTO changes (what, count) VALUES ('owners', 0), ('revocations', 0);
   CREATE TRIGGER owner_changed AFTER UPDATE OF kind, id, owner, state ON resources
     WHEN (old.kind, old.id, old.owner) <> (new.kind, new.id, new.owner) OR new.state = 'deleted'
     BEGIN UPDATE changes SET count = count + 1 WHERE what = 'owners'; END;
   CREATE TRIGGER owner_gone AFTER DELETE ON resources
     BEGIN UPDATE changes SET count = count + 1 WHERE what = 'owners'; END;
   CREATE TRIGGER revocation_made AFTER INSERT ON revocations
     BEGIN UPDATE changes SET count = count + 1 WHERE what = 'revocations'; END;
   CREATE TRIGGER revocation_gone AFTER DELETE ON revocations
     BEGIN UPDATE changes SET count = count + 1 WHERE what = 'revocations'; END;`,
  // Sessions, API keys and the keys that sign: who may come in. A CHECK cannot be altered, so its table is made anew.
  `CREATE TABLE revocations_anew (
     id TEXT PRIMARY KEY,
     by TEXT NOT NULL CHECK (by IN ('user', 'token', 'session', 'issued-before')),
     issuer TEXT,
     subject TEXT,
     before INTEGER,
     made_at INTEGER NOT NULL,
     until INTEGER,
     note TEXT,
     CHECK ((by = 'issued-before') = (subject IS NULL)),
     CHECK ((by = 'issued-before') = (before IS NOT NULL)),
     CHECK (by IN ('issued-before', 'session') OR issuer IS NOT NULL)
   ) STRICT, WITHOUT ROWID;
   INSERT INTO revocations_anew SELECT id, by, issuer, subject, before, made_at, until, note FROM revocations;
   DROP TABLE revocations;
   ALTER TABLE revocations_anew RENAME TO revocations;
   CREATE TRIGGER revocation_made AFTER INSERT ON revocations
     BEGIN UPDATE changes SET count = count + 1 WHERE what = 'revocations'; END;
   CREATE TRIGGER revocation_gone AFTER DELETE ON revocations
     BEGIN UPDATE changes SET count = count + 1 WHERE what = 'revocations'; END;
   CREATE TABLE sessions (
     digest TEXT PRIMARY KEY,
     id TEXT NOT NULL UNIQUE,
     issuer TEXT NOT NULL,
     user TEXT NOT NULL,
     roles TEXT NOT NULL,
     tenant TEXT,
     provider_session TEXT,
     started_at INTEGER NOT NULL,
     ends_at INTEGER NOT NULL,
     used_at INTEGER NOT NULL,
     refresh_at INTEGER,
     tokens TEXT,
     version INTEGER NOT NULL,
     lease_holder TEXT,
     lease_until INTEGER
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX sessions_by_user ON sessions (issuer, user);
   CREATE INDEX sessions_by_provider_session ON sessions (issuer, provider_session) WHERE provider_session IS NOT NULL;
   CREATE INDEX sessions_by_end ON sessions (ends_at);
   CREATE TABLE api_keys (
     id TEXT PRIMARY KEY,
     digest TEXT NOT NULL,
     account TEXT NOT NULL,
     roles TEXT NOT NULL,
     made_at INTEGER NOT NULL,
     expires_at INTEGER NOT NULL,
     note TEXT
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE signing_keys (
     id TEXT PRIMARY KEY,
     algorithm TEXT NOT NULL,
     public TEXT NOT NULL,
     sealed TEXT NOT NULL,
     made_at INTEGER NOT NULL,
     signs_from INTEGER NOT NULL,
     retired_at INTEGER
   ) STRICT, WITHOUT ROWID;
   INSERT INTO changes (what, count) VALUES ('api_keys', 0), ('signing_keys', 0);
   CREATE TRIGGER api_key_made AFTER INSERT ON api_keys
     BEGIN UPDATE changes SET count = count + 1 WHERE what = 'api_keys'; END;
   CREATE TRIGGER api_key_gone AFTER DELETE ON api_keys
     BEGIN UPDATE changes SET count = count + 1 WHERE what = 'api_keys'; END;
   CREATE TRIGGER signing_key_made AFTER INSERT ON signing_keys
     BEGIN UPDATE changes SET count = count + 1 WHERE what = 'signing_keys'; END;
   CREATE TRIGGER signing_key_changed AFTER UPDATE ON signing_keys
     BEGIN UPDATE changes SET count = count + 1 WHERE what = 'signing_keys'; END;
   CREATE TRIGGER signing_key_gone AFTER DELETE ON signing_keys
     BEGIN UPDATE changes SET count = count + 1 WHERE what = 'signing_keys'; END;`,
  // What providers said of sessions that were not there yet.
  `CREATE TABLE logouts (
     of TEXT NOT NULL CHECK (of IN ('user', 'session')),
     issuer TEXT NOT NULL,
     name TEXT NOT NULL,
     told_at INTEGER NOT NULL,
     until INTEGER NOT NULL,
     PRIMARY KEY (of, issuer, name)
   ) STRICT, WITHOUT ROWID;`,
];

const newest = migrations.length;

export interface OpenOptions {
  /** A file's path, or `:memory:`. The directory is made when it is missing. */
  readonly path: string;
  /** Milliseconds for which a writer waits for another process's transaction. */
  readonly busyTimeoutMillis: number;
  readonly now: () => number;
}

/** Returns the opened, durable and migrated database, or throws a LedgerError that says what was found instead. */
export function openDatabase(options: OpenOptions): DatabaseSync {
  const { path } = options;
  let database: DatabaseSync | undefined;
  try {
    if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    database = new DatabaseSync(path, {
      timeout: options.busyTimeoutMillis,
      enableForeignKeyConstraints: false,
      allowExtension: false,
    });
    // Judged before the first pragma that writes: a file that is not ours stays as it is.
    judgeSnapshot(database, path);
    useWriteAheadLog(database, options.busyTimeoutMillis);
    database.exec('PRAGMA synchronous = FULL');
    migrate(database, options);
    return database;
  } catch (cause) {
    database?.close();
    if (cause instanceof LedgerError) throw cause;
    throw new LedgerError(`cannot open the ledger ${path}: ${describe(cause)}`, cause);
  }
}

/** In one transaction: between two statements another process may have made the ledger, and half of it looks foreign. */
function judgeSnapshot(database: DatabaseSync, path: string): void {
  database.exec('BEGIN');
  try {
    judge(database, path);
  } finally {
    database.exec('COMMIT');
  }
}

const BUSY = 5;
const RETRY_MILLIS = 5;

/** SQLite does not wait for its lock here: of two processes that open a new ledger at once, one would fail. */
function useWriteAheadLog(database: DatabaseSync, patienceMillis: number): void {
  const deadline = performance.now() + patienceMillis;
  for (;;) {
    try {
      database.exec('PRAGMA journal_mode = WAL');
      return;
    } catch (error) {
      const { errcode } = error as { readonly errcode?: number };
      if (errcode !== BUSY || performance.now() > deadline) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MILLIS);
    }
  }
}

function migrate(database: DatabaseSync, options: OpenOptions): void {
  if (versionOf(database) === newest) return;
  database.exec('BEGIN IMMEDIATE');
  try {
    // Read again under the lock: another process may have migrated meanwhile.
    judge(database, options.path);
    const found = versionOf(database);
    database.exec(
      'CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY, applied_at INTEGER NOT NULL) STRICT',
    );
    const record = database.prepare('INSERT INTO schema_version (version, applied_at) VALUES (?, ?)');
    migrations.slice(found).forEach((sql, index) => {
      database.exec(sql);
      record.run(found + index + 1, options.now());
    });
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
    database.exec('COMMIT');
  } catch (cause) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw cause;
  }
}

/** Throws when the file holds something that this program did not write, or a version that it does not know. */
function judge(database: DatabaseSync, path: string): void {
  const mark = numberOf(database, 'SELECT application_id AS value FROM pragma_application_id');
  const tables = numberOf(database, 'SELECT count(*) AS value FROM sqlite_schema');
  if (mark !== APPLICATION_ID && (mark !== 0 || tables > 0)) {
    const found = `application id ${mark} with ${tables} tables and indexes`;
    throw new LedgerError(`${path} is not a ledger: found ${found}, expected application id ${APPLICATION_ID}`);
  }
  const version = versionOf(database);
  if (version > newest) {
    throw new LedgerError(
      `the ledger ${path} is of version ${version}, expected at most ${newest}: use a newer program`,
    );
  }
}

function versionOf(database: DatabaseSync): number {
  const recorded = numberOf(
    database,
    "SELECT count(*) AS value FROM sqlite_schema WHERE type = 'table' AND name = 'schema_version'",
  );
  return recorded === 0 ? 0 : numberOf(database, 'SELECT coalesce(max(version), 0) AS value FROM schema_version');
}

function numberOf(database: DatabaseSync, sql: string): number {
  return Number(database.prepare(sql).get()?.value);
}

/** Returns an error's own message. */
export function describe(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
