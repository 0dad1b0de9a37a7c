import { describe, expect, test } from 'vitest';
import { fieldPathText, isManifold, isObject, parseFieldPath, valuesAt } from '../../src/model/field-path.ts';
import { EACH, EVERY } from '../../src/model/json.ts';

describe('parseFieldPath', () => {
  test('compiles keys and [*]', () => {
    expect(parseFieldPath('a')).toEqual(['a']);
    expect(parseFieldPath('a.b[*].c')).toEqual(['a', 'b', EACH, 'c']);
    expect(parseFieldPath('[*].id')).toEqual([EACH, 'id']);
    expect(parseFieldPath('rows[*][*]')).toEqual(['rows', EACH, EACH]);
    expect(parseFieldPath('*.a.*[*]')).toEqual([EVERY, 'a', EVERY, EACH]);
  });

  test.each(['', '.', 'a.', '.a', 'a..b', 'a[0]', 'a[*]b', 'a.[*]', '$.a', 'a b', 'a[', '*a'])('refuses %j', (text) => {
    expect(() => parseFieldPath(text)).toThrow(TypeError);
  });

  test('is undone by fieldPathText', () => {
    for (const text of ['a', 'a.b[*].c', '[*].id', 'rows[*][*]', '*', 'a.*.b[*]', '*[*]']) {
      expect(fieldPathText(parseFieldPath(text))).toBe(text);
    }
  });
});

test('a path with a step of many is manifold', () => {
  expect(['a.b', 'a[*]', '*.a'].map((text) => isManifold(parseFieldPath(text)))).toEqual([false, true, true]);
});

test('a number that is kept verbatim is no object', () => {
  const number = (JSON as unknown as { rawJSON(text: string): never }).rawJSON('1.0');
  expect([{}, { rawJSON: '1' }, [], null, 'a', number].map((value) => isObject(value))).toEqual([
    ...[true, true, false, false, false, false],
  ]);
});

describe('valuesAt', () => {
  test('follows every property of an object, and of nothing else', () => {
    const value = { a: { x: { id: 1 }, y: { id: 2 }, z: 3 }, b: [{ id: 4 }] };
    expect(valuesAt(value, parseFieldPath('a.*.id'))).toEqual([1, 2]);
    expect(valuesAt(value, parseFieldPath('b.*.id'))).toEqual([]);
    expect(valuesAt('text', parseFieldPath('*'))).toEqual([]);
  });

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
