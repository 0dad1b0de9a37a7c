/** A ledger's file with things in it, for the suites that rename owners. */
import type { SQLInputValue } from 'node:sqlite';
import { openSqliteFile, type SqliteFile } from '../../src/store/sqlite/file.ts';

export const NOW = 1_700_000_000_000;

export interface OwnedFile {
  readonly path: string;
  readonly file: SqliteFile;
  own(owner: string, ...ids: readonly string[]): void;
  bury(owner: string, ...ids: readonly string[]): void;
  session(issuer: string, user: string, endsAt?: number): void;
  key(id: string, account: string): void;
  revoke(
    id: string,
    row: Partial<Readonly<Record<'by' | 'issuer' | 'subject' | 'before' | 'until', SQLInputValue>>>,
  ): void;
  /** Owners by id of canvases. */
  owners(): Record<string, string>;
  rows(sql: string): ReadonlyArray<Record<string, unknown>>;
  close(): void;
}

export const ownedFile = (path: string): OwnedFile => {
  const file = openSqliteFile({ path, now: () => NOW });
  const { database } = file;
  const resource = database.prepare("INSERT INTO resources VALUES ('canvas', ?, ?, NULL, NULL, ?, 'request', 7)");
  let digests = 0;
  return {
    path,
    file,
    own: (owner, ...ids) => {
      for (const id of ids) resource.run(id, owner, 'owned');
    },
    bury: (owner, ...ids) => {
      for (const id of ids) resource.run(id, owner, 'deleted');
    },
    session: (issuer, user, endsAt = NOW + 1) => {
      const digest = `digest-${digests++}`;
      database
        .prepare(
          `INSERT INTO sessions (digest, id, issuer, user, roles, started_at, ends_at, used_at, version)
           VALUES (?1, ?1, ?2, ?3, '[]', 1, ?4, 1, 0)`,
        )
        .run(digest, issuer, user, endsAt);
    },
    key: (id, account) =>
      void database
        .prepare("INSERT INTO api_keys VALUES (?1, 'digest ' || ?1, ?2, '[\"r\"]', 1, 9, 'note')")
        .run(id, account),
    revoke: (id, { by = 'user', issuer = null, subject = null, before = null, until = null }) =>
      void database
        .prepare("INSERT INTO revocations VALUES (?, ?, ?, ?, ?, 5, ?, 'why')")
        .run(id, by, issuer, subject, before, until),
    owners: () =>
      Object.fromEntries(
        database
          .prepare('SELECT id, owner FROM resources ORDER BY id')
          .all()
          .map(({ id, owner }) => [String(id), String(owner)]),
      ),
    rows: (sql) =>
      database
        .prepare(sql)
        .all()
        .map((row) => ({ ...row })),
    close: () => file.close(),
  };
};
