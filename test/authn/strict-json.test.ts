import { describe, expect, test } from 'vitest';
import { member, readJsonObject } from '../../src/authn/strict-json.ts';

const read = (text: string) => readJsonObject(Buffer.from(text));

describe('readJsonObject', () => {
  test('reads an object, strings with any punctuation included', () => {
    const text = '{"a":"{\\"a\\":1,}","b":[{"a":1},{"a":2}],"c":{"a":"\\\\"},"d":": \\" ]"}';
    expect(read(text)).toEqual(JSON.parse(text));
  });

  test.each(['[]', '"a"', '1', 'null', 'true', '', '{', '{}{}', '{"a":1,}', "{'a':1}", '{"a":NaN}', '\uFEFF{}'])(
    'refuses %j',
    (text) => {
      expect(() => read(text)).toThrow();
    },
  );

  test('refuses bytes that are not UTF-8', () => {
    expect(() => readJsonObject(Buffer.from('{"a":"\xe9"}', 'latin1'))).toThrow();
    expect(() => readJsonObject(Buffer.from('{"a":1}', 'utf16le'))).toThrow();
  });

  test.each([
    '{"a":1,"a":1}',
    '{"a":1,"b":2,"a":3}',
    '{"a":1,"\\u0061":2}',
    '{"a":{"b":1,"b":2}}',
    '{"a":[{"b":1,"b":2}]}',
    '{"":1,"":2}',
    '{"__proto__":1,"__proto__":2}',
  ])('refuses a name that stands twice in one object: %s', (text) => {
    expect(() => read(text)).toThrow('twice');
  });

  test('takes one name in several objects', () => {
    expect(() => read('{"a":{"a":{"a":1}},"b":{"a":1},"c":"a"}')).not.toThrow();
  });

  test('takes 16 levels and refuses 17', () => {
    const nested = (levels: number) => `{"a":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`;
    expect(() => read(nested(16))).not.toThrow();
    expect(() => read(nested(17))).toThrow('nested');
  });
});

describe('member', () => {
  test('returns own members only', () => {
    expect(member(read('{}'), 'constructor')).toBeUndefined();
    expect(member(read('{}'), '__proto__')).toBeUndefined();
    expect(member(read('{"__proto__":1}'), '__proto__')).toBe(1);
  });
});
