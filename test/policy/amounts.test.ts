import { describe, expect, test } from 'vitest';
import { DURATION, durationMillis, SIZE, sizeBytes } from '../../src/policy/amounts.ts';

describe('a duration', () => {
  test.each([
    ['1ms', 1],
    ['500ms', 500],
    ['30s', 30_000],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['7d', 604_800_000],
  ])('%s is %i milliseconds', (text, millis) => {
    expect(DURATION.test(text)).toBe(true);
    expect(durationMillis(text)).toBe(millis);
  });

  test.each(['', '5', 's', '0s', '05s', '1.5s', '-1s', '1 s', '1S', '1w', '1000000s', '5s\n', '5m30s'])(
    '%j is none',
    (text) => {
      expect(DURATION.test(text)).toBe(false);
    },
  );
});

describe('a size', () => {
  test.each([
    ['1B', 1],
    ['64KiB', 65_536],
    ['32MiB', 33_554_432],
    ['2GiB', 2_147_483_648],
  ])('%s is %i bytes', (text, bytes) => {
    expect(SIZE.test(text)).toBe(true);
    expect(sizeBytes(text)).toBe(bytes);
  });

  test.each(['', '5', '0B', '1KB', '1kib', '1.5MiB', '1 MiB', '1TiB'])('%j is none', (text) => {
    expect(SIZE.test(text)).toBe(false);
  });
});

test('a unit that slipped through is a programmer’s error, not a number', () => {
  expect(() => durationMillis('5x')).toThrow(TypeError);
  expect(() => sizeBytes('5')).toThrow(TypeError);
});
