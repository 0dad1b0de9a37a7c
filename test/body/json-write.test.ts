import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseStrictJson, readStrictJson } from '../../src/body/json.ts';
import { writeJson, writeJsonInSlices } from '../../src/body/json-write.ts';
import type { JsonValue } from '../../src/model/json.ts';

const sliced = async (value: JsonValue): Promise<string> => Buffer.concat(await writeJsonInSlices(value)).toString();

describe('what was read is what is written', () => {
  test.each([
    '{"a":[1,1.0,-0,1e2,12345678901234567890],"b":{"c":"é😀\\n\\u0000","":null},"d":[true,false,[],{}]}',
    '{"__proto__":{"x":1},"constructor":{"__proto__":[]}}',
    `{"n":1.${'0'.repeat(5000)}}`,
    `["${'a'.repeat(4093)}","${'b'.repeat(4097)}","${'😀'.repeat(100_000)}","x${'😀'.repeat(100_000)}"]`,
    `{"${'k'.repeat(200_000)}":{"a":[${'[1],'.repeat(5000)}{}]}}`,
    '"x"',
    '1.0',
  ])('%.60s', async (text) => {
    const value = parseStrictJson(Buffer.from(text));
    expect(writeJson(value).toString()).toBe(text);
    expect(await sliced(value)).toBe(text);
  });

  test('for any value', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue({ maxDepth: 6 }), async (given) => {
        const value = parseStrictJson(Buffer.from(JSON.stringify(given)));
        const written = writeJson(value);
        expect(JSON.stringify(parseStrictJson(written))).toBe(written.toString());
        expect(await sliced(value)).toBe(written.toString());
      }),
      { numRuns: 200 },
    );
  });

  test('in pieces, none of which is very large', async () => {
    const value = { list: Array.from({ length: 20_000 }, (_, index) => ({ index, text: 'é'.repeat(50) })) };
    const pieces = await writeJsonInSlices(value);
    expect(pieces.length).toBeGreaterThan(20);
    expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThan(300_000);
    expect(Buffer.concat(pieces).equals(writeJson(value))).toBe(true);
  });
});

describe('a body of 30 MB lets others run', () => {
  const elements = {
    data: {
      elements: Array.from({ length: 50_000 }, (_, n) => ({
        id: `e${n}`,
        x: n / 3,
        points: [[n, 1]],
        text: 'é'.repeat(200),
      })),
    },
  };
  test.each([
    ['many elements', Buffer.from(JSON.stringify(elements))],
    ['one picture', Buffer.from(JSON.stringify({ data: `data:image/png;base64,${'A'.repeat(30e6)}` }))],
    ['one text full of escapes', Buffer.from(JSON.stringify({ data: 'ab\n'.repeat(7.5e6) }))],
  ])('%s', async (name, body) => {
    const reading = await watch(() => readStrictJson(body));
    const writing = await watch(() => writeJsonInSlices(reading.result));
    console.info(
      `${name}: ${(body.length / 1e6).toFixed(0)} MB, read in ${reading.turns} turns, longest ${reading.longest} ms;`,
      `written in ${writing.turns} turns, longest ${writing.longest} ms`,
    );
    expect(Buffer.concat(writing.result).equals(body)).toBe(true);
    expect(reading.turns).toBeGreaterThan(2);
    expect(writing.turns).toBeGreaterThan(2);
  });
});

/** Counts how often others could run while `work` was under way. */
async function watch<T>(work: () => Promise<T>): Promise<{ result: T; turns: number; longest: number }> {
  let turns = 0;
  let longest = 0;
  let last = performance.now();
  let under = true;
  const tick = (): void => {
    const now = performance.now();
    longest = Math.max(longest, Math.round(now - last));
    last = now;
    turns += 1;
    if (under) setImmediate(tick);
  };
  setImmediate(tick);
  const result = await work();
  under = false;
  tick();
  return { result, turns, longest };
}
