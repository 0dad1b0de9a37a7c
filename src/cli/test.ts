/** `test`: runs the tests of policies, by the very stages that the gateway runs. Nothing is started, nothing is sent. */
import { globSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Fault } from '../policy/fault.ts';
import { coverage, type Share } from './policy-tests/coverage.ts';
import { againstGolden, goldenFileOf, writeGolden } from './policy-tests/golden.ts';
import { type LoadedTests, loadTests } from './policy-tests/load.ts';
import { runTests, type TestResult } from './policy-tests/run.ts';
import { type Output, shortest, writeFaults } from './settings.ts';

export interface TestOptions {
  /** Test files, and folders in which they are looked for. */
  readonly paths: readonly string[];
  /** Golden files are written anew. */
  readonly update: boolean;
  /** Tells what was not covered, also where the file does not ask for it. */
  readonly coverage: boolean;
}

/** Resolves with the exit code: 0 when all tests pass; 1 when one fails; 3 when a file is wrong, and then none is run. */
export async function test(options: TestOptions, output: Output): Promise<number> {
  const faults: Fault[] = [];
  const loaded = testFiles(options.paths, faults).flatMap((file) => {
    const tests = loadTests(file);
    if (!('faults' in tests)) return [tests];
    faults.push(...tests.faults);
    return [];
  });
  if (faults.length > 0) {
    writeFaults(faults, { json: false }, output);
    return 3;
  }
  let failed = false;
  for (const tests of loaded) if (!(await passes(tests, options, output))) failed = true;
  return failed ? 1 : 0;
}

const SUFFIX = '.test.yaml';

const testFiles = (paths: readonly string[], faults: Fault[]): readonly string[] =>
  paths.flatMap((path) => {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return [path];
    const found = globSync(`**/*${SUFFIX}`, { cwd: path }).sort();
    if (found.length === 0) faults.push({ file: path, line: 0, column: 0, message: `there is no *${SUFFIX} below it` });
    return found.map((file) => join(path, file));
  });

const passes = async (tests: LoadedTests, options: TestOptions, output: Output): Promise<boolean> => {
  const { file, written } = tests;
  const cover = coverage(tests);
  const found = await runTests({ ...tests, policy: cover.policy }, cover.witness);
  if (written.golden && options.update) {
    writeGolden(file, found);
    output.out(`${shortest(goldenFileOf(file))}: written`);
  }
  const results = written.golden ? againstGolden(file, found) : found;
  const failed = results.filter(({ failures }) => failures.length > 0);
  for (const result of failed) tellFailure(file, result, output);
  output.out(`${shortest(file)}: ${results.length - failed.length} passed, ${failed.length} failed`);
  const covered = tellCoverage(cover.shares(), { asked: options.coverage, needed: written.coverage === 'all', output });
  return failed.length === 0 && covered;
};

const tellFailure = (file: string, { name, line, column, failures }: TestResult, output: Output): void => {
  output.out(`FAILED ${shortest(file)}:${line}:${column}: ${name}`);
  for (const failure of failures) output.out(`    ${failure}`);
};

interface Telling {
  readonly asked: boolean;
  readonly needed: boolean;
  readonly output: Output;
}

/** Returns false when something is not covered that must be. */
const tellCoverage = (shares: readonly Share[], { asked, needed, output }: Telling): boolean => {
  const missing = shares.flatMap((share) => share.missing);
  if (asked || (needed && missing.length > 0)) {
    output.out(`    covered: ${shares.map(({ what, seen, of }) => `${what} ${seen}/${of}`).join(', ')}`);
    for (const { what, missing: names } of shares)
      for (const name of names) output.out(`    not covered, ${what}: ${name}`);
  }
  return !needed || missing.length === 0;
};
