/**
 * What else is kept under a user's name, when owners come to be called otherwise: who was shut out stays shut out under the
 * new name, API keys follow, and what the old name shows is refused, so that nobody goes on under a name that owns nothing.
 */
import { randomBytes } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { OwnerChange, OwnerUndo } from '../../model/owner-change.ts';

/** How old names come to an end. Times are Unix times in milliseconds. */
export interface Ending {
  readonly nowMillis: number;
  readonly untilMillis: number;
  /** The aliases, where it is an issuer that is called otherwise; undefined: only some of its users are. */
  readonly issuer: OwnerChange | undefined;
}

const COLUMNS = 'id, by, issuer, subject, before, made_at, until, note';

/** Does it for the names in the temporary table `renames`, and returns what takes it back. */
export function followNames(database: DatabaseSync, ending: Ending): Pick<OwnerUndo, 'revocations' | 'keys'> {
  const copies = copyRevocations(database, ending);
  const endings = endOldNames(database, ending);
  return { revocations: [...copies, ...endings], keys: moveKeys(database) };
}

/** Takes it back. Sessions that were ended stay so. */
export function restoreNames(database: DatabaseSync, { revocations, keys }: OwnerUndo): void {
  const removal = database.prepare('DELETE FROM revocations WHERE id = ?');
  for (const id of revocations) removal.run(id);
  for (const { id, from, to } of keys) rewriteKey(database, id, { from: to, to: from });
}

/** As a revocation's ids are made everywhere. */
const newId = (): string => randomBytes(6).toString('hex');

/** Those of users; of an issuer also those of single tokens, and of all that it issued before a moment. */
function copyRevocations(database: DatabaseSync, { nowMillis, issuer }: Ending): string[] {
  const living = '(v.until IS NULL OR v.until > ?)';
  const users = database
    .prepare(
      `SELECT v.by, substr(r.new, 1, instr(r.new, '|') - 1) AS issuer, substr(r.new, instr(r.new, '|') + 1) AS subject,
         v.before, v.made_at, v.until, v.note
       FROM revocations AS v JOIN renames AS r ON v.issuer = r.issuer AND v.subject = r.user
       WHERE v.by = 'user' AND ${living}`,
    )
    .all(nowMillis);
  const others =
    issuer === undefined
      ? []
      : database
          .prepare(
            `SELECT v.by, ?1 AS issuer, v.subject, v.before, v.made_at, v.until, v.note FROM revocations AS v
             WHERE v.by IN ('token', 'issued-before') AND v.issuer = ?2 AND ${living.replace('?', '?3')}`,
          )
          .all(issuer.to, issuer.from, nowMillis);
  const insertion = database.prepare(`INSERT INTO revocations (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`);
  return [...users, ...others].map(({ by, issuer: alias, subject, before, made_at, until, note }) => {
    const id = newId();
    insertion.run(
      id,
      by ?? null,
      alias ?? null,
      subject ?? null,
      before ?? null,
      made_at ?? null,
      until ?? null,
      note ?? null,
    );
    return id;
  });
}

/** Sessions in Redis are not to be seen from here: they end, as sockets do, by the revocation of the name. */
function endOldNames(database: DatabaseSync, { nowMillis, untilMillis, issuer }: Ending): string[] {
  database.exec('DELETE FROM sessions WHERE (issuer, user) IN (SELECT issuer, user FROM renames)');
  const note = 'the owner is called otherwise now';
  if (issuer !== undefined) {
    database.prepare('DELETE FROM sessions WHERE issuer = ?').run(issuer.from);
    const id = newId();
    database
      .prepare(`INSERT INTO revocations (${COLUMNS}) VALUES (?, 'issued-before', ?, NULL, ?, ?, ?, ?)`)
      .run(id, issuer.from, nowMillis, nowMillis, untilMillis, note);
    return [id];
  }
  const insertion = database.prepare(`INSERT INTO revocations (${COLUMNS}) VALUES (?, 'user', ?, ?, NULL, ?, ?, ?)`);
  const names = database.prepare('SELECT issuer, user FROM renames ORDER BY place').all();
  return names.map(({ issuer: alias, user }) => {
    const id = newId();
    insertion.run(id, alias ?? null, user ?? null, nowMillis, untilMillis, note);
    return id;
  });
}

/** Only to another service account: a key is nobody else's. */
function moveKeys(database: DatabaseSync): OwnerUndo['keys'] {
  const keys = database
    .prepare(
      `SELECT k.id, k.account AS "from", substr(r.new, instr(r.new, '|') + 1) AS "to"
       FROM api_keys AS k JOIN renames AS r ON r.issuer = 'service' AND r.user = k.account
       WHERE r.new >= 'service|' AND r.new < 'service}' ORDER BY k.id`,
    )
    .all()
    .map(({ id, from, to }) => ({ id: String(id), from: String(from), to: String(to) }));
  for (const { id, ...change } of keys) rewriteKey(database, id, change);
  return keys;
}

/** Taken out and put back: gateways hear of rows that come and go, not of rows that change. */
function rewriteKey(database: DatabaseSync, id: string, { from, to }: OwnerChange): void {
  const row = database.prepare('DELETE FROM api_keys WHERE id = ? AND account = ? RETURNING *').get(id, from);
  if (row === undefined) return;
  const { digest = null, roles = null, made_at = null, expires_at = null, note = null } = row;
  database
    .prepare(
      'INSERT INTO api_keys (id, digest, account, roles, made_at, expires_at, note) VALUES (?, ?, ?, ?, ?, ?, ?)',
    )
    .run(id, digest, to, roles, made_at, expires_at, note);
}
