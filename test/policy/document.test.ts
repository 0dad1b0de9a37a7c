import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import {
  checkDocument,
  faultAt,
  parseDocument,
  positionOf,
  readDocument,
  type YamlDocument,
} from '../../src/policy/document.ts';
import { formatFault } from '../../src/policy/fault.ts';

const schema = z.strictObject({
  listen: z.strictObject({ host: z.string().default('0.0.0.0'), port: z.int() }),
  mode: z.enum(['off', 'shadow', 'enforce']).optional(),
});

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

describe('a file', () => {
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

describe('a fault', () => {
  test('tells nothing of a concealed value', () => {
    const result = checkDocument(documentOf('a: hunter2'), z.strictObject({ a: z.number() }), { conceal: () => true });
    expect('faults' in result && result.faults.map(formatFault)).toEqual([
      'g.yaml:1:4: a has the wrong type (expected a number)',
    ]);
  });
});

test('positionOf finds values, keys, and the nearest thing around what is not there', () => {
  const document = documentOf('a:\n  - b: 1\n    c: [x, y]\nd: {}\n');
  expect(positionOf(document, ['a', 0, 'c', 1])).toEqual({ line: 3, column: 12 });
  expect(positionOf(document, ['a', 0, 'c'], 'key')).toEqual({ line: 3, column: 5 });
  expect(positionOf(document, ['d', 'missing', 'deeper'])).toEqual({ line: 4, column: 4 });
  expect(positionOf(document, [])).toEqual({ line: 1, column: 1 });
});

test('faultAt makes a fault of what only a look at the whole tells', () => {
  const fault = faultAt(documentOf('a: 1\nlimits: [x]'), ['limits', 0], { message: 'the limit "x" is not declared' });
  expect(fault).toEqual({ file: 'g.yaml', line: 2, column: 10, message: 'the limit "x" is not declared' });
});
