import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseStrictJson, readStrictJson } from '../../src/body/json.ts';
import type { JsonValue } from '../../src/model/json.ts';
import { Rejection } from '../../src/model/rejection.ts';
import { refusalOf } from '../support/bodies.ts';
import { hostileJsonRoots } from '../support/hostile-bodies.ts';

const parse = (text: string): JsonValue => parseStrictJson(Buffer.from(text));
const refusal = (text: string): Promise<string> => refusalOf(() => parse(text));

describe('what JSON.parse reads alike', () => {
  test.each([
    '{}',
    '[]',
    '{"a":[],"b":{},"c":[[],{}]}',
    ' \t\r\n{ "a" : [ 1 , 2 ] , "b" : null } \n',
    '[0,1,-1,10,123456789012345,1234567890123456,9007199254740991,0.5,-0.25,1.5e-7,1e+21]',
    '[true,false,null,""]',
    '"\\"\\\\\\/\\b\\f\\n\\r\\t"',
    '"\\u0041\\u00e9\\u20AC\\uD83D\\uDE00\\ud83d\\ude00\\u0000\\uffff"',
    '"é€😀\u2028\u007f\ufeff"',
    '"\ufeff"',
    '{"constructor":1,"toString":{"valueOf":2},"hasOwnProperty":3}',
    '{"":"empty","b":1,"2":2,"1":1}',
  ])('%s', (text) => {
    expect(parse(text)).toEqual(JSON.parse(text));
  });

  test('at sixty-four levels', () => {
    const text = `${'[{"a":'.repeat(32)}1${'}]'.repeat(32)}`;
    expect(parse(text)).toEqual(JSON.parse(text));
  });

  test('where the root is no object', () => {
    for (const { body } of hostileJsonRoots.filter(({ why }) => why !== 'the root 1.0')) {
      expect(parseStrictJson(body)).toEqual(JSON.parse(body.toString()));
    }
  });
});

describe('strings of every length around the limits of the reader', () => {
  const fills: readonly [string, string][] = [
    ['plain', 'a'],
    ['two bytes', 'é'],
    ['three bytes', '€'],
    ['four bytes', '😀'],
    ['escaped', '\n'],
    ['quoted', '"'],
    ['mixed', 'a\\é\t€😀'],
  ];
  test.each(fills)('%s', (_, fill) => {
    for (const length of [0, 1, 31, 32, 33, 127, 128, 129, 65_520, 65_530, 65_535, 65_536, 65_537, 131_075]) {
      for (const shift of ['', 'x', 'xx', 'xxx']) {
        const content = shift + fill.repeat(Math.ceil(length / fill.length));
        const text = JSON.stringify([content, content]);
        expect(parse(text)).toEqual([content, content]);
      }
    }
  });

  test('an escape may stand across two windows', () => {
    for (let before = 65_520; before < 65_540; before += 1) {
      const text = `{"k":"\\n${'a'.repeat(before)}\\ud83d\\ude00\\u00e9"}`;
      expect(parse(text)).toEqual(JSON.parse(text));
    }
  });

  test('a control character is refused wherever it stands', async () => {
    for (const before of [0, 40, 200, 65_534, 65_536, 70_000]) {
      expect(await refusal(`"${'a'.repeat(before)}\u0001"`)).toBe('body-malformed 400');
      expect(await refusal(`"\\n${'a'.repeat(before)}\u001f"`)).toBe('body-malformed 400');
      expect(await refusal(`"${'a'.repeat(before)}`)).toBe('body-malformed 400');
      expect(await refusal(`"\\n${'a'.repeat(before)}`)).toBe('body-malformed 400');
    }
  });

  test('long keys are keys too', async () => {
    const key = 'é'.repeat(40_000);
    expect(parse(JSON.stringify({ [key]: { [key]: 1 } }))).toEqual({ [key]: { [key]: 1 } });
    expect(await refusal(`{"${key}":1,"${key}":2}`)).toBe('body-duplicate-key 400');
  });

  test('short strings that fall into one place of the memory stay apart', () => {
    const words = Array.from({ length: 5000 }, (_, index) => `w${index % 1700}`);
    expect(parse(JSON.stringify(words))).toEqual(words);
  });
});

