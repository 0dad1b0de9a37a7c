import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commandLine } from '../support/command-line.ts';
import { ownedFile } from '../support/owned-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'owners-command-'));
const config = join(folder, 'gateway.yaml');
const map = join(folder, 'map.csv');
afterAll(() => rmSync(folder, { recursive: true }));
beforeAll(() => {
  const there = ownedFile(join(folder, 'ownership.db'));
  there.own('corp|alice', '1');
  there.own('corp|bob', '2');
  there.close();
  writeFileSync(join(folder, 'keys.json'), '{"keys":[]}');
  const issuer = { name: 'corp', issuer: 'https://corp.example', audience: 'jaaz', keys: { file: 'keys.json' } };
  const settings = { upstream: { url: 'http://127.0.0.1:1' }, issuers: [issuer], ledger: { sqlite: 'ownership.db' } };
  writeFileSync(config, JSON.stringify({ ...settings, policies: [resolve('policies/minimal.yaml')], audit: 'off' }));
});

const run = (...words: string[]) => commandLine('owners', ...words, '--config', config);
const changes = async (...words: string[]): Promise<string[]> => {
  const { out, code, err } = await run('rename', ...words, '--json');
  expect([code, err]).toEqual([0, '']);
  return JSON.parse(out).changes.map(({ from, to }: { from: string; to: string }) => `${from} ${to}`);
};

test('names one owner, an issuer, or the owners of a file', async () => {
  writeFileSync(map, 'old,new\ncorp|alice,corp|a\ncorp|bob,corp|b\n');
  expect(await changes('corp|alice', 'corp|a')).toEqual(['corp|alice corp|a']);
  expect(await changes('--issuer', 'corp', 'corp2')).toEqual(['corp|alice corp2|alice', 'corp|bob corp2|bob']);
  expect(await changes('--map', map)).toEqual(['corp|alice corp|a', 'corp|bob corp|b']);
});

test('what a file holds steers no terminal, wherever it is cited', async () => {
  writeFileSync(map, 'corp|a\u009b2Jlice,corp|a\ncorp|x\u202eecila,corp|alice,\n"corp|\u009d0;x",corp|b\n');
  const { code, err } = await run('rename', '--map', map);
  expect([code, err.split('\n').length]).toEqual([2, 3]);
  expect(err).toContain('\\u009b2J');
  expect(err).not.toMatch(/[\u0080-\u009f\u202e]/);
  const [owner, file] = await Promise.all([run('rename', 'corp|\u009b2J', 'corp|x'), run('undo', '\u009b2J')]);
  expect(`${owner.err}${file.err}`).not.toMatch(/[\u0080-\u009f]/);
});

test('takes every word of it to where it is done', async () => {
  const undo = join(folder, 'x.undo');
  expect((await run('list', '--issuer', 'corp')).out).toBe('corp|alice  1\ncorp|bob  1');
  const done = await run('rename', 'corp|alice', 'corp|bob', '--merge', '--apply', '--undo-file', undo);
  expect([done.code, done.out]).toEqual([
    0,
    `Renamed corp|alice -> corp|bob: 1 resource\n"owners undo ${undo}" takes it back.`,
  ]);
  expect((await run('undo', undo)).out).toContain('Nothing was changed');
  expect((await run('undo', undo, '--apply', '--json')).out).toContain('"undone"');
  expect((await run('list')).out).toBe('corp|alice  1\ncorp|bob  1');
});

describe('wrong use ends with 2:', () => {
  test.each([
    ['no names', []],
    ['one name', ['corp|alice']],
    ['a name that is no owner', ['alice', 'corp|a']],
    ['one name twice', ['corp|alice', 'corp|alice']],
    ['owners for issuers', ['--issuer', 'corp|alice', 'corp|a']],
    ['the service accounts for an issuer', ['--issuer', 'service', 'corp2']],
    ['names beside a file', ['corp|alice', 'corp|a', '--map', 'map.csv']],
    ['an issuer beside a file', ['--issuer', '--map', 'map.csv']],
    ['an option that there is none of', ['corp|alice', 'corp|a', '--force']],
  ])('%s', async (_, words) => expect((await run('rename', ...words)).code).toBe(2));

  test('a file with a fault in it, which is told by its line', async () => {
    const path = join(folder, 'bad.csv');
    writeFileSync(path, 'corp|alice,corp|a\nbob,corp|b\n');
    const { code, err } = await run('rename', '--map', path, '--apply');
    expect([code, err]).toEqual([2, expect.stringMatching(/bad\.csv: line 2: "bob" is no owner/)]);
    writeFileSync(path, '\n');
    expect((await run('rename', '--map', path)).code).toBe(2);
    expect((await run('list')).out).toContain('corp|alice');
  });
});

test('a file that cannot be read ends with 1, a configuration that is none with 3', async () => {
  expect((await run('rename', '--map', join(folder, 'none.csv'))).code).toBe(1);
  expect((await commandLine('owners', 'list', '--config', join(folder, 'none.yaml'))).code).toBe(3);
});
