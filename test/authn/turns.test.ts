import { expect, test } from 'vitest';
import { portions, turns } from '../../src/authn/turns.ts';
import { eventually } from '../support/eventually.ts';

const open = (atOnce = 2, waiting = 2) => {
  const line = turns({ atOnce, waiting, refuse: () => new RangeError('full') });
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const take = (name: string) =>
    line.take(() => {
      begun.push(name);
      return new Promise<string>((resolve) => ends.set(name, () => resolve(name)));
    });
  return { line, begun, take, end: (name: string) => ends.get(name)?.() };
};

test('so much is under way at once, the next wait in their order, and more is refused', async () => {
  const { begun, take, end } = open();
  const [a, b, c, d] = [take('a'), take('b'), take('c'), take('d')];
  await expect(take('e')).rejects.toThrow('full');
  expect(begun).toEqual(['a', 'b']);
  end('b');
  expect(await b).toBe('b');
  await eventually(() => begun.length === 3);
  expect(begun).toEqual(['a', 'b', 'c']);
  // One place in the line is free again, and only one.
  const f = take('f');
  await expect(take('g')).rejects.toThrow('full');
  for (const name of ['a', 'c', 'd', 'f']) {
    await eventually(() => begun.includes(name));
    end(name);
  }
  expect(await Promise.all([a, c, d, f])).toEqual(['a', 'c', 'd', 'f']);
});

test('work that fails rejects as it does, and gives its turn back', async () => {
  const { line, take, end } = open(1, 0);
  await expect(line.take(() => Promise.reject(new TypeError('broken')))).rejects.toThrow('broken');
  await expect(
    line.take(() => {
      throw new TypeError('broken at once');
    }),
  ).rejects.toThrow('broken at once');
  const a = take('a');
  await expect(take('b')).rejects.toThrow('full');
  end('a');
  expect(await a).toBe('a');
});

test('a turn that is handed on cannot be taken by who comes later', async () => {
  const { begun, take, end } = open(1, 2);
  const [a, b] = [take('a'), take('b')];
  await eventually(() => begun.length > 0);
  end('a');
  await a;
  const late = take('late');
  await eventually(() => begun.length > 1);
  expect(begun).toEqual(['a', 'b']);
  end('b');
  await b;
  await eventually(() => begun.length > 2);
  end('late');
  expect(await late).toBe('late');
});

test('each has turns of its own, takes none of another’s, and leaves nothing behind', async () => {
  const portion = portions({ atOnce: 1, waiting: 1, refuse: () => new RangeError('full') });
  const ends: Array<() => void> = [];
  const hold = (key: string) => portion(key, () => new Promise<string>((resolve) => ends.push(() => resolve(key))));
  const [first, second, other] = [hold('a'), hold('a'), hold('b')];
  await expect(hold('a')).rejects.toThrow('full');
  await eventually(() => ends.length === 2);
  ends[0]?.();
  expect(await first).toBe('a');
  await eventually(() => ends.length === 3);
  for (const end of ends) end();
  expect(await Promise.all([second, other])).toEqual(['a', 'b']);
  await expect(portion('a', () => Promise.reject(new TypeError('broken')))).rejects.toThrow('broken');
  expect(await portion('a', async () => 'again')).toBe('again');
});
