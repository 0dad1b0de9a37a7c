import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type LinesOptions, readLines } from '../../src/audit/lines.ts';

const folder = mkdtempSync(join(tmpdir(), 'lines-'));
afterAll(() => rmSync(folder, { recursive: true }));

const read = async (text: string | Buffer, options: LinesOptions = {}) => {
  const file = join(folder, 'file');
  writeFileSync(file, text);
  const taken: string[] = [];
  const taker = {
    line: (line: string) => taken.push(line),
    tooLong: () => taken.push('(too long)'),
    rest: (line: string) => taken.push(`rest ${line}`),
  };
  await readLines(file, taker, options);
  return taken;
};

describe('lines', () => {
  test.each([1, 2, 3, 7, 64])('come whole, in order, whatever the size of a block (%i)', async (blockBytes) => {
    expect(await read('one\n\nzwölf 😀\nthree\n', { blockBytes })).toEqual(['one', 'zwölf 😀', 'three']);
  });

  test.each([1, 64])('leave a rest that has no end (block of %i)', async (blockBytes) => {
    expect(await read('one\n{"time":"2026', { blockBytes })).toEqual(['one', 'rest {"time":"2026']);
  });

  test.each([1, 5, 64])('that are too long are passed over, and the next is not (block of %i)', async (blockBytes) => {
    const text = `one\n${'x'.repeat(100)}\ntwo\n${'y'.repeat(200)}`;
    const taken = await read(text, { blockBytes, maxLineBytes: 40 });
    const whole =
      blockBytes === 64 ? ['one', '(too long)', 'two', '(too long)'] : ['one', '(too long)', 'two', '(too long)'];
    expect(taken).toEqual(whole);
  });

  test('of an empty file are none', async () => {
    expect(await read('')).toEqual([]);
  });

  test('of no file are a rejection that says so', async () => {
    const taker = { line: () => undefined, tooLong: () => undefined, rest: () => undefined };
    await expect(readLines(join(folder, 'none'), taker)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
