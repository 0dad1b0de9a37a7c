import { describe, expect, test } from 'vitest';
import { lineDiff } from '../../../src/cli/policy-tests/line-diff.ts';

describe('the difference of two texts', () => {
  test('is nothing when there is none', () => {
    expect(lineDiff('a\nb', 'a\nb')).toEqual([]);
  });

  test.each([
    ['a\nb\nc\nd\ne', 'a\nb\nX\nd\ne', ['  b', '- c', '+ X', '  d']],
    ['a', 'b', ['- a', '+ b']],
    ['a\nb', 'a\nb\nc', ['  b', '+ c']],
    ['a\nb\nc', 'b\nc', ['- a', '  b']],
    ['', 'x', ['- ', '+ x']],
    ['a\nb\nc', 'c\na\nb', ['+ c', '  a', '  b', '- c']],
  ])('%j to %j', (first, second, expected) => {
    expect(lineDiff(first, second)).toEqual(expected);
  });

  test('of long texts is not looked for line by line', () => {
    const long = (letter: string) => Array.from({ length: 1_100 }, (_, index) => `${letter}${index}`).join('\n');
    expect(lineDiff(long('a'), long('b'))).toHaveLength(2_200);
  });
});
