import { describe, expect, test } from 'vitest';
import {
  anchored,
  grammarOf,
  MAX_PATTERN_TEXT,
  NOTHING,
  patternFault,
  WAYS_OF_CITED,
  WAYS_OF_IDS,
  WAYS_OF_TEXTS,
} from '../../src/policy/safe-pattern.ts';

describe('a pattern for ids', () => {
  test.each([
    '[A-Za-z0-9_-]{1,64}',
    '((im|vi)_[A-Za-z0-9_-]{8}|[A-Za-z0-9_-]{10})[.][a-z0-9]{2,5}',
    '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}',
    '[a-z]+@[a-z]+[.][a-z]+',
    'a?b?c?d?[?|{]+',
    '\\*\\+\\?\\|x*',
  ])('%s is taken', (pattern) => {
    expect(patternFault({ what: 'it', pattern, maxWays: WAYS_OF_IDS })).toBeUndefined();
  });

  test.each([
    ['(a+)+', 'no repeated group'],
    ['(a|b)*', 'no repeated group'],
    ['(a)\\1', 'no back reference'],
    ['(?=a)b', 'no look-around'],
    ['a*a*a*a*b', 'too many ways'],
    [`${'a?'.repeat(60)}b`, 'too many ways'],
    ['a{0,99}a{0,99}a{0,99}a{0,99}b', 'too many ways'],
    [`(${'a?a?|'.repeat(8)}a)a?a?a?a?a?a?a?a?a{0,99}a{0,99}`, 'too many ways'],
    ['[', 'not a regular expression'],
  ])('%s is not', (pattern, words) => {
    expect(patternFault({ what: 'it', pattern, maxWays: WAYS_OF_IDS })).toContain(words);
  });
});

test('a pattern for the texts of a body is held shorter', () => {
  expect(patternFault({ what: 'it', pattern: '[a-z]+-[a-z]+', maxWays: WAYS_OF_TEXTS })).toBeUndefined();
  expect(patternFault({ what: 'it', pattern: '[a-z]+-[a-z]+-[a-z]+', maxWays: WAYS_OF_TEXTS })).toContain(
    'too many ways',
  );
});

test('the worst that is taken reads the longest text in a moment', () => {
  const { user } = process.cpuUsage();
  const worst = anchored('a*a*a*b');
  expect(worst.test('a'.repeat(MAX_PATTERN_TEXT))).toBe(false);
  expect((process.cpuUsage().user - user) / 1000).toBeLessThan(2_000);
});

test('what is looked for in long texts has one part without a bound, and little besides', () => {
  const judge = (pattern: string) => patternFault({ what: 'it', pattern, maxWays: WAYS_OF_CITED });
  for (const fine of ['[A-Za-z0-9_-]{1,64}', '[a-z]+[.]png', '(a|b)_[a-z]{8}[.][a-z]{2,5}', '[a-z]{1,32}-[a-z]{1,32}'])
    expect(judge(fine)).toBeUndefined();
  for (const free of ['[a-z]*[a-z]*', '[a-z]+[0-9]{1,9}x?']) expect(judge(free)).toContain('too many ways');
  expect(grammarOf(anchored('a|b'))).toBe('a|b');
});

test('a pattern is for the whole text, and nothing matches nothing', () => {
  expect(['a', 'b', 'ab', 'xa'].map((text) => anchored('a|b').test(text))).toEqual([true, true, false, false]);
  expect(['', 'a', ' '].some((text) => NOTHING.test(text))).toBe(false);
});
