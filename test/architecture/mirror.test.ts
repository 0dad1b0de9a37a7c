/** Where the tests of a file are: at the same place below test/, in both directions. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { obey } from './laws.ts';
import { filesBelow, ROOT, type Source, sourceOf, sourcesBelow } from './tree.ts';

/** Files with code and without a test file of their own, each with the reason. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  'src/model/json.ts': 'types, and one symbol that stands for a step of a path',
  'src/model/reason.ts': 'a table: test/architecture/reasons.test.ts reads it',
};

/** Tests that belong to no single file of src. */
const OWN_ROOMS = /^test\/(contract|feature|attack|policies|architecture|support|live|demo|bench|client|browser)\//;

/** True when something is left after types have been stripped: a file of types needs no test. */
const hasCode = ({ tokens }: Source): boolean =>
  tokens.some(({ text, kind }, index) => {
    if (kind !== 'word' || tokens[index - 1]?.text === '.') return false;
    if (/^(function|class)$/.test(text)) return true;
    return /^(const|let)$/.test(text) && tokens[index - 1]?.text !== 'declare' && tokens[index - 1]?.text !== 'as';
  });

const testOf = (path: string): string => path.replace(/^src\//, 'test/').replace(/\.ts$/, '.test.ts');
const folderOfTest = (path: string): string => path.replace(/^test/, 'src').replace(/\/[^/]+$/, '');

/** An implementation of a port is tested by the port's suite, side by side with the others. */
const inContract = new Set(sourcesBelow('test/contract').flatMap(({ imports }) => imports.map(({ target }) => target)));

const isThere = (path: string): boolean => existsSync(join(ROOT, path));

describe('mirror', () => {
  test('every file of src that holds code has its test', () => {
    obey(
      'mirror',
      sourcesBelow('src')
        .filter((source) => hasCode(source) && !(source.path in EXCEPTIONS) && !inContract.has(source.path))
        .filter(({ path }) => !isThere(testOf(path)))
        .map(({ path }) => ({ path, line: 1, what: `has no ${testOf(path)}` })),
    );
  });

  test('every test of a room is in the folder of one', () => {
    obey(
      'mirror',
      filesBelow('test')
        .filter((path) => path.endsWith('.test.ts') && !OWN_ROOMS.test(path) && !isThere(folderOfTest(path)))
        .map((path) => ({ path, line: 1, what: `mirrors ${folderOfTest(path)}, which does not exist` })),
    );
  });

  test('the exceptions exist', () => {
    expect(Object.keys(EXCEPTIONS).filter((path) => !isThere(path))).toEqual([]);
  });

  test('tells code from types', () => {
    expect(hasCode(sourceOf('src/a/b.ts', `import type { A } from './a.ts';\nexport type B = A | 'const';`))).toBe(
      false,
    );
    expect(hasCode(sourceOf('src/a/b.ts', 'declare const brand: unique symbol;'))).toBe(false);
    expect(hasCode(sourceOf('src/a/b.ts', 'export const a = 1;'))).toBe(true);
  });
});
