/** The scanner under the laws: a law that is read from a wrong token holds nothing. */
import { describe, expect, test } from 'vitest';
import { functionsOf } from './functions.ts';
import { scan } from './tokens.ts';
import { sourceOf } from './tree.ts';

const words = (text: string): string[] =>
  scan(text)
    .tokens.filter(({ kind }) => kind === 'word')
    .map((token) => token.text);

const shapes = (text: string): ReadonlyArray<readonly [string, number, number]> =>
  functionsOf(scan(text).tokens).map(({ name, lines, parameters }) => [name, lines, parameters] as const);

describe('tokens', () => {
  test.each([
    ['a comment is not code', 'a; // enum b\n/* c\n */ d;', ['a', 'd']],
    ['a first line for the shell is not code', '#!/usr/bin/env node\na;', ['a']],
    ['a string is not code', `a('enum // x', "it's \\" b");`, ['a']],
    ['a hole of a template is code', 'a(`enum ${b(`${c}}`)} } //`); d', ['a', 'b', 'c', 'd']],
    ['a regular expression is not code', 'a(/[/"]\\/`b/u, c); d', ['a', 'c', 'd']],
    ['a division is not a regular expression', 'a / b / c; (d) / e / f', ['a', 'b', 'c', 'd', 'e', 'f']],
    ['a regular expression may follow return', 'return /x"/.test(a)', ['return', 'test', 'a']],
  ])('%s', (_fact, text, expected) => {
    expect(words(text)).toEqual(expected);
  });

  test('counts lines through comments, strings and templates', () => {
    const { tokens } = scan('/*\n*/ `\n${a}\n` b');
    expect(tokens.filter(({ kind }) => kind === 'word').map(({ text, line }) => [text, line])).toEqual([
      ['a', 3],
      ['b', 4],
    ]);
  });
});

describe('imports', () => {
  const importsOf = (text: string) =>
    sourceOf('src/authz/claim.ts', text).imports.map(({ target, typeOnly, names }) => [target, typeOnly, names]);

  test.each([
    [`import { a, type B as C } from './b.ts';`, ['src/authz/b.ts', false, ['a', 'B']]],
    [`import type { A } from '../model/a.ts';`, ['src/model/a.ts', true, ['A']]],
    [`import { type A, type B } from '../model/a.ts';`, ['src/model/a.ts', true, ['A', 'B']]],
    [`import type from '../model/a.ts';`, ['src/model/a.ts', false, ['default']]],
    [`import * as x from '@hono/node-server/sub';`, ['@hono/node-server', false, ['*']]],
    [`import 'x';`, ['x', false, ['*']]],
    [`const a = await import('../authn/jwt.ts');`, ['src/authn/jwt.ts', false, ['*']]],
    [`export { a } from './b.ts';`, ['src/authz/b.ts', false, ['a']]],
    [`export * from './b.ts';`, ['src/authz/b.ts', false, ['*']]],
  ])('reads %s', (text, expected) => {
    expect(importsOf(text)).toEqual([expected]);
  });

  test.each(['export const from = 1;', `export const a = 'x';`, '// import "x"', 'import.meta.dirname;'])(
    'does not take %s for one',
    (text) => {
      expect(importsOf(text)).toEqual([]);
    },
  );
});

describe('functions', () => {
  test.each([
    ['an arrow with a body', 'const f = (a: A, b = [1, 2]): B => {\n x;\n};', ['f', 3, 2]],
    ['an arrow with an expression', 'const f = (a, { b, c }) =>\n a(b, c,\n d) + 1;', ['f', 3, 2]],
    ['an arrow without brackets', 'list.map(a => {\n b;\n});', ['a function', 3, 1]],
    ['an arrow that returns an arrow type', 'const f = (a): ((b: B) => C) => {\n d;\n};', ['f', 3, 1]],
    [
      'a function with type parameters',
      'function f<T extends A<B>>(a: Map<T, B>, b?: C): D | undefined {\n}',
      ['a function', 2, 2],
    ],
    ['a method', 'class A { f(this: A, a: A): Promise<{ b: B }> {\n} }', ['f', 2, 1]],
    ['a signature', 'interface A { f(a: A, b?: B, ...c: C[]): void }', ['f', 0, 3]],
  ])('measures %s', (_fact, text, expected) => {
    expect(shapes(text).at(0)).toEqual(expected);
  });

  test.each(['if (a) {\n}', 'f(a, b, c, d);', 'const x = a ? (b) : { c };', 'while (a) {\n}', 'catch (e) {\n}'])(
    'does not take %j for one',
    (text) => {
      expect(shapes(text)).toEqual([]);
    },
  );
});
