import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { principalOf } from '../../../src/authn/claims.ts';
import { revokedTokens } from '../../../src/authn/revoked.ts';
import type { OwnerUndo, Renaming } from '../../../src/model/owner-change.ts';
import { openOwnerMigration } from '../../../src/store/sqlite/owner-migration.ts';
import { restoreNames } from '../../../src/store/sqlite/owner-names.ts';
import { NOW, type OwnedFile, ownedFile } from '../../support/owned-file.ts';

const directory = mkdtempSync(join(tmpdir(), 'owner-names-'));
afterAll(() => rmSync(directory, { recursive: true }));

let files = 0;
let there: OwnedFile;
beforeEach(() => {
  there = ownedFile(join(directory, `${files++}.db`));
});
afterEach(() => there.close());

const apply = (renaming: Renaming): OwnerUndo => {
  const migration = openOwnerMigration({ path: there.path, now: () => NOW });
  let kept: OwnerUndo | undefined;
  const keep = (undo: OwnerUndo): void => {
    kept = undo;
  };
  migration.apply(renaming, { merge: false, refusedMillis: 1_000, keep });
  migration.close();
  if (kept === undefined) throw new Error('nothing was kept');
  return kept;
};
const rename = (from: string, to: string): Renaming => ({ owners: [{ from, to }] });
const revocations = () =>
  there.rows(
    'SELECT by, issuer, subject, before, made_at, until, note FROM revocations ORDER BY made_at, issuer, subject, by',
  );
const ENDED = { made_at: NOW, until: NOW + 1_000, note: 'the owner is called otherwise now' };

test('who was shut out stays shut out under the new name, for as long and for the same reason', () => {
  there.revoke('r1', { issuer: 'a', subject: 'x', until: NOW + 9 });
  there.revoke('r2', { issuer: 'a', subject: 'y' });
  there.revoke('r3', { issuer: 'b', subject: 'x' });
  there.revoke('over', { issuer: 'a', subject: 'x', until: NOW });
  there.own('a|x', '1');
  apply(rename('a|x', 'c|new|name'));
  const copied = revocations().filter(({ issuer }) => issuer === 'c');
  expect(copied).toEqual([
    { by: 'user', issuer: 'c', subject: 'new|name', before: null, made_at: 5, until: NOW + 9, note: 'why' },
  ]);
});

test('what the old name shows is refused, for a time: its sessions are over wherever they are kept', () => {
  there.own('a|x', '1');
  for (const user of ['x', 'x', 'y']) there.session('a', user);
  there.session('b', 'x');
  apply(rename('a|x', 'a|z'));
  expect(there.rows('SELECT issuer, user FROM sessions ORDER BY issuer')).toEqual([
    { issuer: 'a', user: 'y' },
    { issuer: 'b', user: 'x' },
  ]);
  expect(revocations()).toEqual([{ by: 'user', issuer: 'a', subject: 'x', before: null, ...ENDED }]);
});

test('what shows a name that is another’s now is refused for good: it would open what is the other’s', () => {
  there.own('a|x', '1');
  there.own('a|y', '2');
  apply({
    owners: [
      { from: 'a|x', to: 'a|y' },
      { from: 'a|y', to: 'a|z' },
    ],
  });
  expect(there.owners()).toEqual({ 1: 'a|y', 2: 'a|z' });
  const ended = { by: 'user', issuer: 'a', before: null, ...ENDED };
  expect(revocations()).toEqual([
    { ...ended, subject: 'x' },
    { ...ended, subject: 'y', until: null },
  ]);
});

describe('of an issuer', () => {
  test('all that was revoked stays so: users, single tokens, and what was issued before a moment', () => {
    there.revoke('r1', { issuer: 'a', subject: 'x' });
    there.revoke('r2', { by: 'token', issuer: 'a', subject: 'jti' });
    there.revoke('r3', { by: 'issued-before', issuer: 'a', before: 4 });
    there.revoke('r4', { by: 'issued-before', before: 3 });
    there.revoke('r5', { by: 'token', issuer: 'other', subject: 'jti' });
    there.revoke('over', { by: 'token', issuer: 'a', subject: 'j2', until: NOW });
    apply({ issuer: { from: 'a', to: 'b' } });
    const of = (alias: string) =>
      revocations()
        .filter(({ issuer, made_at }) => issuer === alias && made_at === 5)
        .map(({ by, subject, before }) => [by, subject, before]);
    expect(of('b')).toEqual([
      ['issued-before', null, 4],
      ['token', 'jti', null],
      ['user', 'x', null],
    ]);
    expect(of('other')).toHaveLength(1);
  });

  test('one word refuses what all its users show under the old one', () => {
    there.session('a', 'x');
    there.session('a', 'owns nothing');
    there.session('b', 'x');
    apply({ issuer: { from: 'a', to: 'b' } });
    expect(there.rows('SELECT issuer FROM sessions')).toEqual([{ issuer: 'b' }]);
    expect(revocations()).toEqual([{ by: 'issued-before', issuer: 'a', subject: null, before: NOW, ...ENDED }]);
  });
});

