import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jsonStrings } from '../../src/realtime/json-strings.ts';

const reader = (options: { maxLength?: number; nested?: number } = {}) => {
  const told: string[] = [];
  const strings = jsonStrings({ tell: (value) => told.push(value), maxLength: 100, nested: 1, ...options });
  return { told, ...strings };
};

const stringsOf = (...pieces: readonly string[]): string[] => stringsWithin(1, pieces);

const stringsWithin = (nested: number, pieces: readonly string[]): string[] => {
  const { told, read } = reader({ nested });
  for (const piece of pieces) read(piece);
  return told;
};

describe('the strings of a JSON text', () => {
  test('are told, keys too, and what stands between them', () => {
    expect(stringsWithin(0, ['{"prompt": "a cat", "n": 12, "images": ["x.png", "y.png"]}'])).toEqual([
      ...['{', 'prompt', ': ', 'a cat', ', ', 'n', ': 12, ', 'images', ': [', 'x.png', ', ', 'y.png', ']}'],
    ]);
  });

  test('are told behind a text that was cut off in the middle of a string', () => {
    expect(stringsOf('{"prompt":"a c', '{"images":["/x.png"]}')).toContain('/x.png');
  });

  test('are told without their escapes', () => {
    const told = stringsWithin(0, ['["\\u002fetc\\/x.png", "a\\"b", "c\\\\"]']);
    expect(told).toEqual(['[', '/etc/x.png', ', ', 'a"b', ', ', 'c\\', ']']);
  });

  test('are told as they grow, for the text may never be whole', () => {
    expect(stringsWithin(0, ['["/et', 'c/x.png'])).toEqual(['[', '/et', '/etc/x.png']);
  });

  test('are found inside a string that is a JSON text itself', () => {
    expect(stringsOf(JSON.stringify({ images: JSON.stringify(['/x.png']) }))).toContain('/x.png');
    expect(stringsOf(...JSON.stringify({ images: ` {"a": "/x.png"}` }))).toContain('/x.png');
  });

  test('are found inside one that is too long to be told, and came at once', () => {
    expect(stringsOf(JSON.stringify({ images: JSON.stringify(['/x.png', 'y'.repeat(100)]) }))).toContain('/x.png');
  });

  test('are not found in quotes inside of prose', () => {
    const told = stringsOf(JSON.stringify({ prompt: 'a sign that says "/x.png"' }));
    expect(told).toContain('a sign that says "/x.png"');
    expect(told).not.toContain('/x.png');
  });

  test('are told without those that are too long, and the next one is told again', () => {
    const { told, read, held } = reader({ maxLength: 5, nested: 0 });
    for (const piece of ['["12345', '6', '789", "abc"', ', "']) read(piece);
    expect([told, held()]).toEqual([['[', '12345', ', ', 'abc', ', '], 0]);
  });
});

test('each string of a value is told, wherever its text was cut', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme', maxLength: 20 })), fc.array(fc.nat(400)), (values, cuts) => {
      const text = JSON.stringify(values);
      const ends = [...cuts.filter((cut) => cut < text.length).sort((a, b) => a - b), text.length];
      const pieces = ends.map((end, index) => text.slice(ends[index - 1] ?? 0, end));
      const told = stringsOf(...pieces);
      for (const value of values) if (value !== '') expect(told).toContain(value);
    }),
  );
});
