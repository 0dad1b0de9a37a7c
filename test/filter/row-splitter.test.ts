import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { copyRow, RowSplitter, ShapeError } from '../../src/filter/row-splitter.ts';

interface Found {
  readonly id: string | undefined;
  readonly text: string | undefined;
}

const split = (chunks: readonly Buffer[], maxRowBytes = 1_000_000): Found[] => {
  const splitter = new RowSplitter({ key: 'id', maxRowBytes });
  const rows = chunks.flatMap((chunk) => splitter.push(chunk));
  splitter.end();
  return rows.map((row) => {
    const copy = Buffer.alloc(row.bytes);
    return { id: row.id, text: copyRow(row, copy, 0) === 0 ? undefined : copy.toString() };
  });
};

const cut = (text: string, size: number): Buffer[] => {
  const bytes = Buffer.from(text);
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
  return chunks;
};

const ROWS = [
  '{"id":"a","name":"plain"}',
  '{ "name" : "before \\" and \\\\" , "id" : "b" }',
  '{"id":"c","deep":{"id":"not this","list":[1,{"id":"nor this"}]}}',
  '{"id":"\\u0064","x":"é 日本 ]}{["}',
  '{"\\u0069d":"e"}',
  '{"id":null,"x":1e5}',
  '{"id":5}',
  '{"id":["f"]}',
  '{}',
  '{"x":true,"y":NaN,"z":-1.5}',
  '{"name":"id","value":"id"}',
];
const IDS = ['a', 'b', 'c', 'd', 'e', undefined, undefined, undefined, undefined, undefined, undefined];

describe('the rows of a list', () => {
  test('are found with their ids and their bytes, wherever the chunks are cut', () => {
    const text = ` [ ${ROWS.join(' ,\n')} ] \n`;
    const wanted = ROWS.map((row, index) => ({ id: IDS[index], text: row }));
    for (let size = 1; size <= 40; size += 1) expect(split(cut(text, size))).toEqual(wanted);
    expect(split([Buffer.from(text)])).toEqual(wanted);
  });

  test('are none in an empty list', () => {
    expect(split(cut('[]', 1))).toEqual([]);
    expect(split(cut(' [ ] ', 1))).toEqual([]);
  });

  test('are those that a parser finds, for any list', () => {
    const row = fc.dictionary(fc.oneof(fc.constant('id'), fc.string()), fc.jsonValue(), { maxKeys: 4 });
    fc.assert(
      fc.property(
        fc.array(row, { maxLength: 8 }),
        fc.integer({ min: 1, max: 50 }),
        fc.boolean(),
        (rows, size, wide) => {
          const text = JSON.stringify(rows, undefined, wide ? 1 : undefined);
          const found = split(cut(text, size));
          expect(found.map((each) => JSON.parse(each.text ?? ''))).toEqual(JSON.parse(text));
          const ids = rows.map((each) =>
            Object.hasOwn(each, 'id') && typeof each.id === 'string' ? each.id : undefined,
          );
          expect(found.map(({ id }) => id)).toEqual(
            ids.map((id) => (id !== undefined && isShort(id) ? id : undefined)),
          );
        },
      ),
      { numRuns: 500 },
    );
  });

  test('are the same wherever the list is cut, strings of any length and nested keys included', () => {
    const long = fc.integer({ min: 0, max: 200 }).map((length) => 'é"\\\n日'.repeat(length));
    const value = fc.oneof(
      fc.jsonValue(),
      long,
      fc.constant([{ id: 'nested' }]),
      fc.constant({ id: { id: 'nested' } }),
    );
    const row = fc.record({ id: fc.constantFrom('a', 'é', '"', '\\'), x: value }, { requiredKeys: [] });
    fc.assert(
      fc.property(fc.array(row, { maxLength: 5 }), fc.array(fc.nat(), { maxLength: 6 }), (rows, places) => {
        const bytes = Buffer.from(JSON.stringify(rows));
        const cuts = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
        const chunks = cuts.slice(1).map((end, index) => bytes.subarray(cuts[index], end));
        const wanted = rows.map((each) => ({ id: each.id, text: JSON.stringify(each) }));
        expect(split(chunks)).toEqual(wanted);
      }),
      { numRuns: 500 },
    );
  });

  test('have no id where its text or its key is longer than any', () => {
    const id = 'x'.repeat(1_025);
    for (const size of [100, 4_096])
      expect(split(cut(`[{"id":"${id}"},{"${id}":"a"}]`, size)).map((row) => row.id)).toEqual([undefined, undefined]);
  });

  test('are not kept when they are too large, and the next ones are', () => {
    const large = `{"id":"large","x":"${'y'.repeat(500)}"}`;
    for (const size of [1, 64, 4096]) {
      expect(split(cut(`[${large},{"id":"small"}]`, size), 100)).toEqual([
        { id: 'large', text: undefined },
        { id: 'small', text: '{"id":"small"}' },
      ]);
    }
  });

  test.each([
    'null',
    '{"id":"a"}',
    '[1]',
    '["a"]',
    '[null]',
    '[[{"id":"a"}]]',
    '[{"id":"a"}',
    '[{"id":"a"}]x',
    '[{"id":"a"}][',
    '[{"id":"a"},]',
    '[,{"id":"a"}]',
    '[{"id":"a"}{"id":"b"}]',
    '[{"id":"a","id":"b"}]',
    '[{"id":"a","\\u0069d":"b"}]',
    '[{"id" "a"}]',
    '[{"id":}]',
    '[{"id":"a",}]',
    '[{id:"a"}]',
    '[{"id":"a"]]',
    '[{"x":[}]}]',
    '[{"x":[}}]',
    `[{"x":${'['.repeat(600)}${']'.repeat(600)}}]`,
    '[{"id":"a"',
    '[{"id":"a',
    '[{"id":"a"true}]',
    '[{"x":1 2}]',
    '[{"x":"a" "b"}]',
    '[{"x":1,"y"}]',
    '[{"x":{}{}}]',
    '[{"id":"a"}] [',
    '\ufeff[{"id":"a"}]',
    '',
    `[{"x":${'['.repeat(600)}`,
  ])('are not looked for in what is no list of objects: %s', (text) => {
    for (const size of [1, 3, 4096]) expect(() => split(cut(text, size))).toThrow(ShapeError);
  });
});

const isShort = (text: string): boolean => Buffer.byteLength(JSON.stringify(text)) <= 1_024;
