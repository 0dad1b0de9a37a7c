import { describe, expect, test } from 'vitest';
import { formatFault, nearestWord } from '../../src/policy/fault.ts';

describe('formatFault', () => {
  const fault = { file: 'a.yaml', line: 3, column: 7, message: 'wrong' };
  test('begins with the place', () => {
    expect(formatFault(fault)).toBe('a.yaml:3:7: wrong');
  });
  test('tells what was found and what was expected', () => {
    expect(formatFault({ ...fault, found: '3' })).toBe('a.yaml:3:7: wrong (found 3)');
    expect(formatFault({ ...fault, found: '3', expected: 'text' })).toBe('a.yaml:3:7: wrong (found 3, expected text)');
  });
  test('tells no line of what stands in no file', () => {
    expect(formatFault({ ...fault, file: 'VARIABLE', line: 0, column: 0 })).toBe('VARIABLE: wrong');
  });
});

describe('nearestWord', () => {
  test.each([
    ['polcies', 'policies'],
    ['isuers', 'issuers'],
    ['Upstream', 'upstream'],
    ['ledgre', 'ledger'],
    ['hots', 'host'],
  ])('finds what %s means', (word, meant) => {
    expect(nearestWord(word, ['host', 'policies', 'issuers', 'upstream', 'ledger'])).toBe(meant);
  });
  test('finds nothing where nothing is near', () => {
    expect(nearestWord('xyzzy', ['host', 'policies'])).toBeUndefined();
    expect(nearestWord('h'.repeat(65), ['host'])).toBeUndefined();
    expect(nearestWord('host', [])).toBeUndefined();
  });
});
