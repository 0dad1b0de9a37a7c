/** The golden file beside a test file: everything that came out when somebody last looked at it and agreed. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { plain } from './expectations.ts';
import { lineDiff } from './line-diff.ts';
import type { TestResult } from './run.ts';

/** Returns where the golden file of a test file is. */
export const goldenFileOf = (file: string): string => `${file.replace(/\.yaml$/, '')}.golden.txt`;

/** Writes the golden file anew. */
export const writeGolden = (file: string, results: readonly TestResult[]): void => {
  const outcomes = [...byName(results)].map(([name, { outcome }]) => [name, outcome]);
  writeFileSync(goldenFileOf(file), `${plain(Object.fromEntries(outcomes))}\n`);
};

/** Returns the results, each with how it differs from the golden file, and one more where that knows of other tests. */
export const againstGolden = (file: string, results: readonly TestResult[]): readonly TestResult[] => {
  const golden = goldenFileOf(file);
  const missing = (what: string): TestResult => ({
    name: golden,
    line: 1,
    column: 1,
    failures: [`${what}: look at what is there now, and write it with --update`],
    outcome: '',
  });
  if (!existsSync(golden)) return [...results, missing('there is no golden file')];
  const known = parse(readFileSync(golden, 'utf8'));
  if (known === undefined) return [...results, missing('the golden file is not JSON')];
  const judged = [...byName(results)].map(([name, result]) => {
    const lines = lineDiff(plain(known.get(name)), plain(result.outcome));
    known.delete(name);
    if (lines.length === 0) return result;
    return { ...result, failures: [...result.failures, 'golden: - then, + now', ...lines.map((line) => `  ${line}`)] };
  });
  const gone = [...known.keys()];
  return gone.length === 0 ? judged : [...judged, missing(`tests that are gone: ${gone.join(', ')}`)];
};

const parse = (text: string): Map<string, unknown> | undefined => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? new Map(Object.entries(value)) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
};

/** Rows of a matrix may send the same in several forms. */
const byName = (results: readonly TestResult[]): ReadonlyMap<string, TestResult> => {
  const named = new Map<string, TestResult>();
  for (const result of results) {
    let { name } = result;
    for (let count = 2; named.has(name); count += 1) name = `${result.name} (${count})`;
    named.set(name, result);
  }
  return named;
};
