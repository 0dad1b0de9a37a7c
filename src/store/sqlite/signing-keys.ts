/** The gateway's signing keys beside the ledger: all processes on one file have the same ones. */
import type { SigningKeyStore, StoredSigningKey } from '../../authn/assertion/store.ts';
import { LedgerError } from '../ledger-error.ts';
import type { SqliteChanges } from './changes.ts';
import type { SqliteFile } from './file.ts';
import { describe } from './schema.ts';

/** The columns in their order: what the STRICT table guarantees. */
type Row = readonly [
  id: string,
  algorithm: string,
  publicJwk: string,
  sealed: string,
  madeAt: number,
  signsFrom: number,
  retiredAt: number | null,
];

const columns = 'id, algorithm, public, sealed, made_at, signs_from, retired_at';

/** Returns the store in an opened file. */
export function sqliteSigningKeys({ database, commits }: SqliteFile, changes: SqliteChanges): SigningKeyStore {
  const rows = database.prepare(`SELECT ${columns} FROM signing_keys ORDER BY signs_from, id`);
  rows.setReturnArrays(true);
  const insertion = database.prepare(`INSERT INTO signing_keys (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?)`);
  const retirement = database.prepare('UPDATE signing_keys SET retired_at = ? WHERE id = ?');
  const removal = database.prepare('DELETE FROM signing_keys WHERE id = ?');
  const readAll = (): StoredSigningKey[] => (rows.all() as unknown as Row[]).map(toKey);

  return {
    async all() {
      try {
        return readAll();
      } catch (cause) {
        throw new LedgerError(`signing keys cannot be read: ${describe(cause)}`, cause);
      }
    },
    // What is written in one go has begun with the file's lock: nobody else writes between the reading and the end.
    change: (decide) =>
      commits.write(() => {
        const { make, retire, remove } = decide(readAll());
        for (const id of remove) removal.run(id);
        for (const { id, atMillis } of retire) retirement.run(atMillis, id);
        for (const key of make) {
          const { id, algorithm, publicJwk, sealed, madeAtMillis, signsFromMillis, retiredAtMillis = null } = key;
          insertion.run(id, algorithm, publicJwk, sealed, madeAtMillis, signsFromMillis, retiredAtMillis);
        }
        return readAll();
      }),
    onChange: (listener) => changes.watch('signing_keys', listener),
  };
}

const toKey = ([
  id,
  algorithm,
  publicJwk,
  sealed,
  madeAtMillis,
  signsFromMillis,
  retiredAt,
]: Row): StoredSigningKey => ({
  id,
  algorithm,
  publicJwk,
  sealed,
  madeAtMillis,
  signsFromMillis,
  retiredAtMillis: retiredAt ?? undefined,
});
