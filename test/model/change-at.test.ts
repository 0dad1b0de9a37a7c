import { describe, expect, test } from 'vitest';
import { parseAnswer } from '../../src/filter/json.ts';
import { changeAt } from '../../src/model/change-at.ts';
import { parseFieldPath } from '../../src/model/field-path.ts';
import type { JsonValue } from '../../src/model/json.ts';

/** What was found at the path, each replaced by its own number. */
const changed = (path: string, value: JsonValue) => {
  const keys: Array<string | number> = [];
  changeAt(value, parseFieldPath(path), (holder, key) => {
    keys.push(key);
    holder[key] = keys.length;
  });
  return { keys, value };
};

describe('a change is made', () => {
  test.each<[string, JsonValue, Array<string | number>, JsonValue]>([
    ['a.b', { a: { b: 'x', c: 'y' } }, ['b'], { a: { b: 1, c: 'y' } }],
    ['a[*]', { a: ['x', null] }, [0, 1], { a: [1, 2] }],
    ['a[*].b', { a: [{ b: 'x' }, {}, 'y', { b: null }] }, ['b', 'b'], { a: [{ b: 1 }, {}, 'y', { b: 2 }] }],
    ['*.k', { x: { k: 'a' }, y: { n: 'b' }, z: 'c' }, ['k'], { x: { k: 1 }, y: { n: 'b' }, z: 'c' }],
  ])('at %s, in place', (path, value, keys, expected) => {
    const found = changed(path, value);
    expect(found).toEqual({ keys, value: expected });
    expect(found.value).toBe(value);
  });
});

describe('nothing is changed', () => {
  test.each<[string, JsonValue]>([
    ['a.b', { a: null }],
    ['a.b', { a: ['b'] }],
    ['[*]', { '0': 'x' }],
    ['length', ['x']],
    ['__proto__.x', { a: 'b' }],
    ['constructor', { a: 'b' }],
  ])('at %s of %j', (path, value) => {
    const before = JSON.stringify(value);
    expect(changed(path, value).keys).toEqual([]);
    expect(JSON.stringify(value)).toBe(before);
  });

  test('within a number that is kept verbatim', () => {
    expect(changed('a.*', parseAnswer(Buffer.from('{"a":1.0}'))).keys).toEqual([]);
  });
});
