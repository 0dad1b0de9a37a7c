import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readTree } from '../../src/policy/yaml-tree.ts';

function faultsOf(text: string): string[] {
  const tree = readTree(text);
  return 'problems' in tree ? tree.problems.map((p) => `${p.line}:${p.column}: ${p.message}`) : [];
}

describe('a file that is not well formed', () => {
  test.each([
    ['a key that stands twice', 'a: 1\n"a": 2', '2:1: the key "a" is already in line 1'],
    ['a key that is a number', '1: a', '1:1: a key must be plain text'],
    ['a key that is a list', '? [a]\n: 1', '1:3: a key must be plain text'],
    ['the key __proto__', '__proto__: { a: 1 }', '1:1: the key __proto__ is not accepted'],
    ['an alias before its anchor', 'a: *b\nc: &b 1', '1:4: the alias *b has no complete anchor before it'],
    ['an alias inside its anchor', '&a [*a]', '1:5: the alias *a has no complete anchor before it'],
    ['a tag of its own', 'a: !js x', '1:4: the YAML is not well formed: Unresolved tag'],
    ['a tag beyond the core', 'a: !!binary aGk=', '1:4: the YAML is not well formed: Unresolved tag'],
    ['a directive', '%YAML 1.1\n---\na: yes', '1:1: directives are not accepted'],
    ['a second document', 'a: 1\n---\nb: 1', '2:1: a second document begins here'],
    ['an open bracket', 'a: [1', '1:6: the YAML is not well formed: Flow sequence'],
    ['a tab as indentation', 'a:\n\tb: 1', '2:1: the YAML is not well formed: Tabs'],
  ])('is refused for %s', (_, text, expected) => {
    expect(faultsOf(text)[0]).toContain(expected);
  });
});

test.each(['{ a: GET /{b} }', '{ a: GET /{b}, c: d }', 'a: [*]', 'a: @b'])('what %s lacks is told: quotes', (text) => {
  const tree = readTree(text);
  expect('problems' in tree && tree.problems.map(({ expected }) => expected)).toContain(
    'quotes around a text that has { } or [ ] in it, or a sign in front',
  );
});

describe('a hostile file', () => {
  const size = 2 * 1024 * 1024;
  const bomb = Array.from({ length: 20 }, (_, i) => `k${i + 1}: &k${i + 1} [${Array(10).fill(`*k${i}`).join(', ')}]`);
  test.each([
    ['nested lists', '['.repeat(size), 'the nesting is too deep'],
    ['nested mappings', '{a: '.repeat(size / 4), 'the nesting is too deep'],
    ['nested block lists', '- '.repeat(size / 2), 'the nesting is too deep'],
    ['nested block keys', '? '.repeat(size / 2), 'the nesting is too deep'],
    ['an alias bomb', `k0: &k0 [1, 1]\n${bomb.join('\n')}`, 'there are too many values'],
    [
      'a crowd of aliases',
      `a: &a 1\n${Array.from({ length: 9999 }, (_, i) => `k${i}: *a`).join('\n')}`,
      'there are too many aliases',
    ],
    ['a crowd of keys', Array.from({ length: 99_999 }, (_, i) => `k${i}: 1`).join('\n'), 'there is too much in it'],
    ['a crowd of errors', ']'.repeat(size), 'the YAML is not well formed'],
    ['a crowd of documents', '---\n'.repeat(size / 4), 'a second document begins here'],
    ['a crowd of tags', '!a '.repeat(size / 3), 'there is too much in it'],
  ])(
    'of %s is a fault, soon',
    (_, text, message) => {
      expect(faultsOf(text)[0]).toContain(message);
    },
    5000,
  );

  test('of any text never throws', () => {
    const alphabet = fc.constantFrom(
      ...'a:-?[]{},&*!|>\'"%#@` \n\t\\1~.=<',
      '\u0000',
      '\ufeff',
      '😀',
      '---\n',
      '...\n',
      '*a',
      '&a ',
    );
    const property = fc.property(fc.array(alphabet, { maxLength: 60 }), (parts) =>
      Array.isArray(faultsOf(parts.join(''))),
    );
    expect(fc.check(property, { numRuns: 2000 })).toMatchObject({ failed: false });
  });
});
