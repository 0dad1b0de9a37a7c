import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { type OwnersDeed, owners } from '../../src/cli/owners.ts';
import { ownedFile } from '../support/owned-file.ts';

const parent = mkdtempSync(join(tmpdir(), 'owners-'));
afterAll(() => rmSync(parent, { recursive: true }));

let folder: string;
let file: string;
let worlds = 0;
beforeEach(() => {
  folder = join(parent, `${worlds++}`);
  file = join(folder, 'gateway.yaml');
  const there = ownedFile(join(folder, 'ownership.db'));
  there.own('corp|alice', '1', '2');
  there.own('corp|bob', '3');
  there.close();
  writeFileSync(join(folder, 'keys.json'), '{"keys":[]}');
  write({});
});

const write = (more: object): void => {
  const issuer = { name: 'corp', issuer: 'https://corp.example', audience: 'jaaz', keys: { file: 'keys.json' } };
  const config = {
    ...{ upstream: { url: 'http://127.0.0.1:1' }, issuers: [issuer], ledger: { sqlite: 'ownership.db' } },
    ...{ policies: [resolve('policies/minimal.yaml')], audit: { file: 'audit.ndjson' } },
  };
  writeFileSync(file, JSON.stringify({ ...config, ...more }));
};

const run = async (deed: OwnersDeed, { json = true, config = file } = {}) => {
  const out: string[] = [];
  const err: string[] = [];
  const output = { out: (line: string) => void out.push(line), err: (line: string) => void err.push(line) };
  const code = await owners(deed, { file: config, json, variables: {} }, output);
  return { code, out, err, answer: json && out[0] !== undefined ? JSON.parse(out[0]) : undefined };
};
const rename = (from: string, to: string, more: Partial<Extract<OwnersDeed, { do: 'rename' }>> = {}): OwnersDeed => ({
  ...{ do: 'rename', renaming: { owners: [{ from, to }] }, apply: false, merge: false },
  ...more,
});
const list = async () => {
  const { answer } = await run({ do: 'list' });
  return Object.fromEntries(
    answer.owners.map(({ owner, resources }: { owner: string; resources: number }) => [owner, resources]),
  );
};
const audited = (): string[] => {
  const lines = readFileSync(join(folder, 'audit.ndjson'), 'utf8').trimEnd().split('\n');
  return lines.map((line) => String(JSON.parse(line).detail));
};

test('the list is of all, or of one issuer', async () => {
  expect(await list()).toEqual({ 'corp|alice': 2, 'corp|bob': 1 });
  expect((await run({ do: 'list', issuer: 'other' })).answer).toEqual({ outcome: 'listed', owners: [] });
  expect((await run({ do: 'list' }, { json: false })).out).toEqual(['corp|alice  2', 'corp|bob  1']);
});

