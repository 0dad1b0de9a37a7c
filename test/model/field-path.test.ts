import { describe, expect, test } from 'vitest';
import { fieldPathText, parseFieldPath, valuesAt } from '../../src/model/field-path.ts';
import { EACH } from '../../src/model/json.ts';

describe('parseFieldPath', () => {
  test('compiles keys and [*]', () => {
    expect(parseFieldPath('a')).toEqual(['a']);
    expect(parseFieldPath('a.b[*].c')).toEqual(['a', 'b', EACH, 'c']);
    expect(parseFieldPath('[*].id')).toEqual([EACH, 'id']);
    expect(parseFieldPath('rows[*][*]')).toEqual(['rows', EACH, EACH]);
  });

  test.each(['', '.', 'a.', '.a', 'a..b', 'a[0]', 'a[*]b', 'a.[*]', '$.a', 'a b', 'a[', '*'])('refuses %j', (text) => {
    expect(() => parseFieldPath(text)).toThrow(TypeError);
  });

  test('is undone by fieldPathText', () => {
    for (const text of ['a', 'a.b[*].c', '[*].id', 'rows[*][*]']) {
      expect(fieldPathText(parseFieldPath(text))).toBe(text);
    }
  });
});

describe('valuesAt', () => {
  test('returns every value at the path in document order', () => {
    const value = { files: [{ id: 'x' }, { id: 'y' }, {}, 'z', { id: null }] };
    expect(valuesAt(value, parseFieldPath('files[*].id'))).toEqual(['x', 'y', null]);
    expect(valuesAt([{ id: 1 }, { id: 2 }], parseFieldPath('[*].id'))).toEqual([1, 2]);
  });

  test('returns nothing where the path leads nowhere', () => {
    for (const value of [null, 'text', 7, true, [], {}, { a: null }, { a: [{ b: 1 }] }]) {
      expect(valuesAt(value, parseFieldPath('a.b'))).toEqual([]);
    }
    expect(valuesAt({ a: { b: 1 } }, parseFieldPath('a[*]'))).toEqual([]);
  });

  test('never follows a prototype, nor the properties of an array or of a string', () => {
    expect(valuesAt({}, parseFieldPath('constructor.name'))).toEqual([]);
    expect(valuesAt({}, parseFieldPath('__proto__'))).toEqual([]);
    expect(valuesAt({ a: ['x'] }, parseFieldPath('a.length'))).toEqual([]);
    expect(valuesAt({ a: 'x' }, parseFieldPath('a.length'))).toEqual([]);
  });

  test('finds a key that the text itself spells __proto__', () => {
    expect(valuesAt(JSON.parse('{"__proto__":{"id":"x"}}'), parseFieldPath('__proto__.id'))).toEqual(['x']);
  });
});