describe('API keys', () => {
  test('go with their account, and running gateways hear of it', () => {
    there.key('k1', 'ci');
    there.key('k2', 'other');
    there.own('service|ci', '1');
    const [before] = there.rows("SELECT * FROM api_keys WHERE id = 'k1'");
    const count = () => there.rows("SELECT count FROM changes WHERE what = 'api_keys'")[0]?.count;
    const counted = count();
    const undo = apply(rename('service|ci', 'service|build'));
    expect(there.rows("SELECT * FROM api_keys WHERE id = 'k1'")).toEqual([{ ...before, account: 'build' }]);
    expect(there.rows("SELECT account FROM api_keys WHERE id = 'k2'")).toEqual([{ account: 'other' }]);
    expect(count()).not.toBe(counted);
    expect(undo.keys).toEqual([{ id: 'k1', from: 'ci', to: 'build' }]);
  });

  describe('that come to a name which is revoked', () => {
    const good = (): unknown[] => {
      const revoked = revokedTokens();
      for (const { by, issuer, subject, before, made_at } of there.rows('SELECT * FROM revocations')) {
        const terms = { id: '', madeAtMillis: Number(made_at), untilMillis: undefined, note: undefined };
        if (by === 'user') revoked.add({ ...terms, by, issuer: String(issuer), user: String(subject) });
        else revoked.add({ ...terms, by: 'issued-before', issuer: undefined, beforeMillis: Number(before) });
      }
      return there
        .rows('SELECT id, account, made_at, expires_at FROM api_keys ORDER BY id')
        .filter(({ id, account, made_at }) => {
          const authority = { tokenId: String(id), issuedAtMillis: Number(made_at), expiresAtMillis: NOW };
          return !revoked.has(
            principalOf('service', { user: String(account), roles: [], tenant: undefined }, authority),
          );
        })
        .map(({ id, account }) => `${id} of ${account}`);
    };
    const exchange: Renaming = {
      owners: [
        { from: 'service|a', to: 'service|b' },
        { from: 'service|b', to: 'service|a' },
      ],
    };
    beforeEach(() => {
      there.key('k1', 'a');
      there.key('k2', 'b');
    });

    test('stay good where two accounts exchange their names, and where an account gets its old name again', () => {
      apply(exchange);
      expect(good()).toEqual(['k1 of b', 'k2 of a']);
      apply(rename('service|a', 'service|c'));
      apply(rename('service|c', 'service|a'));
      expect(good()).toEqual(['k1 of b', 'k2 of a']);
    });

    test('stay revoked where they were', () => {
      there.revoke('r1', { issuer: 'service', subject: 'a' });
      apply(exchange);
      expect(good()).toEqual(['k2 of a']);
    });

    test('stay revoked where all are that were issued before a moment', () => {
      there.revoke('r1', { by: 'issued-before', before: 4 });
      apply(exchange);
      expect(good()).toEqual([]);
    });
  });

  test('are nobody’s who is no service account', () => {
    there.key('k1', 'ci');
    there.own('service|ci', '1');
    there.own('corp|ci', '2');
    expect(apply(rename('service|ci', 'corp|bot')).keys).toEqual([]);
    expect(apply(rename('corp|ci', 'service|ci2')).keys).toEqual([]);
    expect(there.rows('SELECT account FROM api_keys')).toEqual([{ account: 'ci' }]);
  });
});

test('all of it is taken back, but for the sessions', () => {
  there.key('k1', 'ci');
  there.own('service|ci', '1');
  there.revoke('r1', { issuer: 'service', subject: 'ci' });
  there.session('service', 'ci');
  const before = [revocations(), there.rows('SELECT * FROM api_keys')];
  const undo = apply(rename('service|ci', 'service|build'));
  expect(undo.revocations).toHaveLength(2);
  restoreNames(there.file.database, undo);
  expect([revocations(), there.rows('SELECT * FROM api_keys')]).toEqual(before);
  expect(there.rows('SELECT * FROM sessions')).toEqual([]);
  // A key that was revoked meanwhile does not come back.
  there.file.database.exec('DELETE FROM api_keys');
  restoreNames(there.file.database, undo);
  expect(there.rows('SELECT * FROM api_keys')).toEqual([]);
});
