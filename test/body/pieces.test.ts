import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pieces } from '../../src/body/pieces.ts';

const held = (list: readonly Buffer[]): number =>
  [...new Set(list.map(({ buffer }) => buffer))].reduce((sum, { byteLength }) => sum + byteLength, 0);

test('what arrives is there, in order, in whatever pieces it came', () => {
  const sizes = fc.array(fc.constantFrom(0, 1, 2, 700, 1023, 1024, 5000), { maxLength: 300 });
  fc.assert(
    fc.property(sizes, (given) => {
      const chunks = given.map((size, index) => Buffer.alloc(size, index));
      const arrived = pieces();
      for (const chunk of chunks) arrived.add(chunk);
      expect(Buffer.concat(arrived.all())).toEqual(Buffer.concat(chunks));
    }),
  );
});

test('a body in few pieces is not copied', () => {
  const chunks = [Buffer.from('a'), Buffer.alloc(5000), Buffer.from('b')];
  const arrived = pieces();
  for (const chunk of chunks) arrived.add(chunk);
  expect(arrived.all().map((piece, index) => piece === chunks[index])).toEqual([true, true, true]);
});

test('a body that comes byte by byte is kept in few pieces', () => {
  const arrived = pieces();
  for (let count = 0; count < 1_000_000; count += 1) arrived.add(Buffer.of(count & 255));
  const list = arrived.all();
  expect(list.length).toBeLessThan(50);
  expect(held(list)).toBeLessThan(1_300_000);
});

test('small pieces between large ones share what they are kept in', () => {
  const arrived = pieces();
  for (let count = 0; count < 1000; count += 1) {
    arrived.add(Buffer.of(1));
    arrived.add(Buffer.allocUnsafeSlow(1024));
  }
  expect(held(arrived.all())).toBeLessThan(1_100_000);
});
