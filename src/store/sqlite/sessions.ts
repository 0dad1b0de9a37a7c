/** Sessions beside the ledger: in the same file, so that they outlive a restart and one backup holds all. */
import type { SessionStore, SessionsOf } from '../../authn/session/store.ts';
import type { Session } from '../../model/session.ts';
import { keptJson, keptRoles } from '../kept-roles.ts';
import { LedgerError } from '../ledger-error.ts';
import type { SqliteFile } from './file.ts';
import { describe } from './schema.ts';
import { latestUses } from './session-uses.ts';

const columns =
  'id, issuer, user, roles, tenant, provider_session, started_at, ends_at, used_at, refresh_at, tokens, version, digest';

/** The columns in their order. */
type Row = readonly [
  id: string,
  issuer: string,
  user: string,
  roles: string,
  tenant: string | null,
  providerSession: string | null,
  startedAt: number,
  endsAt: number,
  usedAt: number,
  refreshAt: number | null,
  tokens: string | null,
  version: number,
  digest: string,
];

/** So many rows go in one transaction: more would hold up the event loop. */
const PURGED_AT_ONCE = 500;

/** Returns the store in an opened file. */
export function sqliteSessions(file: SqliteFile): SessionStore {
  const { commits, now } = file;
  const sql = statements(file);
  const uses = latestUses((digest, usedAt) => commits.write(() => void sql.touch.run(usedAt, digest, usedAt)));

  /** A use that still waits to be written counts. */
  const toSession = (row: Row): Session | undefined => asSession(row, uses.of(row[12]));

  const purgeSome = (unusedSinceMillis: number): Promise<number> =>
    commits.write(() => Number(sql.purge.run(now(), unusedSinceMillis, PURGED_AT_ONCE).changes));

  return {
    insert: (digest, session) => commits.write(() => void sql.insert.run(...asRow(digest, session))),
    read: (digest) =>
      reading(() => {
        const row = sql.read.get(digest, now()) as unknown as Row | undefined;
        return row === undefined ? undefined : toSession(row);
      }),
    touch: uses.note,
    replace: (digest, { roles, tenant = null, usedAtMillis, refreshAtMillis = null, sealedTokens = null, version }) =>
      commits.write(() => {
        const values = [JSON.stringify(roles), tenant, usedAtMillis, refreshAtMillis, sealedTokens, version];
        return sql.replace.run(...values, digest, version - 1, now()).changes > 0;
      }),
    lease: (digest, holder, untilMillis) =>
      commits.write(() => sql.lease.run(holder, untilMillis, digest, now(), holder, now()).changes > 0),
    giveBack: (digest, holder) => commits.write(() => void sql.giveBack.run(digest, holder)),
    remove: (digest) => commits.write(() => sql.remove.run(digest).changes > 0),
    find: async (of) =>
      reading(() =>
        (found(sql, of, now()) as unknown as Row[]).flatMap((row) => {
          const session = toSession(row);
          return session === undefined ? [] : [{ digest: row[12], session }];
        }),
      ),
    noteLogout: (of, toldAtMillis, untilMillis) =>
      commits.write(() => void sql.noteLogout.run(...nameOf(of), toldAtMillis, untilMillis)),
    loggedOutAt: async (of) =>
      reading(() => {
        const told = sql.loggedOutAt.get(...nameOf(of), now())?.told_at;
        return told === undefined ? undefined : Number(told);
      }),
    async purge(unusedSinceMillis) {
      await commits.write(() => void sql.forgetLogouts.run(now()));
      while ((await purgeSome(unusedSinceMillis)) === PURGED_AT_ONCE);
    },
    close: uses.write,
  };
}

type Statements = ReturnType<typeof statements>;

function statements({ database }: SqliteFile) {
  const selection = (condition: string) => {
    const statement = database.prepare(`SELECT ${columns} FROM sessions WHERE ${condition} AND ends_at > ?`);
    statement.setReturnArrays(true);
    return statement;
  };
  return {
    read: selection('digest = ?'),
    ofUser: selection('issuer = ? AND user = ?'),
    ofProviderSession: selection('issuer = ? AND provider_session = ?'),
    insert: database.prepare(`INSERT INTO sessions (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`),
    touch: database.prepare('UPDATE sessions SET used_at = ? WHERE digest = ? AND used_at < ?'),
    replace: database.prepare(
      `UPDATE sessions SET roles = ?, tenant = ?, used_at = max(used_at, ?), refresh_at = ?, tokens = ?, version = ?,
         lease_holder = NULL, lease_until = NULL
       WHERE digest = ? AND version = ? AND ends_at > ?`,
    ),
    lease: database.prepare(
      `UPDATE sessions SET lease_holder = ?, lease_until = ?
       WHERE digest = ? AND ends_at > ? AND (lease_holder IS NULL OR lease_holder = ? OR lease_until <= ?)`,
    ),
    giveBack: database.prepare(
      'UPDATE sessions SET lease_holder = NULL, lease_until = NULL WHERE digest = ? AND lease_holder = ?',
    ),
    remove: database.prepare('DELETE FROM sessions WHERE digest = ?'),
    noteLogout: database.prepare(
      `INSERT INTO logouts (of, issuer, name, told_at, until) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET told_at = max(told_at, excluded.told_at), until = max(until, excluded.until)`,
    ),
    loggedOutAt: database.prepare('SELECT told_at FROM logouts WHERE of = ? AND issuer = ? AND name = ? AND until > ?'),
    forgetLogouts: database.prepare('DELETE FROM logouts WHERE until <= ?'),
    purge: database.prepare(
      `DELETE FROM sessions
       WHERE digest IN (SELECT digest FROM sessions WHERE ends_at <= ? OR used_at <= ? LIMIT ?)`,
    ),
  };
}

const found = (sql: Statements, of: SessionsOf, nowMillis: number): unknown[] =>
  'user' in of
    ? sql.ofUser.all(of.issuer, of.user, nowMillis)
    : sql.ofProviderSession.all(of.issuer, of.providerSessionId, nowMillis);

const nameOf = (of: SessionsOf): [of: string, issuer: string, name: string] =>
  'user' in of ? ['user', of.issuer, of.user] : ['session', of.issuer, of.providerSessionId];

function reading<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new LedgerError(`sessions cannot be read: ${describe(cause)}`, cause);
  }
}

const asRow = (digest: string, session: Session): [...Row] => [
  session.id,
  session.issuer,
  session.user,
  JSON.stringify(session.roles),
  session.tenant ?? null,
  session.providerSessionId ?? null,
  session.startedAtMillis,
  session.endsAtMillis,
  session.usedAtMillis,
  session.refreshAtMillis ?? null,
  session.sealedTokens ?? null,
  session.version,
  digest,
];

/** Returns undefined of a row that somebody has spoilt: it opens nothing, and its user logs in again. */
function asSession(row: Row, usedSince: number): Session | undefined {
  const [id, issuer, user, rolesText, tenant, providerSession, startedAtMillis, endsAtMillis, usedAt, ...rest] = row;
  const [refreshAt, tokens, version] = rest;
  const roles = keptRoles(keptJson(rolesText));
  if (roles === undefined) return undefined;
  return {
    ...{ id, issuer, user, startedAtMillis, endsAtMillis, version },
    roles,
    tenant: tenant ?? undefined,
    providerSessionId: providerSession ?? undefined,
    usedAtMillis: Math.max(usedAt, usedSince),
    refreshAtMillis: refreshAt ?? undefined,
    sealedTokens: tokens ?? undefined,
  };
}
