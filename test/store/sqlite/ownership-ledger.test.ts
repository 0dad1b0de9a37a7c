/** What only a ledger in a file can do: survive a crash, be shared by two processes, be the wrong file. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, expect, test } from 'vitest';
import type { Claim } from '../../../src/authz/ownership.ts';
import { LedgerError } from '../../../src/store/ledger-error.ts';
import { openSqliteLedger } from '../../../src/store/sqlite/ownership-ledger.ts';

const directory = mkdtempSync(join(tmpdir(), 'ledger-'));
const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

let files = 0;
const newPath = (): string => join(directory, `${files++}.db`);

function claimer(...args: readonly string[]) {
  const script = new URL('../../support/ledger-claimer.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [script, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => {
    const { value } = await lines.next();
    return String(value);
  };
  return { child, lines, next };
}

const canvas = (id: string) => ({ kind: 'canvas', id });
const create = (id: string): Claim => ({ ref: canvas(id), parent: undefined, verb: 'create' });

async function killed(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

test('a claim whose process was killed before it settled stays its owner’s, and nobody else’s', async () => {
  const path = newPath();
  const { child, next } = claimer('hold', path, 'main|ann');
  expect(await next()).toBe('held');
  await killed(child);
  const ledger = openSqliteLedger({ path });
  expect(await ledger.find([canvas('held')])).toMatchObject([{ owner: 'main|ann', state: 'pending' }]);
  expect(await ledger.claim([create('held')], 'main|bob', 'r1')).toMatchObject({ because: 'foreign' });
  expect((await ledger.claim([create('held')], 'main|ann', 'r2')).claimed).toBe(true);
  await ledger.settle([canvas('held')], 'r2', 'undone');
  expect(await ledger.claim([create('held')], 'main|bob', 'r3')).toMatchObject({ because: 'foreign' });
  await ledger.close();
});

test('loses no claim that it acknowledged when it is killed in the midst of claiming', async () => {
  const path = newPath();
  const { child, lines, next } = claimer('stream', path, 'main|ann');
  const acknowledged: string[] = [];
  while (acknowledged.length < 200) acknowledged.push(await next());
  await killed(child);
  for await (const line of { [Symbol.asyncIterator]: () => lines }) acknowledged.push(line);
  const ledger = openSqliteLedger({ path });
  const records = await ledger.find(acknowledged.map(canvas));
  expect(records.every((record) => record?.owner === 'main|ann')).toBe(true);
  await ledger.close();
});

test('gives each id to exactly one of two processes that claim the same ones', async () => {
  const path = newPath();
  const count = 200;
  const rivals = ['main|ann', 'main|bob'].map((owner) => claimer('race', path, owner, String(count)));
  await Promise.all(rivals.map(async ({ next }) => expect(await next()).toBe('ready')));
  for (const { child } of rivals) child.stdin?.write('go\n');
  const won = await Promise.all(rivals.map(async ({ next }) => JSON.parse(await next()) as string[]));
  expect(won.flat().sort()).toEqual(Array.from({ length: count }, (_, index) => `c${index}`).sort());
  const ledger = openSqliteLedger({ path });
  const records = await ledger.find((won[0] ?? []).map(canvas));
  expect(records.every((record) => record?.owner === 'main|ann')).toBe(true);
  await ledger.close();
});

test('makes the directory, and lets nobody else into it', async () => {
  const path = join(directory, 'deep', 'er', 'ledger.db');
  await openSqliteLedger({ path }).close();
  expect(statSync(join(directory, 'deep', 'er')).mode & 0o077).toBe(0);
});

test('flushes every commit of its write-ahead log, and finds its rows by index', async () => {
  const path = newPath();
  const ledger = openSqliteLedger({ path });
  await ledger.claim([create('c')], 'main|ann', 'r');
  await ledger.close();
  const database = new DatabaseSync(path);
  expect(database.prepare('PRAGMA journal_mode').get()).toMatchObject({ journal_mode: 'wal' });
  expect(database.prepare('SELECT max(version) AS version FROM schema_version').get()).toMatchObject({ version: 4 });
  const plan = database.prepare('EXPLAIN QUERY PLAN SELECT id FROM resources WHERE parent_kind = ? AND parent_id = ?');
  expect(plan.all('canvas', 'c')).toMatchObject([{ detail: expect.stringContaining('resources_by_parent') }]);
  database.close();
});

test('refuses a database of a newer version, and says what was found and expected', async () => {
  const path = newPath();
  await openSqliteLedger({ path }).close();
  const database = new DatabaseSync(path);
  database.exec('INSERT INTO schema_version (version, applied_at) VALUES (99, 0)');
  database.close();
  expect(() => openSqliteLedger({ path })).toThrow(LedgerError);
  expect(() => openSqliteLedger({ path })).toThrow(/version 99, expected at most 4/);
});

test('refuses another program’s database, and leaves it as it was', () => {
  const path = newPath();
  const database = new DatabaseSync(path);
  database.exec('CREATE TABLE schema_version (version INTEGER); CREATE TABLE notes (text TEXT)');
  database.close();
  const before = readFileSync(path);
  expect(() => openSqliteLedger({ path })).toThrow(/is not a ledger: found application id 0/);
  expect(readFileSync(path).equals(before)).toBe(true);
});

test('refuses a file that is not a database, and leaves it as it was', () => {
  const path = newPath();
  writeFileSync(path, 'This is a letter to my aunt. '.repeat(100));
  expect(() => openSqliteLedger({ path })).toThrow(/cannot open the ledger .*not a database/);
  expect(readFileSync(path, 'utf8')).toContain('my aunt');
});

test('refuses a path that cannot be written', () => {
  writeFileSync(join(directory, 'plain'), '');
  expect(() => openSqliteLedger({ path: join(directory, 'plain', 'ledger.db') })).toThrow(LedgerError);
});

test('keeps a lean only where an outcome is open', async () => {
  const path = newPath();
  const ledger = openSqliteLedger({ path });
  const ids = ['kept', 'undone', 'learned', 'released', 'open'];
  for (const request of ['r1', 'r2']) await ledger.claim(ids.map(create), 'main|ann', request);
  await ledger.settle([canvas('kept')], 'r1', 'kept');
  for (const request of ['r1', 'r2']) await ledger.settle([canvas('undone')], request, 'undone');
  await ledger.learn({ ref: canvas('learned'), parent: undefined, origin: 'response' }, 'main|ann');
  await ledger.release(canvas('released'), 'main|ann');
  await ledger.settle([canvas('open')], 'r1', 'unknown');
  await ledger.close();
  const database = new DatabaseSync(path);
  expect(database.prepare('SELECT id, request FROM leans').all()).toMatchObject([
    { id: 'open', request: 'r1' },
    { id: 'open', request: 'r2' },
  ]);
  database.close();
});

test('one write that cannot be done takes nothing from those that share its transaction', async () => {
  const ledger = openSqliteLedger({ path: newPath() });
  const impossible = {
    ref: { kind: 'canvas', id: undefined as unknown as string },
    parent: undefined,
    verb: 'create',
  } as const;
  const settled = await Promise.allSettled([
    ledger.claim([create('a')], 'main|ann', 'r1'),
    ledger.claim([create('b'), impossible], 'main|ann', 'r2'),
    ledger.claim([create('c')], 'main|ann', 'r3'),
  ]);
  expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  const found = await ledger.find([canvas('a'), canvas('b'), canvas('c')]);
  expect(found.map((record) => record?.id)).toEqual(['a', undefined, 'c']);
  await ledger.close();
});

test('rejects writes with a LedgerError while another process holds the file, and claims nothing', async () => {
  const path = newPath();
  const ledger = openSqliteLedger({ path, busyTimeoutMillis: 20 });
  const other = new DatabaseSync(path);
  other.exec('BEGIN IMMEDIATE');
  await expect(ledger.claim([create('c')], 'main|ann', 'r')).rejects.toThrow(LedgerError);
  other.exec('ROLLBACK');
  other.close();
  expect(await ledger.find([canvas('c')])).toEqual([undefined]);
  expect((await ledger.claim([create('c')], 'main|bob', 'r')).claimed).toBe(true);
  await ledger.close();
});

test('commits what was asked before it closes, and rejects what is asked after', async () => {
  const path = newPath();
  const ledger = openSqliteLedger({ path });
  const claimed = ledger.claim([create('c')], 'main|ann', 'r');
  await ledger.close();
  expect((await claimed).claimed).toBe(true);
  await expect(ledger.find([canvas('c')])).rejects.toThrow(LedgerError);
  await expect(ledger.ping()).rejects.toThrow(LedgerError);
  await expect(ledger.claim([create('d')], 'main|ann', 'r')).rejects.toThrow(LedgerError);
  await ledger.close();
  const again = openSqliteLedger({ path });
  expect(await again.find([canvas('c')])).toMatchObject([{ owner: 'main|ann' }]);
  await again.close();
});
