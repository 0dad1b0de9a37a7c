import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import {
  checkDocument,
  parseDocument,
  positionOf,
  readDocument,
  type YamlDocument,
} from '../../src/policy/document.ts';
import { formatFault } from '../../src/policy/fault.ts';

const schema = z.strictObject({
  listen: z.strictObject({ host: z.string().default('0.0.0.0'), port: z.int().min(0).max(65535) }),
  keys: z.union([z.strictObject({ url: z.string() }), z.strictObject({ file: z.string() })]).optional(),
  mode: z.enum(['off', 'shadow', 'enforce']).optional(),
  filter: z.union([z.string(), z.strictObject({ keep: z.string() })]).optional(),
  limits: z
    .record(
      z.string().regex(/^[a-z]+$/),
      z.discriminatedUnion('kind', [
        z.strictObject({ kind: z.literal('rate'), points: z.number() }),
        z.strictObject({ kind: z.literal('concurrent'), max: z.number() }),
      ]),
    )
    .optional(),
  roles: z.array(z.string()).min(1).optional(),
  name: z
    .string()
    .refine((name) => name.length > 3, { error: 'a name has more than three letters' })
    .optional(),
});

function faultsOf(text: string): string[] {
  const parsed = parseDocument({ file: 'g.yaml', text });
  const result = 'faults' in parsed ? parsed : checkDocument(parsed.document, schema);
  return 'faults' in result ? result.faults.map(formatFault) : [];
}

function documentOf(text: string): YamlDocument {
  const parsed = parseDocument({ file: 'g.yaml', text });
  if ('faults' in parsed) throw new Error(parsed.faults.map(formatFault).join('\n'));
  return parsed.document;
}

describe('a good file', () => {
  test('yields the value as the schema gives it, defaults included', () => {
    const result = checkDocument(documentOf('listen: { port: 80 }\nmode: off\n'), schema);
    expect(result).toEqual({ value: { listen: { host: '0.0.0.0', port: 80 }, mode: 'off' } });
  });

  test('is read as YAML 1.2: no, off and yes are text, and 010 is ten', () => {
    const result = checkDocument(documentOf('[no, off, yes, 010, 0x1F, null]'), z.array(z.unknown()));
    expect(result).toEqual({ value: ['no', 'off', 'yes', 10, 31, null] });
  });

  test('may use an anchor, but a merge key is only a key', () => {
    expect(checkDocument(documentOf('a: &x [1, 2]\nb: *x'), z.unknown())).toEqual({ value: { a: [1, 2], b: [1, 2] } });
    expect(checkDocument(documentOf('a: &x { c: 1 }\nb: { <<: *x }'), z.unknown())).toEqual({
      value: { a: { c: 1 }, b: { '<<': { c: 1 } } },
    });
  });
});

