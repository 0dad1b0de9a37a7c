/** Law 10: what no longer fits one's head is split. */
import { describe } from 'vitest';
import { functionsOf } from './functions.ts';
import { type Rule, testLaw } from './laws.ts';
import { sourcesBelow } from './tree.ts';

const MAX_FILE = 300;
const MAX_FUNCTION = 60;
const MAX_PARAMETERS = 3;

const files: Rule = (sources) =>
  sources
    .map(({ path, text }) => ({ path, lines: text.split('\n').length - (text.endsWith('\n') ? 1 : 0) }))
    .filter(({ lines }) => lines > MAX_FILE)
    .map(({ path, lines }) => ({ path, line: MAX_FILE, what: `has ${lines} lines` }));

const functions: Rule = (sources) =>
  sources.flatMap(({ path, tokens }) =>
    functionsOf(tokens)
      .filter(({ lines }) => lines > MAX_FUNCTION)
      .map(({ line, lines, name }) => ({ path, line, what: `${name} has ${lines} lines` })),
  );

const parameters: Rule = (sources) =>
  sources.flatMap(({ path, tokens }) =>
    functionsOf(tokens)
      .filter((one) => one.parameters > MAX_PARAMETERS)
      .map((one) => ({ path, line: one.line, what: `${one.name} has ${one.parameters} parameters` })),
  );

const everything = () => ['src', 'demo', 'bench', 'test'].flatMap(sourcesBelow);

/** The callbacks of describe and the rows of test.each are tables, not functions with a life of their own. */
const code = () => everything().filter(({ path }) => !path.endsWith('.test.ts'));

describe('sizes', () => {
  testLaw({
    law: 10,
    fact: `no file is over ${MAX_FILE} lines`,
    sources: everything,
    rule: files,
    breaches: [{ 'src/a/b.ts': 'a;\n'.repeat(MAX_FILE + 1) }],
  });

  testLaw({
    law: 10,
    fact: `no function is over ${MAX_FUNCTION} lines`,
    sources: code,
    rule: functions,
    breaches: [
      { 'src/a/b.ts': `export const a = (b: B): C => {\n${'  c();\n'.repeat(MAX_FUNCTION)}};` },
      { 'src/a/b.ts': `export async function a(b: B): Promise<C> {\n${'  // c\n'.repeat(MAX_FUNCTION)}}` },
    ],
  });

  testLaw({
    law: 10,
    fact: `no function takes more than ${MAX_PARAMETERS} positional parameters`,
    sources: code,
    rule: parameters,
    breaches: [
      { 'src/a/b.ts': 'export const a = (b: B, c: C, d = 1, ...e: E[]) => b;' },
      { 'src/a/b.ts': 'export interface A { b(c: C, d: D, e: E, f?: F): G; }' },
    ],
  });
});
