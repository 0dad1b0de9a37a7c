import { expect, test } from 'vitest';
import { EACH } from '../../src/model/json.ts';
import { parseDocument } from '../../src/policy/document.ts';
import { formatFault } from '../../src/policy/fault.ts';
import { named, place } from '../../src/policy/refer.ts';
import { declare, type Spot } from '../../src/policy/scope.ts';

const open = (): Spot => {
  const read = parseDocument({ file: 'p.yaml', text: 'a: { b: x }' });
  if ('faults' in read) throw new Error('no document');
  return { scope: declare([]), source: { document: read.document, policy: {} as never, included: false }, path: ['a'] };
};

test('a name leads to what is declared, or to a fault at its place', () => {
  const spot = open();
  const find = named(spot, new Map([['canvas', 1]]));
  expect(find('canvas', ['b'])).toBe(1);
  expect(find('canvsa', ['b'])).toBeUndefined();
  expect(spot.scope.faults.map(formatFault)).toEqual([
    'p.yaml:1:9: this name is not declared (found canvsa, expected canvas)',
  ]);
});

test('a text leads to a place, or to a fault', () => {
  const spot = open();
  expect(place(spot, 'a[*].b', ['b'])).toEqual(['a', EACH, 'b']);
  expect(place(spot, 'a..b', ['b'])).toEqual([]);
  expect(spot.scope.faults).toHaveLength(1);
});
