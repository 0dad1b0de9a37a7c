/** Policies of a few lines, and what is said of them although they load. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { formatFault } from '../../src/policy/fault.ts';
import { lint } from '../../src/policy/lint.ts';
import type { Subject, Warning } from '../../src/policy/lint-warning.ts';
import { loadPolicy, readSources } from '../../src/policy/load.ts';

const folder = mkdtempSync(join(tmpdir(), 'warnings-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Returns the subject of the files; throws with their faults. */
export const subjectOf = (...files: readonly string[]): Subject => {
  const [loaded, read] = [loadPolicy(files), readSources(files)];
  if ('faults' in loaded) throw new Error(loaded.faults.map(formatFault).join('\n'));
  if ('faults' in read) throw new Error(read.faults.map(formatFault).join('\n'));
  return { sources: read.sources, policy: loaded.policy, issuers: ['main'] };
};

/** The same of a text, for which a version and a name are supplied on the first two lines. */
export const subjectFrom = (text: string): Subject => {
  const file = join(folder, 'p.yaml');
  writeFileSync(file, `version: 1\nname: p\n${text}`);
  return subjectOf(file);
};

/** Returns `line: found` of each warning of a kind. */
export const found = (code: Warning['code'], text: string): string[] =>
  lint(subjectFrom(text))
    .filter((warning) => warning.code === code)
    .map(({ line, found: what }) => `${line}: ${what}`);
