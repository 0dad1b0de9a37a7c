import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { kitSources } from '../support/kit-sources.ts';

/** The least that a minifier does: comments and indentation go, every name stays. */
const smaller = (code: string): string =>
  code
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/^\s*\/\/.*$/gm, '')
    .replace(/\s+/g, ' ');

test('the whole kit is under 4 kB', () => {
  const all = smaller([...kitSources().values()].join('\n'));
  expect(all).not.toMatch(/interface|readonly /);
  expect(gzipSync(all).length).toBeLessThan(4_096);
});

test('the kit needs nothing but itself', () => {
  for (const [, code] of kitSources())
    for (const [, from] of code.matchAll(/from '([^']+)'/g)) expect(from).toMatch(/^\.\/\w+\.ts$/);
});