describe('numbers', () => {
  test.each(['1.0', '-0', '1e2', '1E5', '0.10', '9007199254740993', '12345678901234567890', '1e-400', '-0.0', '1e21'])(
    '%s is kept as it was written',
    (number) => {
      expect(JSON.stringify(parse(`[${number}]`))).toBe(`[${number}]`);
    },
  );

  test('that are kept are never strings, and an object that looks like one is none', () => {
    expect(typeof parse('1.0')).toBe('object');
    expect(JSON.stringify(parse('{"rawJSON":"1.0"}'))).toBe('{"rawJSON":"1.0"}');
  });

  test.each(['1e309', '-1e309', `${'9'.repeat(310)}`])('%s is out of range', async (number) => {
    expect(await refusal(`{"n":${number}}`)).toBe('body-number 400');
  });
});

describe('limits', () => {
  test('of depth', async () => {
    expect(await refusalOf(() => parseStrictJson(Buffer.from('[[]]'), { maxDepth: 1 }))).toBe('body-too-deep 400');
    expect(parseStrictJson(Buffer.from('[[],[]]'), { maxDepth: 2 })).toEqual([[], []]);
  });

  test('of values: many empty objects would take far more memory than their text', async () => {
    const objects = Buffer.from(`[${Array(2_000_000).fill('{}').join()}]`);
    expect(await refusalOf(() => parseStrictJson(objects))).toBe('body-too-large 413');
    expect(parseStrictJson(Buffer.from('[1,2]'), { maxValues: 6 })).toEqual([1, 2]);
    expect(await refusalOf(() => parseStrictJson(Buffer.from('[1,2]'), { maxValues: 5 }))).toBe('body-too-large 413');
  });

  test('of keys, for each object by itself', async () => {
    const limits = { maxKeys: 2 };
    const text = '{"a":{"a":1,"b":2},"b":[{"a":1,"b":2}]}';
    expect(parseStrictJson(Buffer.from(text), limits)).toEqual(JSON.parse(text));
    expect(await refusalOf(() => parseStrictJson(Buffer.from('{"a":{"x":1},"b":1,"c":1}'), limits))).toBe(
      'body-too-large 413',
    );
  });
});

describe('for any input', () => {
  test('agrees with JSON.parse on what JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), fc.constantFrom(undefined, 1, '\t'), (value, indent) => {
        const text = JSON.stringify(value, undefined, indent);
        expect(JSON.stringify(parse(text.replaceAll('-0', '0')))).toBe(
          JSON.stringify(JSON.parse(text.replaceAll('-0', '0'))),
        );
      }),
      { numRuns: 300 },
    );
  });

  test('throws nothing but a Rejection, and accepts nothing that JSON.parse refuses', () => {
    const piece = fc.constantFrom(
      ...'{}[],:"\\ \n\u0000é'.split(''),
      'true',
      'null',
      '1',
      '-',
      '1e5',
      '"a"',
      '"b"',
      '\\u0061',
    );
    const texts = fc.array(piece, { maxLength: 24 }).map((pieces) => Buffer.from(pieces.join('')));
    fc.assert(
      fc.property(fc.oneof(texts, fc.uint8Array({ maxLength: 40 }).map(Buffer.from)), (bytes) => {
        let value: JsonValue;
        try {
          value = parseStrictJson(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(Rejection);
          return;
        }
        expect(JSON.stringify(JSON.parse(JSON.stringify(value)))).toBe(JSON.stringify(JSON.parse(bytes.toString())));
      }),
      { numRuns: 3000 },
    );
  });

  test('says where and never what', async () => {
    const error = await readStrictJson(Buffer.from('{"token":"s3cret" x')).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(Rejection);
    expect(String(error)).toContain('at 18');
    expect(String(error)).not.toContain('s3cret');
  });
});
