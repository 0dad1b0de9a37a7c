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
  // Before anything is revoked: which of them are good is what they have to stay.
  const keys = keysToMove(database, ending);
  const copies = copyRevocations(database, ending);
  const endings = endOldNames(database, ending);
  moveKeys(database, keys, ending);
  return { revocations: [...copies, ...endings], keys: keys.map(({ id, from, to }) => ({ id, from, to })) };
}

/** Takes it back. Sessions that were ended stay so. */
export function restoreNames(database: DatabaseSync, { revocations, keys }: OwnerUndo): void {
  const removal = database.prepare('DELETE FROM revocations WHERE id = ?');
  for (const id of revocations) removal.run(id);
  for (const { id, from, to } of keys) rewriteKey(database, { id, from: to, to: from });
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

/**
 * Sessions in Redis are not to be seen from here: they end, as sockets do, by the revocation of the name. Where the name is
 * another's now, what was issued before would open what is the other's: that is refused for good.
 */
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
  const names = database.prepare(
    'SELECT issuer, user, EXISTS (SELECT 1 FROM renames AS other WHERE other.new = r.old) AS taken FROM renames AS r ORDER BY place',
  );
  return names.all().map(({ issuer: alias, user, taken }) => {
    const id = newId();
    insertion.run(id, alias ?? null, user ?? null, nowMillis, taken === 1 ? null : untilMillis, note);
    return id;
  });
}

type MovedKey = OwnerUndo['keys'][number];

interface KeyToMove extends MovedKey {
  /** Undefined: it was revoked with its account, and stays so. */
  readonly madeAtMillis: number | undefined;
}

/** Only to another service account: a key is nobody else's. */
function keysToMove(database: DatabaseSync, { nowMillis }: Ending): readonly KeyToMove[] {
  const goodFrom = beginnings(database, nowMillis);
  const keys = database.prepare(
    `SELECT k.id, k.account AS "from", substr(r.new, instr(r.new, '|') + 1) AS "to", k.made_at AS madeAtMillis
     FROM api_keys AS k JOIN renames AS r ON r.issuer = 'service' AND r.user = k.account
     WHERE r.new >= 'service|' AND r.new < 'service}' ORDER BY k.id`,
  );
  return keys.all().map(({ id, from, to, madeAtMillis }) => ({
    ...{ id: String(id), from: String(from), to: String(to) },
    madeAtMillis: Number(madeAtMillis) < goodFrom(String(from)) ? undefined : Number(madeAtMillis),
  }));
}

/**
 * A name that another account had until now, or long ago, is revoked up to a moment: a good key that comes to it counts as made
 * after that, as a key that is made there now does.
 */
function moveKeys(database: DatabaseSync, keys: readonly KeyToMove[], { nowMillis }: Ending): void {
  const goodFrom = beginnings(database, nowMillis);
  for (const { madeAtMillis, ...key } of keys)
    rewriteKey(database, key, madeAtMillis && Math.max(madeAtMillis, goodFrom(key.to)));
}

/** Returns what tells from when on keys of an account are good; a revocation of a user holds for all of its second (authn/revoked). */
function beginnings(database: DatabaseSync, nowMillis: number): (account: string) => number {
  const moment = database.prepare(
    `SELECT max(CASE by WHEN 'user' THEN (made_at / 1000 + 1) * 1000 ELSE before END) AS moment FROM revocations
     WHERE (until IS NULL OR until > ?1) AND (by = 'user' AND issuer = 'service' AND subject = ?2
       OR by = 'issued-before' AND (issuer IS NULL OR issuer = 'service'))`,
  );
  return (account) => Number(moment.get(nowMillis, account)?.moment ?? 0);
}

/** Taken out and put back: gateways hear of rows that come and go, not of rows that change. */
function rewriteKey(database: DatabaseSync, { id, from, to }: MovedKey, madeAtMillis?: number): void {
  const row = database.prepare('DELETE FROM api_keys WHERE id = ? AND account = ? RETURNING *').get(id, from);
  if (row === undefined) return;
  const { digest = null, roles = null, made_at = null, expires_at = null, note = null } = row;
  database
    .prepare(
      'INSERT INTO api_keys (id, digest, account, roles, made_at, expires_at, note) VALUES (?, ?, ?, ?, ?, ?, ?)',
    )
    .run(id, digest, to, roles, madeAtMillis ?? made_at, expires_at, note);
}
