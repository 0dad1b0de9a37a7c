import { expect, test } from 'vitest';
import { parseMoment } from '../../src/cli/moment.ts';

const NOW = Date.parse('2026-11-20T12:00:00Z');

test.each([
  ['24h', '2026-11-19T12:00:00Z'],
  ['7d', '2026-11-13T12:00:00Z'],
  ['90s', '2026-11-20T11:58:30Z'],
  ['2026-11-01', '2026-11-01T00:00:00Z'],
  ['2026-11-01T08:00Z', '2026-11-01T08:00:00Z'],
  ['2026-11-01T08:00:00.5+02:00', '2026-11-01T06:00:00.500Z'],
])('the moment %s is %s', (text, expected) => {
  expect(parseMoment(text, NOW)).toBe(Date.parse(expected));
});

test.each(['', 'yesterday', '24', '24 h', '-1h', '0h', '2026-13-01', '2026-11-01T08:00:00', '1.5h', '2026'])(
  '%j is no moment',
  (text) => {
    expect(parseMoment(text, NOW)).toBeUndefined();
  },
);
