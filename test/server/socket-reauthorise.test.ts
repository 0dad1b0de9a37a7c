import { describe, expect, test } from 'vitest';
import type { ResourceRef } from '../../src/model/resource.ts';
import { stillTheirs } from '../../src/server/socket-reauthorise.ts';

const ref = (id: string): ResourceRef => ({ kind: 'session', id });
const event = (...ids: string[]) => ({ ids, refs: ids.map(ref) });
const names = (events: ReadonlyArray<{ ids: string[] }> | undefined) => events?.map(({ ids }) => ids.join('+'));

describe('of what was sent', () => {
  test('stays what is all of the owner, in its order', async () => {
    const ownersOf = (refs: readonly ResourceRef[]) => refs.map(({ id }) => (id.startsWith('a') ? 'alice' : 'bob'));
    const events = [event('a1'), event('b1'), event(), event('a2', 'b1'), event('a2', 'a1')];
    expect(names(await stillTheirs({ ownersOf }, 'alice', events))).toEqual(['a1', '', 'a2+a1']);
  });

  test('nothing stays that nobody owns', async () => {
    const ownersOf = (refs: readonly ResourceRef[]) => refs.map(() => undefined);
    expect(names(await stillTheirs({ ownersOf }, 'alice', [event('a')]))).toEqual([]);
  });

  test('each reference is looked up once, in batches', async () => {
    const batches: number[] = [];
    const ownersOf = (refs: readonly ResourceRef[]) => {
      batches.push(refs.length);
      return refs.map(({ id }) => (id === 's1100' ? 'bob' : 'alice'));
    };
    const events = Array.from({ length: 2_400 }, (_, n) => event(`s${n % 1_200}`));
    const found = await stillTheirs({ ownersOf }, 'alice', events);
    expect(batches).toEqual([500, 500, 200]);
    expect(found).toHaveLength(2_398);
  });

  test('nothing is asked where nothing is named', async () => {
    const ownersOf = (): never => expect.fail();
    expect(await stillTheirs({ ownersOf }, 'alice', [event(), event()])).toHaveLength(2);
  });
});

describe('a ledger', () => {
  test('that fails is asked again', async () => {
    let asked = 0;
    const ownersOf = () => {
      asked += 1;
      return asked < 3 ? Promise.reject(new Error('down')) : Promise.resolve(['alice']);
    };
    expect(names(await stillTheirs({ ownersOf }, 'alice', [event('a')]))).toEqual(['a']);
    expect(asked).toBe(3);
  });

  test.each([
    ['fails', () => Promise.reject(new Error('down'))],
    [
      'throws',
      () => {
        throw new Error('down');
      },
    ],
    ['does not answer', () => new Promise<never>(() => undefined)],
  ])('that %s is waited for within the bound', async (_, ownersOf) => {
    const began = performance.now();
    expect(await stillTheirs({ ownersOf, patienceMillis: 120 }, 'alice', [event('a')])).toBeUndefined();
    expect(performance.now() - began).toBeLessThan(2_000);
  });
});
