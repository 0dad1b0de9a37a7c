import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { againstGolden, goldenFileOf, writeGolden } from '../../../src/cli/policy-tests/golden.ts';
import type { TestResult } from '../../../src/cli/policy-tests/run.ts';

const folder = mkdtempSync(join(tmpdir(), 'golden-'));
afterAll(() => rmSync(folder, { recursive: true }));

const result = (name: string, outcome: string): TestResult => ({ name, line: 1, column: 1, failures: [], outcome });
const judge = (file: string, results: readonly TestResult[]) =>
  againstGolden(file, results).map(({ failures }) => failures.join('\n'));

describe('a golden file', () => {
  test('stands beside the tests', () => {
    expect(goldenFileOf('policies/jaaz.test.yaml')).toBe('policies/jaaz.test.golden.txt');
  });

  test('is never the test file itself', () => {
    for (const file of ['a.yml', 'a.test.yaml.txt', 'a', 'a.yaml/b']) expect(goldenFileOf(file)).not.toBe(file);
    const file = join(folder, 'short.yml');
    writeFileSync(file, 'version: 1\n');
    writeGolden(file, [result('a', 'allowed')]);
    expect(readFileSync(file, 'utf8')).toBe('version: 1\n');
  });

  test('agrees with what it was written from', () => {
    const file = join(folder, 'same.test.yaml');
    const results = [result('a', 'allowed'), result('a', 'route-denied'), result('b', 'allowed')];
    writeGolden(file, results);
    expect(judge(file, results)).toEqual(['', '', '']);
    expect(JSON.parse(readFileSync(goldenFileOf(file), 'utf8'))).toEqual({
      a: 'allowed',
      'a (2)': 'route-denied',
      b: 'allowed',
    });
  });

  test('tells what is otherwise now', () => {
    const file = join(folder, 'other.test.yaml');
    writeGolden(file, [result('a', 'allowed')]);
    expect(judge(file, [result('a', 'route-denied')])).toEqual([
      'golden: - then, + now\n  - "allowed"\n  + "route-denied"',
    ]);
  });

  test('knows neither new tests nor forgets old ones', () => {
    const file = join(folder, 'new.test.yaml');
    writeGolden(file, [result('a', 'allowed')]);
    const [added, gone] = judge(file, [result('b', 'allowed')]);
    expect(added).toContain('+ "allowed"');
    expect(gone).toContain('tests that are gone: a');
  });

  test('that is missing or spoilt is a failure', () => {
    const file = join(folder, 'none.test.yaml');
    expect(judge(file, [result('a', 'allowed')])[1]).toContain('there is no golden file');
    for (const spoilt of ['{', 'null', '7', '']) {
      writeFileSync(goldenFileOf(file), spoilt);
      expect(judge(file, [result('a', 'allowed')])[1]).toContain('the golden file is not JSON');
    }
  });
});