describe('a renaming', () => {
  test('is told and not done, unless it is to be', async () => {
    const before = readdirSync(folder);
    const { code, answer } = await run(rename('corp|alice', 'corp|alicia'));
    expect([code, answer.outcome, answer.changes[0].resources]).toEqual([0, 'planned', 2]);
    expect(await list()).toEqual({ 'corp|alice': 2, 'corp|bob': 1 });
    expect(readdirSync(folder)).toEqual(before);
  });

  test('is done, recorded, and can be taken back', async () => {
    const done = await run(rename('corp|alice', 'corp|alicia', { apply: true }));
    expect([done.code, done.answer.outcome, done.answer.recorded]).toEqual([0, 'applied', true]);
    expect(await list()).toEqual({ 'corp|alicia': 2, 'corp|bob': 1 });
    const { undoFile } = done.answer;
    expect(undoFile).toMatch(/owners-.*\.undo$/);
    const told = await run({ do: 'undo', undoFile, apply: false });
    expect([told.code, told.answer]).toEqual([0, { outcome: 'undo-planned', resources: 2, changedSince: 0 }]);
    expect(await list()).toEqual({ 'corp|alicia': 2, 'corp|bob': 1 });
    const back = await run({ do: 'undo', undoFile, apply: true });
    expect([back.code, back.answer.outcome]).toEqual([0, 'undone']);
    expect(await list()).toEqual({ 'corp|alice': 2, 'corp|bob': 1 });
    expect(audited()).toEqual([
      'renamed corp|alice to corp|alicia: 2 resources',
      'took the renaming of 2 resources back',
    ]);
  });

  test('of an issuer notes that the configuration does not know the new one', async () => {
    const deed = rename('', '', { renaming: { issuer: { from: 'corp', to: 'corp2' } } });
    const { answer } = await run(deed);
    expect(answer.changes.map(({ to }: { to: string }) => to)).toEqual(['corp2|alice', 'corp2|bob']);
    expect(answer.notes).toEqual(['No issuer in the configuration is called "corp2": nobody is any of its users yet.']);
  });

  test('in which two would become one is refused, told or to be done, unless that is wanted', async () => {
    for (const apply of [false, true]) {
      const { code, answer } = await run(rename('corp|alice', 'corp|bob', { apply }));
      expect([code, answer.outcome, answer.conflicts[0].meets]).toEqual([1, 'refused', 1]);
    }
    expect(await list()).toEqual({ 'corp|alice': 2, 'corp|bob': 1 });
    expect((await run(rename('corp|alice', 'corp|bob', { apply: true, merge: true }))).code).toBe(0);
    expect(await list()).toEqual({ 'corp|bob': 3 });
  });

  test('of nobody who is known is a mistake', async () => {
    const { code, err } = await run(rename('corp|nobody', 'corp|x', { apply: true }), { json: false });
    expect([code, err]).toEqual([1, ['Nothing is known under these names: there is nothing to rename.']]);
  });

  test('is not done when the file that takes it back cannot be written', async () => {
    const undoFile = join(folder, 'there.undo');
    writeFileSync(undoFile, 'mine');
    const { code, answer } = await run(rename('corp|alice', 'corp|x', { apply: true, undoFile }));
    expect([code, answer.outcome]).toEqual([1, 'failed']);
    expect(answer.message).toContain('EEXIST');
    expect(readFileSync(undoFile, 'utf8')).toBe('mine');
    expect(await list()).toEqual({ 'corp|alice': 2, 'corp|bob': 1 });
  });

  test('is not done while Redis, which remembers owners, cannot be reached', async () => {
    write({ redis: { url: 'redis://127.0.0.1:1' } });
    const { code, answer } = await run(rename('corp|alice', 'corp|x', { apply: true }));
    expect([code, answer.outcome]).toEqual([1, 'failed']);
    expect(answer.message).toContain('Redis cannot be reached');
    expect(await list()).toEqual({ 'corp|alice': 2, 'corp|bob': 1 });
    expect(readdirSync(folder).filter((name) => name.endsWith('.undo'))).toEqual([]);
  });
});

describe('what cannot be done ends with', () => {
  test('3 for a configuration that is not valid', async () => {
    write({ policies: [] });
    const { code, err } = await run({ do: 'list' }, { json: false });
    expect([code, err.at(-1)]).toEqual([3, '1 fault']);
  });

  test('1 for a ledger that is not there, or is none', async () => {
    write({ ledger: { sqlite: 'none.db' } });
    expect((await run({ do: 'list' })).answer.message).toContain('There is no ledger at');
    write({ ledger: { sqlite: 'keys.json' } });
    expect(await run({ do: 'list' })).toMatchObject({ code: 1, answer: { outcome: 'failed' } });
    expect(readFileSync(join(folder, 'keys.json'), 'utf8')).toBe('{"keys":[]}');
  });

  test('1 for a file that takes nothing back', async () => {
    const missing = await run({ do: 'undo', undoFile: join(folder, 'no.undo'), apply: true });
    expect([missing.code, missing.answer.message]).toEqual([1, expect.stringContaining('There is no file')]);
    const other = await run({ do: 'undo', undoFile: file, apply: true });
    expect([other.code, other.answer.message]).toEqual([1, expect.stringContaining('cannot be used')]);
  });
});
