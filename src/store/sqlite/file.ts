/** One opened file. What is kept in it shares the connection, and the transactions of whoever writes in one turn. */
import type { DatabaseSync } from 'node:sqlite';
import { type GroupCommit, groupCommit } from './group-commit.ts';
import { openDatabase } from './schema.ts';

export interface SqliteFileOptions {
  /** The file; it and its directory are made when they are missing. */
  readonly path: string;
  /** Unix time in milliseconds. */
  readonly now?: () => number;
  /** How long a write may wait for another process, during which this one stands still. Default 1000. */
  readonly busyTimeoutMillis?: number;
}

export interface SqliteFile {
  readonly database: DatabaseSync;
  readonly commits: GroupCommit;
  /** Unix time in milliseconds. */
  readonly now: () => number;
  /** Writes what waits, then closes; idempotent. */
  close(): void;
}

/** Returns the opened file, or throws a LedgerError: not a ledger, of a newer version, not accessible. */
export function openSqliteFile(options: SqliteFileOptions): SqliteFile {
  const { path, now = Date.now, busyTimeoutMillis = 1000 } = options;
  const database = openDatabase({ path, busyTimeoutMillis, now });
  const commits = groupCommit(database);
  return {
    database,
    commits,
    now,
    close() {
      if (!database.isOpen) return;
      commits.flush();
      database.close();
    },
  };
}
