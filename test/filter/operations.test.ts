import { describe, expect, test } from 'vitest';
import { parseAnswer } from '../../src/filter/json.ts';
import { operations } from '../../src/filter/operations.ts';
import { parseFieldPath } from '../../src/model/field-path.ts';
import type { JsonValue } from '../../src/model/json.ts';

const drop = (path: string, value: unknown) =>
  operations.drop(parseFieldPath(path))(value as JsonValue, undefined, undefined);
const redact = (path: string, value: unknown) =>
  operations.redact(parseFieldPath(path))(value as JsonValue, undefined, undefined);

describe('drop', () => {
  test.each([
    ['a', { a: 1, b: 2 }, { b: 2 }],
    ['a.b', { a: { b: 1, c: 2 }, b: 3 }, { a: { c: 2 }, b: 3 }],
    ['[*].a', [{ a: 1 }, { b: 2 }, null, 5, [{ a: 1 }]], [{}, { b: 2 }, null, 5, [{ a: 1 }]]],
    ['a[*].b[*].c', { a: [{ b: [{ c: 1, d: 2 }] }, { b: 5 }] }, { a: [{ b: [{ d: 2 }] }, { b: 5 }] }],
    ['a', [{ a: 1 }], [{ a: 1 }]],
    ['a.b', { a: null }, { a: null }],
    ['length', [1, 2], [1, 2]],
    ['*.key', { a: { key: 1, n: 2 }, b: 5, c: { d: { key: 1 } } }, { a: { n: 2 }, b: 5, c: { d: { key: 1 } } }],
    ['a.*', { a: { b: 1, c: 2 } }, { a: {} }],
  ])('%s', (path, value, expected) => {
    expect(drop(path, value)).toEqual(expected);
  });

  test('leaves prototypes alone', () => {
    drop('constructor.prototype', { a: 1 });
    drop('__proto__.toString', { a: 1 });
    expect(Object.prototype.toString.call([])).toBe('[object Array]');
    expect(typeof Object.prototype.toString).toBe('function');
  });
});

describe('redact', () => {
  test.each([
    ['a', { a: { b: 1 } }, { a: '[redacted]' }],
    ['a', { b: 1 }, { b: 1 }],
    [
      '*.api_key',
      { x: { api_key: 'k', url: 'u' }, y: { url: 'v' } },
      { x: { api_key: '[redacted]', url: 'u' }, y: { url: 'v' } },
    ],
    ['a[*]', { a: ['x', null, { b: 1 }] }, { a: ['[redacted]', '[redacted]', '[redacted]'] }],
    ['[*].b', [{ b: null }, 5], [{ b: '[redacted]' }, 5]],
  ])('%s', (path, value, expected) => {
    expect(redact(path, value)).toEqual(expected);
  });

  test('does not take a number that is kept verbatim for an object', () => {
    expect(JSON.stringify(redact('a.*', parseAnswer(Buffer.from('{"a":1.0}'))))).toBe('{"a":1.0}');
  });
});

test('relative makes the upstream’s addresses of itself relative', () => {
  const relative = operations.relative(['/api/file/']);
  expect(relative({ url: 'http://localhost:57988/api/file/a.png' }, undefined, undefined)).toEqual({
    url: '/api/file/a.png',
  });
});
