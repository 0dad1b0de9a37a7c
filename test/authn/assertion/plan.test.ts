import { describe, expect, test } from 'vitest';
import { type Circumstances, isNothing, planKeys, signerAt } from '../../../src/authn/assertion/plan.ts';
import type { StoredSigningKey } from '../../../src/authn/assertion/store.ts';

const TIMES = { rotateMillis: 1_000, leadMillis: 100, keepMillis: 50 };

const key = (id: string, signsFromMillis: number, more: Partial<StoredSigningKey> = {}): StoredSigningKey => ({
  ...{ id, algorithm: 'ES256', publicJwk: '{}', sealed: '', madeAtMillis: 0, signsFromMillis },
  retiredAtMillis: undefined,
  ...more,
});
const plan = (nowMillis: number, keys: readonly StoredSigningKey[], more: Partial<Circumstances> = {}) =>
  planKeys(keys, { nowMillis, algorithm: 'ES256', opens: () => true, times: TIMES, ...more });
const begins = (...given: Parameters<typeof plan>) => plan(...given).signsFromMillis;

describe('a key is made', () => {
  test('that signs at once, where there is none', () => {
    expect(begins(7, [])).toBe(7);
  });

  test('the lead before the last one has signed for its time, and no sooner', () => {
    expect(begins(899, [key('a', 0)])).toBeUndefined();
    expect(begins(900, [key('a', 0)])).toBe(1_000);
    expect(begins(950, [key('a', 0)])).toBe(1_050);
  });

  test('with the whole lead before it signs, however long nobody has looked', () => {
    expect(begins(50_000, [key('a', 0)])).toBe(50_100);
  });

  test('once: one that waits is enough', () => {
    expect(begins(950, [key('a', 0), key('b', 1_050)])).toBeUndefined();
    expect(begins(5_000, [key('a', 0), key('b', 5_001)])).toBeUndefined();
  });

  test('at once announced, where the algorithm is another one', () => {
    expect(begins(10, [key('a', 0)], { algorithm: 'EdDSA' })).toBe(110);
  });

  test('that signs at once, where none can be opened', () => {
    expect(begins(10, [key('a', 0)], { opens: () => false })).toBe(10);
  });

  test('by nobody else’s: a process with another secret goes on with its own', () => {
    const keys = [key('ours', 0), key('theirs', 5)];
    expect(begins(10, keys, { opens: ({ id }) => id === 'ours' })).toBeUndefined();
  });
});

describe('a key goes', () => {
  test('out of use when the next one signs, and says since when', () => {
    expect(plan(1_000, [key('a', 0), key('b', 1_001)]).retire).toEqual([]);
    expect(plan(1_500, [key('a', 0), key('b', 1_001)]).retire).toEqual([{ id: 'a', atMillis: 1_001 }]);
    expect(plan(1_500, [key('a', 0, { retiredAtMillis: 1_001 }), key('b', 1_001)]).retire).toEqual([]);
  });

  test('when nothing that it signed can be valid any more', () => {
    const keys = [key('a', 0, { retiredAtMillis: 1_000 }), key('b', 1_000)];
    expect(plan(1_049, keys).remove).toEqual([]);
    expect(plan(1_050, keys).remove).toEqual(['a']);
  });

  test('where nobody here can open it, when nobody lets it sign any more', () => {
    const options = { opens: ({ id }: StoredSigningKey) => id === 'ours' };
    expect(plan(1_149, [key('ours', 1_000), key('lost', 0)], options).remove).toEqual([]);
    expect(plan(1_150, [key('ours', 1_000), key('lost', 0)], options).remove).toEqual(['lost']);
    expect(plan(9_999, [key('ours', 9_000)], options).remove).toEqual([]);
  });
});

test('mostly there is nothing to do', () => {
  expect(isNothing(plan(500, [key('a', 0)]))).toBe(true);
  expect(isNothing(plan(900, [key('a', 0)]))).toBe(false);
  expect(isNothing(plan(1_500, [key('a', 0), key('b', 1_001)]))).toBe(false);
  expect(isNothing(plan(1_100, [key('a', 0, { retiredAtMillis: 1_000 }), key('b', 1_000)]))).toBe(false);
});

test('the latest key signs whose time has come; where none has, the first', () => {
  const keys = [key('b', 10), key('c', 20), key('a', 0)];
  expect([-5, 0, 9, 10, 19, 20, 999].map((now) => signerAt(keys, now)?.id)).toEqual([
    'a',
    'a',
    'a',
    'b',
    'b',
    'c',
    'c',
  ]);
  expect(signerAt([], 5)).toBeUndefined();
});
