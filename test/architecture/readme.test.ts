/** The README's map of the code: a path in it that does not exist sends a reader astray. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { obey } from './laws.ts';
import { ROOT } from './tree.ts';

const README = join(ROOT, 'README.md');
const PATH = /`((?:src|client|test|demo|bench|docs|policies)\/[\w./-]*)`/g;

const pathsIn = (text: string): ReadonlyArray<{ readonly path: string; readonly line: number }> =>
  text
    .split('\n')
    .flatMap((row, index) => [...row.matchAll(PATH)].map(([, path]) => ({ path: path ?? '', line: index + 1 })));

const isThere = (path: string): boolean => existsSync(join(ROOT, path)) || existsSync(join(ROOT, `${path}.ts`));

describe('README', () => {
  test('is there', () => {
    expect(existsSync(README), 'README.md is missing').toBe(true);
  });

  test('has a map of the code, and every path in it exists', () => {
    const named = pathsIn(readFileSync(README, 'utf8'));
    expect(named.filter(({ path }) => path.startsWith('src/')).length, 'no path below src/ is named').toBeGreaterThan(
      4,
    );
    obey(
      'map',
      named
        .filter(({ path }) => !isThere(path))
        .map(({ path, line }) => ({ path: 'README.md', line, what: `names ${path}, which does not exist` })),
    );
  });

  test('a path that does not exist would be seen', () => {
    expect(pathsIn('a\n| x | `src/authz/claim.ts`, `src/nowhere/a.ts` |').filter(({ path }) => !isThere(path))).toEqual(
      [{ path: 'src/nowhere/a.ts', line: 2 }],
    );
  });
});
