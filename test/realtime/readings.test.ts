import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jsonUnescaped, readings } from '../../src/realtime/readings.ts';

/** What each way says in all, in the order in which the ways were first told. */
const waysOf = (pieces: readonly string[], reach = 1_000): string[] => {
  const reader = readings(reach);
  const ends = new Set<string>();
  for (const piece of pieces) reader.read(piece, (end) => ends.add(end));
  return [...ends];
};

describe('a text', () => {
  test('without escapes is told once', () => {
    expect(waysOf(['im_a.png'])).toEqual(['im_a.png']);
  });

  test.each([
    ['a JSON escape', '\\u0069m\\/a', 'im/a'],
    ['a JSON escape in capitals', '\\u004Aa', 'Ja'],
    ['an escaped JSON escape', '\\\\u0069m', 'im'],
    ['an escape of an URL', '%69m%5fa', 'im_a'],
    ['an escape of an URL behind one of JSON', '\\u002569m', 'im'],
  ])('is told with %s undone', (_, written, meant) => {
    expect(waysOf([written])).toContain(meant);
  });

  test.each([
    ['an escape that is none', '\\uZZ69m', 'uZZ69m'],
    ['percent signs alone', '100 %, 50%x', undefined],
  ])('is told as it stands with %s', (_, written, meant) => {
    expect(waysOf([written])).toEqual(meant === undefined ? [written] : [written, meant]);
  });

  test('of which pieces were told before tells where the news begin', () => {
    const reader = readings(4);
    const told: unknown[] = [];
    for (const piece of ['abcdef', 'gh', '']) reader.read(piece, (end, fresh) => told.push([end, fresh]));
    expect(told).toEqual([
      ['abcdef', 0],
      ['cdefgh', 4],
      ['efgh', 4],
    ]);
    expect(reader.held()).toBe(16);
  });

  test('keeps no more than it may need of a long one', () => {
    const reader = readings(256);
    for (let i = 0; i < 100; i += 1) reader.read('\\u0061'.repeat(1_000), () => undefined);
    expect(reader.held()).toBeLessThanOrEqual(4 * 256);
  });
});

test('pieces mean what the whole means, wherever it was cut', () => {
  const part = fc.constantFrom('\\', 'u', '0', '6', '9', '"', '/', 'n', '\\u0069', '\\\\', 'é', '😀');
  fc.assert(
    fc.property(fc.array(fc.array(part)), (cut) => {
      const pieces = cut.map((parts) => parts.join(''));
      const [inPieces, atOnce] = [jsonUnescaped(), jsonUnescaped()];
      expect(pieces.map(inPieces).join('')).toBe(atOnce(pieces.join('')));
    }),
  );
});

test('the escapes of JSON are undone as a parser does', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary-ascii' }), (value) => {
      const written = JSON.stringify(value).slice(1, -1);
      expect(jsonUnescaped()(written)).toBe(value);
    }),
  );
});
