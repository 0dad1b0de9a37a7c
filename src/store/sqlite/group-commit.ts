/**
 * Writes that arrive in the same turn of the event loop share one transaction, and so one flush to the disk: a durable
 * commit costs some two hundred microseconds, the statements in it some ten. Each write has a savepoint of its own, so
 * that one that fails takes nothing from its neighbours.
 */
import type { DatabaseSync } from 'node:sqlite';
import { LedgerError } from '../ledger-error.ts';
import { describe } from './schema.ts';

/** More would hold up the event loop (256: some five milliseconds); the rest goes into the next turn's transaction. */
const MAX_WRITES = 256;

interface Write {
  /** Runs the statements and returns what tells the caller of it, once they are durable. */
  readonly attempt: () => () => void;
  readonly reject: (error: LedgerError) => void;
}

export interface GroupCommit {
  /** Resolves with what `work` returned when that is durable, or rejects with a LedgerError and nothing changed. */
  write<T>(work: () => T): Promise<T>;
  /** Commits what is waiting, now. */
  flush(): void;
}

/** Returns a writer that opens, commits and undoes the transactions of this connection. */
export function groupCommit(database: DatabaseSync): GroupCommit {
  const transact = transactor(database);
  const waiting: Write[] = [];
  let scheduled = false;

  function write<T>(work: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      waiting.push({
        attempt: () => {
          const value = work();
          return () => resolve(value);
        },
        reject,
      });
      schedule();
    });
  }

  function schedule(): void {
    if (scheduled) return;
    scheduled = true;
    // After the poll phase: requests that were read in one turn meet in one transaction.
    setImmediate(() => {
      scheduled = false;
      transact(waiting.splice(0, MAX_WRITES));
      if (waiting.length > 0) schedule();
    });
  }

  function flush(): void {
    while (waiting.length > 0) transact(waiting.splice(0, MAX_WRITES));
  }

  return { write, flush };
}

/** Returns a function that commits some writes together and then tells each what became of it. */
function transactor(database: DatabaseSync): (writes: readonly Write[]) => void {
  const begin = database.prepare('BEGIN IMMEDIATE');
  const commit = database.prepare('COMMIT');
  const savepoints = {
    open: database.prepare('SAVEPOINT one'),
    keep: database.prepare('RELEASE one'),
    undo: database.prepare('ROLLBACK TO one'),
  };

  function attempt(one: Write): () => void {
    savepoints.open.run();
    try {
      const tell = one.attempt();
      savepoints.keep.run();
      return tell;
    } catch (cause) {
      // Throws in its turn when SQLite has given up the whole transaction (disk full): then all of them fail.
      savepoints.undo.run();
      savepoints.keep.run();
      const error = new LedgerError(`the ledger refused a write: ${describe(cause)}`, cause);
      return () => one.reject(error);
    }
  }

  return (writes) => {
    if (writes.length === 0) return;
    const told: Array<() => void> = [];
    try {
      begin.run();
      for (const one of writes) told.push(attempt(one));
      commit.run();
    } catch (cause) {
      undoAll(database);
      const error = new LedgerError(`the ledger cannot be written: ${describe(cause)}`, cause);
      for (const one of writes) one.reject(error);
      return;
    }
    for (const tell of told) tell();
  };
}

function undoAll(database: DatabaseSync): void {
  try {
    if (database.isOpen && database.isTransaction) database.exec('ROLLBACK');
  } catch {
    // A transaction that cannot be rolled back is not committed either; the next BEGIN tells.
  }
}
