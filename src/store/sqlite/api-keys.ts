/** API keys beside the ledger: in the same file, so that one backup holds both, and as durable. */
import type { ApiKeyStore, KeptApiKey } from '../../authn/api-keys.ts';
import { LedgerError } from '../ledger-error.ts';
import type { SqliteChanges } from './changes.ts';
import type { SqliteFile } from './file.ts';
import { describe } from './schema.ts';

const columns = 'id, digest, account, roles, made_at, expires_at, note';

/** The columns in their order: what the STRICT table guarantees. */
type Row = readonly [
  id: string,
  digest: string,
  account: string,
  roles: string,
  madeAt: number,
  expiresAt: number,
  note: string | null,
];

/** Returns the store in an opened file. */
export function sqliteApiKeys(file: SqliteFile, changes: SqliteChanges): ApiKeyStore {
  const { database, commits } = file;
  const every = database.prepare(`SELECT ${columns} FROM api_keys ORDER BY made_at, id`);
  every.setReturnArrays(true);
  const purge = database.prepare('DELETE FROM api_keys WHERE expires_at < ?');
  const removal = database.prepare('DELETE FROM api_keys WHERE id = ?');
  // Counted in the statement: another process may be adding one too.
  const insertion = database.prepare(
    `INSERT INTO api_keys (${columns}) SELECT ?, ?, ?, ?, ?, ?, ? WHERE (SELECT count(*) FROM api_keys) < ?`,
  );

  return {
    async all() {
      try {
        return (every.all() as unknown as Row[]).map(toKey);
      } catch (cause) {
        throw new LedgerError(`API keys cannot be read: ${describe(cause)}`, cause);
      }
    },
    add: (key, most) =>
      commits.write(() => {
        const { id, digest, account, madeAtMillis, expiresAtMillis, note = null } = key;
        const roles = JSON.stringify(key.roles);
        return insertion.run(id, digest, account, roles, madeAtMillis, expiresAtMillis, note, most).changes > 0;
      }),
    remove: (id) => commits.write(() => removal.run(id).changes > 0),
    purge: (beforeMillis) => commits.write(() => void purge.run(beforeMillis)),
    onChange: (listener) => changes.watch('api_keys', listener),
  };
}

function toKey([id, digest, account, roles, madeAtMillis, expiresAtMillis, note]: Row): KeptApiKey {
  return { id, digest, account, roles: rolesIn(roles, id), madeAtMillis, expiresAtMillis, note: note ?? undefined };
}

function rolesIn(text: string, id: string): readonly string[] {
  const roles: unknown = JSON.parse(text);
  if (Array.isArray(roles) && roles.every((role) => typeof role === 'string')) return roles;
  throw new TypeError(`the roles of the API key ${id} are none`);
}