describe('a fault', () => {
  test.each([
    [
      'an unknown key, with the word that was meant',
      'listen: { prot: 4, port: 1 }',
      ['1:11: unknown key "prot", did you mean "port"?'],
    ],
    [
      'an unknown key that resembles nothing, with the words there are',
      'listen: { port: 1, xyzzy: 1 }',
      ['1:20: unknown key "xyzzy" (expected one of "host", "port")'],
    ],
    [
      'a missing key, at the mapping that lacks it',
      'mode: off\nlisten:\n  host: a\n',
      ['3:3: missing key "port" in listen (expected a number)'],
    ],
    ['a missing key of the file', 'mode: off', ['1:1: missing key "listen" (expected a mapping)']],
    [
      'a value of the wrong type',
      'listen:\n  port: "80"',
      ['2:9: listen.port has the wrong type (found "80", expected a number)'],
    ],
    [
      'a value out of bounds',
      'listen: { port: 70000 }',
      ['1:17: listen.port is too large (found 70000, expected at most 65535)'],
    ],
    [
      'a misspelt choice',
      'listen: { port: 1 }\nmode: enforec',
      [
        '2:7: mode is not acceptable, did you mean "enforce"? (found "enforec", expected one of "off", "shadow", "enforce")',
      ],
    ],
    [
      'a list that is too short',
      'listen: { port: 1 }\nroles: []',
      ['2:8: roles is too small (found an empty list, expected at least 1 item(s))'],
    ],
    [
      'a key of the wrong form, at the key',
      'listen: { port: 1 }\nlimits: { Ab: { kind: rate, points: 1 } }',
      ['2:11: limits has a key of the wrong form (found "Ab", expected text of the form /^[a-z]+$/)'],
    ],
    [
      'what the schema itself says',
      'listen: { port: 1 }\nname: ab',
      ['2:7: a name has more than three letters (found "ab")'],
    ],
    ['an empty file', '', ['1:1: the file has the wrong type (found nothing, expected a mapping)']],
  ])('names %s', (_, text, expected) => {
    expect(faultsOf(text)).toEqual(expected.map((fault) => `g.yaml:${fault}`));
  });

  test.each([
    [
      'neither form',
      'filter: 3',
      ['1:9: filter has none of the forms that are possible here (found 3, expected text or { keep })'],
    ],
    [
      'a misspelt word of one form',
      'filter: { kep: a }',
      ['1:11: unknown key "kep", did you mean "keep"?', '1:9: missing key "keep" in filter (expected text)'],
    ],
    ['a misspelt word of one of several forms', 'keys: { ulr: a }', ['1:9: unknown key "ulr", did you mean "url"?']],
    [
      'two forms at once',
      'keys: { url: a, file: b }',
      [
        '1:7: keys has none of the forms that are possible here (found a mapping with url, file, expected { url } or { file })',
      ],
    ],
    [
      'a bad value in a form that is clear',
      'keys: { url: 3 }',
      ['1:14: keys.url has the wrong type (found 3, expected text)'],
    ],
    [
      'an unknown kind',
      'limits: { a: { kind: rat } }',
      [
        '1:22: limits.a.kind is not acceptable, did you mean "rate"? (found "rat", expected one of "rate", "concurrent")',
      ],
    ],
    ['no kind', 'limits: { a: {} }', ['1:14: missing key "kind" in limits.a (expected one of "rate", "concurrent")']],
  ])('of a union tells %s', (_, text, expected) => {
    const faults = faultsOf(`${text}\nlisten: { port: 1 }`);
    expect(faults.toSorted()).toEqual(expected.map((fault) => `g.yaml:${fault}`).toSorted());
  });

  test('never comes alone when there are more, and they come in the order of the file', () => {
    expect(faultsOf('mode: x\nlisten: { port: a, hots: b }\nroles: 3').map((fault) => fault.slice(0, 12))).toEqual([
      'g.yaml:1:1: '.slice(0, 12).replace('1:1', '1:7'),
      'g.yaml:2:17:',
      'g.yaml:2:20:',
      'g.yaml:3:8: ',
    ]);
  });

  test('tells nothing of a concealed value', () => {
    const result = checkDocument(documentOf('a: hunter2'), z.strictObject({ a: z.number() }), { conceal: () => true });
    expect('faults' in result && result.faults.map(formatFault)).toEqual([
      'g.yaml:1:4: a has the wrong type (expected a number)',
    ]);
  });
});

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
    expect(faultsOf(text)[0]).toContain(`g.yaml:${expected}`);
  });

  test('is refused when it is missing, not UTF-8 or too large', () => {
    const folder = mkdtempSync(join(tmpdir(), 'document-'));
    const file = join(folder, 'x.yaml');
    const first = () => {
      const result = readDocument(file);
      return 'faults' in result ? result.faults.map((fault) => fault.message) : [];
    };
    expect(first()).toEqual(['the file cannot be read: ENOENT']);
    writeFileSync(file, Buffer.from([0x61, 0xff]));
    expect(first()).toEqual(['the file is not UTF-8 text']);
    writeFileSync(file, Buffer.alloc(2 * 1024 * 1024 + 1, 32));
    expect(first()).toEqual(['the file is too large']);
    writeFileSync(file, 'a: 1');
    expect(first()).toEqual([]);
    rmSync(folder, { recursive: true });
  });
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

test('positionOf finds values, keys, and the nearest thing around what is not there', () => {
  const document = documentOf('a:\n  - b: 1\n    c: [x, y]\nd: {}\n');
  expect(positionOf(document, ['a', 0, 'c', 1])).toEqual({ line: 3, column: 12 });
  expect(positionOf(document, ['a', 0, 'c'], 'key')).toEqual({ line: 3, column: 5 });
  expect(positionOf(document, ['d', 'missing', 'deeper'])).toEqual({ line: 4, column: 4 });
  expect(positionOf(document, [])).toEqual({ line: 1, column: 1 });
});
