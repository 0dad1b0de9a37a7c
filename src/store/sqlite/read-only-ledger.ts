/** A look into the ledger of a running gateway. The file is opened for reading only: not even a mistake could write. */
import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import type { OwnershipLedger } from '../../authz/ownership.ts';
import { LedgerError } from '../ledger-error.ts';
import { prepareStatements, recordOf } from './rows.ts';
import { describe } from './schema.ts';

/** Returns the reading side of the ledger in a file, or throws a LedgerError: not there, not a ledger, not readable. */
export function openLedgerForReading(options: { readonly path: string }): Pick<OwnershipLedger, 'find' | 'close'> {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(locationOf(options.path), { readOnly: true });
    const opened = database;
    const statements = prepareStatements(opened);
    return {
      find: async (refs) => refs.map((ref) => recordOf(statements, ref)),
      close: async () => opened.close(),
    };
  } catch (cause) {
    database?.close();
    throw new LedgerError(`the ledger ${options.path} cannot be read: ${describe(cause)}`, cause);
  }
}

/** Beside a file that nobody has open even a reader would leave files of its own, and they could be in a gateway's way. */
const locationOf = (path: string): string | URL => {
  if (existsSync(`${path}-wal`)) return path;
  const location = pathToFileURL(path);
  location.searchParams.set('immutable', '1');
  return location;
};
