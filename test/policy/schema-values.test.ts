import { describe, expect, test } from 'vitest';
import {
  duration,
  field,
  fieldPath,
  headerName,
  kindName,
  name,
  plainPath,
  size,
} from '../../src/policy/schema-values.ts';

describe('a small value', () => {
  test.each([
    ['name', name, ['a', 'a-1'], ['', 'A', '1', 'a_b', 'a'.repeat(33)]],
    ['kind', kindName, ['a', 'a_1'], ['a-b', 'a:b']],
    ['field', field, ['a', '_A-1'], ['a.b', '1a', '']],
    ['duration', duration, ['30s', '7d'], ['30', '0s', '1.5s']],
    ['size', size, ['1B', '64KiB'], ['64', '64KB']],
    ['place', fieldPath, ['a.b'], ['', 'a'.repeat(257)]],
    ['header', headerName, ['x-mode'], ['X-Mode', 'a b']],
    ['path', plainPath, ['/', '/a/b.c'], ['a', '/a?b', '/{a}', '/a%2f']],
  ] as const)('%s', (_name, schema, good, bad) => {
    for (const text of good) expect(schema.safeParse(text).success, text).toBe(true);
    for (const text of bad) expect(schema.safeParse(text).success, text).toBe(false);
  });
});
