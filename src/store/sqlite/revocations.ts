/** Revocations beside the ledger: in the same file, so that one backup holds both, and as durable. */
import type { RevocationStore } from '../../authn/revocation.ts';
import type { Revocation } from '../../model/revocation.ts';
import { LedgerError } from '../ledger-error.ts';
import type { SqliteChanges } from './changes.ts';
import type { SqliteFile } from './file.ts';
import { describe } from './schema.ts';

const columns = 'id, by, issuer, subject, before, made_at, until, note';

/** The columns in their order: what the STRICT table and its CHECKs guarantee. */
type Row = readonly [
  id: string,
  by: Revocation['by'],
  issuer: string | null,
  subject: string | null,
  before: number | null,
  madeAt: number,
  until: number | null,
  note: string | null,
];

/** Returns the store in an opened file. */
export function sqliteRevocations(file: SqliteFile, changes: SqliteChanges): RevocationStore {
  const { database, commits, now } = file;
  const living = database.prepare(
    `SELECT ${columns} FROM revocations WHERE until IS NULL OR until > ? ORDER BY made_at, id`,
  );
  living.setReturnArrays(true);
  const purge = database.prepare('DELETE FROM revocations WHERE until <= ?');
  const removal = database.prepare('DELETE FROM revocations WHERE id = ?');
  const insertion = database.prepare(`INSERT INTO revocations (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`);

  return {
    async all() {
      try {
        return (living.all(now()) as unknown as Row[]).map(toRevocation);
      } catch (cause) {
        throw new LedgerError(`revocations cannot be read: ${describe(cause)}`, cause);
      }
    },
    add: (revocation) =>
      commits.write(() => {
        const { id, by, madeAtMillis, untilMillis = null, note = null } = revocation;
        const issuer = issuerOf(revocation);
        insertion.run(id, by, issuer, subjectOf(revocation), beforeOf(revocation), madeAtMillis, untilMillis, note);
      }),
    remove: (id) => commits.write(() => removal.run(id).changes > 0),
    purge: () => commits.write(() => void purge.run(now())),
    onChange: (listener) => changes.watch('revocations', listener),
  };
}

function subjectOf(revocation: Revocation): string | null {
  if (revocation.by === 'issued-before') return null;
  if (revocation.by === 'session') return revocation.sessionId;
  return revocation.by === 'user' ? revocation.user : revocation.tokenId;
}

const issuerOf = (revocation: Revocation): string | null =>
  revocation.by === 'session' ? null : (revocation.issuer ?? null);

const beforeOf = (revocation: Revocation): number | null =>
  revocation.by === 'issued-before' ? revocation.beforeMillis : null;

function toRevocation([id, by, from, name, before, madeAtMillis, until, note]: Row): Revocation {
  const terms = { id, madeAtMillis, untilMillis: until ?? undefined, note: note ?? undefined };
  const [issuer, subject] = [from ?? '', name ?? ''];
  if (by === 'user') return { ...terms, by, issuer, user: subject };
  if (by === 'token') return { ...terms, by, issuer, tokenId: subject };
  if (by === 'session') return { ...terms, by, sessionId: subject };
  return { ...terms, by, issuer: from ?? undefined, beforeMillis: before ?? 0 };
}
