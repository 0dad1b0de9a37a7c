import { describe, expect, test } from 'vitest';
import { dumpsAnswer, dumpsFrame, dumpsStored, loads, parse } from '../../demo/jaaz/python-json.ts';

const utf16 = (text: string, swap: boolean) => {
  const bytes = Buffer.from(text, 'utf16le');
  return swap ? bytes.swap16() : bytes;
};
const utf32 = (text: string, little: boolean) => {
  const bytes = Buffer.alloc(text.length * 4);
  Array.from(text, (unit, at) =>
    little ? bytes.writeUInt32LE(unit.charCodeAt(0), at * 4) : bytes.writeUInt32BE(unit.charCodeAt(0), at * 4),
  );
  return bytes;
};

describe('reads as Python does', () => {
  test.each([
    ['UTF-8', Buffer.from('{"a":"é"}')],
    ['UTF-8 with BOM', Buffer.from('\ufeff{"a":"é"}')],
    ['UTF-16 LE', utf16('{"a":"é"}', false)],
    ['UTF-16 BE', utf16('{"a":"é"}', true)],
    ['UTF-16 LE with BOM', utf16('\ufeff{"a":"é"}', false)],
    ['UTF-16 BE with BOM', utf16('\ufeff{"a":"é"}', true)],
    ['UTF-32 LE', utf32('{"a":"é"}', true)],
    ['UTF-32 BE', utf32('{"a":"é"}', false)],
    ['UTF-32 LE with BOM', utf32('\ufeff{"a":"é"}', true)],
    ['UTF-32 BE with BOM', utf32('\ufeff{"a":"é"}', false)],
  ])('%s', (_name, bytes) => {
    expect(loads(bytes)).toEqual({ a: 'é' });
  });

  test.each([
    ['the last of duplicate keys', '{"name":1,"name":2}', { name: 2 }],
    ['a key spelt with an escape', '{"name":1,"\\u006eame":2}', { name: 2 }],
    ['NaN and Infinity', '[NaN,Infinity,-Infinity,1e999]', [Number.NaN, Infinity, -Infinity, Infinity]],
    ['integers of any size', '123456789012345678901234567890', 123456789012345678901234567890n],
    ['a lone surrogate', '"\\ud800"', '\ud800'],
    ['a surrogate pair', '"\\ud83d\\ude00"', '😀'],
    ['a NUL escape', '"\\u0000"', '\0'],
    ['space around', ' \t\r\n[ 1 , 2 ] ', [1, 2]],
  ])('accepts %s', (_name, text, value) => {
    expect(parse(text)).toEqual(value);
  });

  test('__proto__ is a key like any other', () => {
    expect(Object.keys(parse('{"__proto__":{"x":1}}') as object)).toEqual(['__proto__']);
  });

  test.each([
    '',
    '[1,]',
    '{"a":1,}',
    '{a:1}',
    "'a'",
    '[1] x',
    '// c\n1',
    '"\n"',
    '"\\x"',
    '01',
    '+1',
    '.5',
    '1.',
    'nan',
    '[',
    '"a',
    `${'['.repeat(100_000)}${']'.repeat(100_000)}`,
  ])('refuses %.20s', (text) => {
    expect(() => parse(text)).toThrow(SyntaxError);
  });

  test('takes 900 levels', () => {
    expect(() => parse(`${'['.repeat(900)}${']'.repeat(900)}`)).not.toThrow();
  });

  test('refuses bad UTF-8', () => {
    expect(() => loads(Buffer.from([0x22, 0xe9, 0x22]))).toThrow();
  });
});

describe('writes as Python does', () => {
  test('the database gets ASCII with spaces, and NaN', () => {
    expect(dumpsStored({ a: [1, 'é\u007f'], b: Number.NaN })).toBe('{"a": [1, "\\u00e9\\u007f"], "b": NaN}');
  });

  test('a frame is compact ASCII', () => {
    expect(dumpsFrame(['e', { t: '😀' }])).toBe('["e",{"t":"\\ud83d\\ude00"}]');
  });

  test('an answer is raw UTF-8', () => {
    expect(dumpsAnswer({ t: 'é' })).toBe('{"t":"é"}');
  });

  test.each([[Number.NaN], [Infinity], ['\ud800']])('an answer cannot hold %s', (value) => {
    expect(() => dumpsAnswer({ value })).toThrow(RangeError);
  });
});
