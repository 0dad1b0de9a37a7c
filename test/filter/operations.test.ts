import { describe, expect, test } from 'vitest';
import { operations } from '../../src/filter/operations.ts';
import { parseFieldPath } from '../../src/model/field-path.ts';
import type { JsonValue } from '../../src/model/json.ts';

const drop = (path: string, value: unknown) => operations.drop(parseFieldPath(path))(value as JsonValue);

describe('drop', () => {
  test.each([
    ['a', { a: 1, b: 2 }, { b: 2 }],
    ['a.b', { a: { b: 1, c: 2 }, b: 3 }, { a: { c: 2 }, b: 3 }],
    ['[*].a', [{ a: 1 }, { b: 2 }, null, 5, [{ a: 1 }]], [{}, { b: 2 }, null, 5, [{ a: 1 }]]],
    ['a[*].b[*].c', { a: [{ b: [{ c: 1, d: 2 }] }, { b: 5 }] }, { a: [{ b: [{ d: 2 }] }, { b: 5 }] }],
    ['a', [{ a: 1 }], [{ a: 1 }]],
    ['a.b', { a: null }, { a: null }],
    ['length', [1, 2], [1, 2]],
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

test('relative makes the upstream’s addresses of itself relative', () => {
  const relative = operations.relative(['/api/file/']);
  expect(relative({ url: 'http://localhost:57988/api/file/a.png' })).toEqual({ url: '/api/file/a.png' });
});
