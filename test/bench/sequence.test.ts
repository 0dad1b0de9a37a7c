import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createSequence } from '../../bench/sequence.ts';

const takeAll = (numbers: readonly number[]) => {
  const sequence = createSequence();
  return { sequence, came: numbers.map((number) => sequence.take(number)) };
};

describe('sequence', () => {
  test('what comes in order and once is in order, and nothing is missing', () => {
    const { sequence, came } = takeAll([0, 1, 2]);
    expect(came).toEqual(['in-order', 'in-order', 'in-order']);
    expect(sequence.missing(3)).toBe(0);
  });

  test('a number that comes again is doubled', () => {
    expect(takeAll([0, 1, 1]).came.at(-1)).toBe('doubled');
  });

  test('a number that comes after a later one was overtaken, and is not missing', () => {
    const { sequence, came } = takeAll([0, 2, 1]);
    expect(came).toEqual(['in-order', 'in-order', 'overtaken']);
    expect(sequence.missing(3)).toBe(0);
  });

  test('what never came is missing, in the middle and at the end', () => {
    expect(takeAll([0, 3]).sequence.missing(6)).toBe(4);
  });

  test('whatever comes, each different number is taken once and the others are missing', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(30), { maxLength: 60 }), (numbers) => {
        const { sequence, came } = takeAll(numbers);
        const different = new Set(numbers).size;
        expect(sequence.taken).toBe(different);
        expect(came.filter((each) => each === 'doubled')).toHaveLength(numbers.length - different);
        expect(sequence.missing(31)).toBe(31 - different);
      }),
    );
  });
});
