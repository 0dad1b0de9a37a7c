import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { loadTests } from '../../../src/cli/policy-tests/load.ts';
import { formatFault } from '../../../src/policy/fault.ts';

const folder = mkdtempSync(join(tmpdir(), 'load-tests-'));
afterAll(() => rmSync(folder, { recursive: true }));

const write = (name: string, text: string): string => {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
};

const faultsOf = (file: string): string[] => {
  const loaded = loadTests(file);
  return 'faults' in loaded
    ? loaded.faults.map((fault) => formatFault({ ...fault, file: fault.file.replace(`${folder}/`, '') }))
    : [];
};

describe('a test file', () => {
  test('is loaded with the policies that it names, beside it', () => {
    write('a.yaml', 'version: 1\nname: a\nroutes: [{ id: page, match: GET /, access: public }]\n');
    write('b.yaml', 'version: 1\nname: b\nroutes: [{ id: other, match: GET /b, access: public }]\n');
    const loaded = loadTests(write('good.test.yaml', 'version: 1\npolicy: [a.yaml, b.yaml]\nprincipals: {}\n'));
    if ('faults' in loaded) throw new Error('it does not load');
    expect(loaded.policy.routes.map(({ id }) => id)).toEqual(['page', 'other']);
    expect(loaded.places.get('other')).toMatchObject({ file: join(folder, 'b.yaml'), line: 3 });
  });

  test('is not loaded with a policy that does not load', () => {
    write('bad.yaml', 'version: 1\nname: bad\nroutes: 7\n');
    const file = write('bad.test.yaml', 'version: 1\npolicy: bad.yaml\nprincipals: {}\n');
    expect(faultsOf(file)).toEqual(['bad.yaml:3:9: routes has the wrong type (found 7, expected a list)']);
  });

  test('is not loaded when its own form is wrong, and all is told', () => {
    const file = write('form.test.yaml', 'version: 2\npolicy: a.yaml\nprincipals: {}\nreqests: []\n');
    expect(faultsOf(file)).toEqual([
      expect.stringContaining('form.test.yaml:1:10: '),
      'form.test.yaml:4:1: unknown key "reqests", did you mean "requests"?',
    ]);
  });

  test('is not loaded when it is not there', () => {
    expect(faultsOf(join(folder, 'none.test.yaml'))).toEqual(['none.test.yaml:1:1: the file cannot be read: ENOENT']);
  });
});
