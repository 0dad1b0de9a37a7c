/** Law 11: the language that is written here, which is what Node can run by stripping types, without its escapes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Rule, testLaw } from './laws.ts';
import type { Token } from './tokens.ts';
import { ROOT, sourcesBelow } from './tree.ts';

/** A rule on one token and its neighbours. */
const eachToken =
  (what: string, breaks: (token: Token, before: Token | undefined, after: Token | undefined) => boolean): Rule =>
  (sources) =>
    sources.flatMap(({ path, tokens }) =>
      tokens
        .filter((token, index) => breaks(token, tokens[index - 1], tokens[index + 1]))
        .map(({ line }) => ({ path, line, what })),
    );

const isAny = (token: Token, before: Token | undefined, after: Token | undefined): boolean =>
  token.kind === 'word' &&
  token.text === 'any' &&
  /^(:|<|\||&|,|\(|\[|=|=>|as|readonly|satisfies)$/.test(before?.text ?? '') &&
  !/^[:(.]$/.test(after?.text ?? '');

const isEnum = (token: Token, before: Token | undefined, after: Token | undefined): boolean =>
  token.kind === 'word' && /^(enum|namespace)$/.test(token.text) && after?.kind === 'word' && before?.text !== '.';

const EXPRESSION_FOLLOWS = /^(return|typeof|await|void|in|of|case|else|do|delete|throw|instanceof|yield|new|default)$/;

const isNonNull = (token: Token, before: Token | undefined): boolean =>
  token.text === '!' &&
  ((before?.kind === 'word' && !EXPRESSION_FOLLOWS.test(before.text)) || /^[)\]]$/.test(before?.text ?? '')) &&
  // The end of the condition in `if (a) !b` would look the same; nobody writes that.
  token.start === (before?.start ?? 0) + (before?.text.length ?? 0);

const parameterProperties: Rule = (sources) =>
  sources.flatMap(({ path, tokens }) =>
    tokens.flatMap(({ text, line }, index) => {
      if (text !== 'constructor' || tokens[index + 1]?.text !== '(') return [];
      const end = tokens.findIndex((token, i) => i > index && token.text === '{');
      const head = tokens.slice(index, end === -1 ? undefined : end);
      const breaks = head.some((token) => /^(public|private|protected|readonly|override)$/.test(token.text));
      return breaks ? [{ path, line, what: 'declares a parameter property' }] : [];
    }),
  );

const comments =
  (pattern: RegExp, what: string): Rule =>
  (sources) =>
    sources.flatMap((source) =>
      source.comments.filter(({ text }) => pattern.test(text)).map(({ line }) => ({ path: source.path, line, what })),
    );

const everything = () => ['src', 'demo', 'bench', 'test'].flatMap(sourcesBelow);

describe('language', () => {
  testLaw({
    law: 11,
    fact: 'no any',
    sources: everything,
    rule: eachToken('says any', isAny),
    breaches: [
      { 'src/a/b.ts': 'export const a = (b: any) => b;' },
      { 'src/a/b.ts': 'const a = b as any;' },
      { 'src/a/b.ts': 'type A = Record<string, any>;' },
      { 'src/a/b.ts': 'type A = B | any[];' },
    ],
  });

  testLaw({
    law: 11,
    fact: 'no enum and no namespace',
    sources: everything,
    rule: eachToken('declares an enum or a namespace', isEnum),
    breaches: [{ 'src/a/b.ts': 'export enum A { B }' }, { 'src/a/b.ts': 'const enum A { B }' }],
  });

  testLaw({
    law: 11,
    fact: 'no parameter properties',
    sources: everything,
    rule: parameterProperties,
    breaches: [{ 'src/a/b.ts': 'class A { constructor(private readonly b: B) {} }' }],
  });

  testLaw({
    law: 11,
    fact: 'no non-null assertion',
    sources: everything,
    rule: eachToken('asserts that something is not null', isNonNull),
    breaches: [
      { 'src/a/b.ts': 'const a = b!;' },
      { 'src/a/b.ts': 'const a = b[0]!.c;' },
      { 'src/a/b.ts': 'const a = b()!;' },
    ],
  });

  testLaw({
    law: 11,
    fact: 'the type checker is never told to look away',
    sources: () => sourcesBelow('src'),
    rule: comments(/@ts-(ignore|expect-error|nocheck)/, 'silences the type checker'),
    breaches: [{ 'src/a/b.ts': '// @ts-ignore\na;' }, { 'src/a/b.ts': '/* @ts-expect-error x */ a;' }],
  });

  test('floating promises are faults of the lint, and types are strict', () => {
    const biome = readFileSync(join(ROOT, 'biome.json'), 'utf8');
    const tsconfig = readFileSync(join(ROOT, 'tsconfig.json'), 'utf8');
    for (const rule of ['noFloatingPromises', 'noMisusedPromises', 'noExplicitAny', 'noNonNullAssertion'])
      expect(biome).toContain(`"${rule}": "error"`);
    for (const option of ['strict', 'erasableSyntaxOnly', 'noUncheckedIndexedAccess', 'exactOptionalPropertyTypes'])
      expect(tsconfig).toContain(`"${option}": true`);
  });

  testLaw({
    law: 'todo',
    fact: 'no TODO without an issue number',
    sources: everything,
    rule: comments(/\b(TODO|FIXME|XXX|HACK)\b(?![^\n]*#\d)/, 'leaves something undone without an issue number'),
    breaches: [{ 'src/a/b.ts': '// TODO: later\na;' }, { 'src/a/b.ts': '/* a\n * FIXME soon */ a;' }],
  });
});
