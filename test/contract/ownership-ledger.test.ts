/** How every ledger claims and finds, run on each of them. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { OwnershipLedger } from '../../src/authz/ownership.ts';
import type { ResourceRef } from '../../src/model/resource.ts';
import { ann, bob, canvas, claim, create, file, give, ledgers, now, session, stateIn } from '../support/ledgers.ts';

describe.each(ledgers)('the ownership ledger in $name', ({ open }) => {
  let ledger: OwnershipLedger;
  beforeEach(() => {
    ledger = open();
  });
  afterEach(() => ledger.close());

  const stateOf = (ref: ResourceRef): Promise<string> => stateIn(ledger, ref);
  const own = (ref: ResourceRef, owner: string = ann, parent?: ResourceRef): Promise<void> =>
    give(ledger, create(ref, parent), owner);

  describe('claim', () => {
    test('records what was nobody’s as pending, with parent, origin and time', async () => {
      const outcome = await ledger.claim([create(canvas('c')), claim(session('s'), canvas('c'))], ann, 'r1');
      expect(outcome).toEqual({ claimed: true, refs: [canvas('c'), session('s')] });
      expect(await ledger.find([session('s'), canvas('c')])).toEqual([
        {
          ...session('s'),
          owner: ann,
          parent: canvas('c'),
          state: 'pending',
          origin: 'request',
          createdAtMillis: now(),
        },
        { ...canvas('c'), owner: ann, parent: undefined, state: 'pending', origin: 'request', createdAtMillis: now() },
      ]);
    });

    test('takes a child before its parent in the same batch', async () => {
      const outcome = await ledger.claim([claim(session('s'), canvas('c')), create(canvas('c'))], ann, 'r1');
      expect(outcome.claimed).toBe(true);
    });

    test('lists an id that the batch names twice once', async () => {
      const outcome = await ledger.claim([create(canvas('c')), claim(canvas('c'))], ann, 'r1');
      expect(outcome).toEqual({ claimed: true, refs: [canvas('c')] });
      await ledger.settle([canvas('c')], 'r1', 'undone');
      expect(await stateOf(canvas('c'))).toBe('nobody');
    });

    test('takes an empty batch', async () => {
      expect(await ledger.claim([], ann, 'r1')).toEqual({ claimed: true, refs: [] });
    });

    test.each(['create', 'claim'] as const)('refuses %s of what is another’s, pending or owned', async (verb) => {
      await ledger.claim([create(canvas('pending'))], bob, 'r1');
      await own(canvas('owned'), bob);
      for (const ref of [canvas('pending'), canvas('owned')]) {
        const outcome = await ledger.claim([{ ref, parent: undefined, verb }], ann, 'r2');
        expect(outcome).toEqual({ claimed: false, ref, because: 'foreign' });
      }
    });

    test.each([ann, bob])('refuses what was deleted, to its former owner too (%s)', async (owner) => {
      await own(canvas('c'));
      await ledger.release(canvas('c'), ann);
      expect(await ledger.claim([create(canvas('c'))], owner, 'r')).toMatchObject({ because: 'deleted' });
      expect(await ledger.claim([claim(canvas('c'))], owner, 'r')).toMatchObject({ because: 'deleted' });
    });

    test('refuses to create what is owned already, and lets it be claimed without a lean', async () => {
      await own(session('s'));
      expect(await ledger.claim([create(session('s'))], ann, 'r')).toMatchObject({ because: 'owned' });
      expect(await ledger.claim([claim(session('s'))], ann, 'r')).toEqual({ claimed: true, refs: [] });
    });

    test('lets its owner repeat the create of a pending id', async () => {
      await ledger.claim([create(canvas('c'))], ann, 'r1');
      expect(await ledger.claim([create(canvas('c'))], ann, 'r2')).toEqual({ claimed: true, refs: [canvas('c')] });
    });

    test('changes nothing at all when one of several is refused', async () => {
      await own(session('foreign'), bob);
      const batch = [create(canvas('c')), claim(session('s'), canvas('c')), claim(session('foreign'))];
      const outcome = await ledger.claim(batch, ann, 'r');
      expect(outcome).toEqual({ claimed: false, ref: session('foreign'), because: 'foreign' });
      expect(await ledger.find([canvas('c'), session('s')])).toEqual([undefined, undefined]);
    });

    test('takes a parent that is this owner’s, pending or owned', async () => {
      await ledger.claim([create(canvas('pending'))], ann, 'r1');
      await own(canvas('owned'));
      const batch = [claim(session('s1'), canvas('pending')), claim(session('s2'), canvas('owned'))];
      expect((await ledger.claim(batch, ann, 'r2')).claimed).toBe(true);
    });

    test('refuses a parent that is another’s, deleted or unknown', async () => {
      await own(canvas('foreign'), bob);
      await own(canvas('deleted'));
      await ledger.release(canvas('deleted'), ann);
      for (const parent of [canvas('foreign'), canvas('deleted'), canvas('unknown')]) {
        const outcome = await ledger.claim([claim(session('s'), parent)], ann, 'r');
        expect(outcome).toEqual({ claimed: false, ref: session('s'), because: 'parent' });
        expect(await stateOf(session('s'))).toBe('nobody');
      }
    });

    test('refuses a foreign parent for a session that is the owner’s already', async () => {
      await own(session('s'));
      await own(canvas('foreign'), bob);
      const outcome = await ledger.claim([claim(session('s'), canvas('foreign'))], ann, 'r');
      expect(outcome).toEqual({ claimed: false, ref: session('s'), because: 'parent' });
    });

    test('keeps the recorded parent when another of the owner’s is named', async () => {
      await own(canvas('first'));
      await own(canvas('second'));
      await own(session('s'), ann, canvas('first'));
      expect((await ledger.claim([claim(session('s'), canvas('second'))], ann, 'r')).claimed).toBe(true);
      expect((await ledger.find([session('s')]))[0]?.parent).toEqual(canvas('first'));
    });

    test('tells kinds with the same id apart', async () => {
      await own(canvas('x'), bob);
      expect((await ledger.claim([create(session('x'))], ann, 'r')).claimed).toBe(true);
    });

    test('gives an id that many claim at once to one of them', async () => {
      const owners = Array.from({ length: 50 }, (_, index) => `main|${index}`);
      const outcomes = await Promise.all(owners.map((owner) => ledger.claim([create(canvas('c'))], owner, owner)));
      expect(outcomes.filter(({ claimed }) => claimed)).toHaveLength(1);
      const winner = owners[outcomes.findIndex(({ claimed }) => claimed)];
      expect(await stateOf(canvas('c'))).toBe(`${winner} pending`);
    });
  });

  describe('find', () => {
    test('answers in the order of the question, gaps and repetitions included', async () => {
      await own(canvas('a'));
      await own(session('a'), bob);
      const found = await ledger.find([canvas('x'), session('a'), canvas('a'), session('a'), file('a')]);
      expect(found.map((record) => record?.owner)).toEqual([undefined, bob, ann, bob, undefined]);
      expect(await ledger.find([])).toEqual([]);
    });

    test('answers for ten thousand at once', async () => {
      const refs = Array.from({ length: 10_000 }, (_, index) => canvas(`c${index}`));
      await ledger.claim(
        refs.filter((_, index) => index % 2 === 0).map((ref) => create(ref)),
        ann,
        'r1',
      );
      const found = await ledger.find(refs);
      expect(found).toHaveLength(10_000);
      expect(found.every((record, index) => (record?.id ?? '') === (index % 2 === 0 ? `c${index}` : ''))).toBe(true);
    });
  });

  test('answers a ping', async () => {
    await expect(ledger.ping()).resolves.toBeUndefined();
  });
});
