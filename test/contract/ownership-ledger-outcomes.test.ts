/** What becomes of a claim in every ledger: settled, learned, released. Run on each of them. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { OwnershipLedger } from '../../src/authz/ownership.ts';
import type { ResourceRef } from '../../src/model/resource.ts';
import { ann, bob, canvas, claim, create, file, give, ledgers, session, stateIn } from '../support/ledgers.ts';

describe.each(ledgers)('the ownership ledger in $name', ({ open }) => {
  let ledger: OwnershipLedger;
  beforeEach(() => {
    ledger = open();
  });
  afterEach(() => ledger.close());

  const stateOf = (ref: ResourceRef): Promise<string> => stateIn(ledger, ref);
  const own = (ref: ResourceRef, owner: string = ann, parent?: ResourceRef): Promise<void> =>
    give(ledger, create(ref, parent), owner);

  describe('settle', () => {
    test('kept makes it owned, and no later settlement takes it away', async () => {
      await ledger.claim([create(canvas('c'))], ann, 'r1');
      await ledger.claim([create(canvas('c'))], ann, 'r2');
      await ledger.settle([canvas('c')], 'r1', 'kept');
      await ledger.settle([canvas('c')], 'r2', 'undone');
      await ledger.settle([canvas('c')], 'r1', 'undone');
      expect(await stateOf(canvas('c'))).toBe(`${ann} owned`);
    });

    test('undone gives it back, for anybody', async () => {
      await ledger.claim([create(canvas('c'))], ann, 'r1');
      await ledger.settle([canvas('c')], 'r1', 'undone');
      expect(await stateOf(canvas('c'))).toBe('nobody');
      expect((await ledger.claim([create(canvas('c'))], bob, 'r2')).claimed).toBe(true);
    });

    test('undone leaves it as long as another request leans on it', async () => {
      await ledger.claim([create(canvas('c'))], ann, 'r1');
      await ledger.claim([create(canvas('c'))], ann, 'r2');
      await ledger.settle([canvas('c')], 'r1', 'undone');
      await ledger.settle([canvas('c')], 'r1', 'undone');
      expect(await stateOf(canvas('c'))).toBe(`${ann} pending`);
      await ledger.settle([canvas('c')], 'r2', 'undone');
      expect(await stateOf(canvas('c'))).toBe('nobody');
    });

    test('unknown keeps it pending for ever: its owner may repeat the create, nobody else', async () => {
      await ledger.claim([create(canvas('c'))], ann, 'r1');
      await ledger.settle([canvas('c')], 'r1', 'unknown');
      expect((await ledger.claim([create(canvas('c'))], ann, 'r2')).claimed).toBe(true);
      await ledger.settle([canvas('c')], 'r2', 'undone');
      expect(await stateOf(canvas('c'))).toBe(`${ann} pending`);
      expect(await ledger.claim([create(canvas('c'))], bob, 'r3')).toMatchObject({ because: 'foreign' });
    });

    test.each(['kept', 'undone'] as const)('%s of a request that does not lean changes nothing', async (settlement) => {
      await ledger.claim([create(canvas('c'))], ann, 'r1');
      await ledger.settle([canvas('c')], 'r1', 'undone');
      await ledger.claim([create(canvas('c'))], bob, 'r2');
      await ledger.settle([canvas('c')], 'r1', settlement);
      expect(await stateOf(canvas('c'))).toBe(`${bob} pending`);
    });

    test.each(['kept', 'undone', 'unknown'] as const)('%s of a tombstone leaves the tombstone', async (settlement) => {
      await ledger.claim([create(canvas('c'))], ann, 'r1');
      await ledger.release(canvas('c'), ann);
      await ledger.settle([canvas('c')], 'r1', settlement);
      expect(await stateOf(canvas('c'))).toBe(`${ann} deleted`);
    });

    test('settles parent and child of one batch in either order', async () => {
      for (const [index, order] of [0, 1].entries()) {
        const refs = [canvas(`c${index}`), session(`s${index}`)];
        await ledger.claim([create(canvas(`c${index}`)), claim(session(`s${index}`), canvas(`c${index}`))], ann, 'r');
        await ledger.settle(order === 0 ? refs : refs.toReversed(), 'r', 'undone');
        expect(await ledger.find(refs)).toEqual([undefined, undefined]);
      }
    });

    test('takes refs that nobody knows', async () => {
      await ledger.settle([canvas('never')], 'r', 'kept');
      expect(await stateOf(canvas('never'))).toBe('nobody');
    });
  });

  describe('learn', () => {
    const learn = (ref: ResourceRef, parent: ResourceRef | undefined, owner = ann) =>
      ledger.learn({ ref, parent, origin: 'event' }, owner);

    test('records an id that the server made, with its parent and origin', async () => {
      await own(session('s'));
      expect(await learn(file('f'), session('s'))).toBe('learned');
      expect((await ledger.find([file('f')]))[0]).toMatchObject({ owner: ann, parent: session('s'), origin: 'event' });
      expect(await stateOf(file('f'))).toBe(`${ann} owned`);
      expect(await learn(file('f'), session('s'))).toBe('known');
    });

    test('makes a pending id owned, so that no settlement gives it back', async () => {
      await ledger.claim([create(canvas('c'))], ann, 'r1');
      expect(await learn(canvas('c'), undefined)).toBe('known');
      await ledger.settle([canvas('c')], 'r1', 'undone');
      expect(await stateOf(canvas('c'))).toBe(`${ann} owned`);
    });

    test('leaves what is another’s or deleted', async () => {
      await own(file('foreign'), bob);
      await own(file('deleted'));
      await ledger.release(file('deleted'), ann);
      expect(await learn(file('foreign'), undefined)).toBe('conflict');
      expect(await learn(file('deleted'), undefined)).toBe('conflict');
      expect(await stateOf(file('foreign'))).toBe(`${bob} owned`);
      expect(await stateOf(file('deleted'))).toBe(`${ann} deleted`);
    });

    test('records what was made below a tombstone as deleted', async () => {
      await own(session('s'));
      await ledger.release(session('s'), ann);
      expect(await learn(file('f'), session('s'))).toBe('conflict');
      expect(await stateOf(file('f'))).toBe(`${ann} deleted`);
    });

    test('records nothing below what is another’s', async () => {
      await own(session('s'), bob);
      expect(await learn(file('f'), session('s'))).toBe('conflict');
      expect(await stateOf(file('f'))).toBe('nobody');
    });
  });

  describe('release', () => {
    test('makes tombstones of a resource and of every generation below it, and returns them', async () => {
      await own(canvas('c'));
      await own(session('s'), ann, canvas('c'));
      await ledger.learn({ ref: file('f'), parent: session('s'), origin: 'event' }, ann);
      await own(session('other'));
      const released = await ledger.release(canvas('c'), ann);
      expect(new Set(released)).toEqual(new Set([canvas('c'), session('s'), file('f')]));
      for (const ref of released) expect(await stateOf(ref)).toBe(`${ann} deleted`);
      expect(await stateOf(session('other'))).toBe(`${ann} owned`);
      expect(await ledger.release(canvas('c'), ann)).toEqual([]);
    });

    test('returns only what it made a tombstone of', async () => {
      await own(canvas('c'));
      await own(session('s'), ann, canvas('c'));
      await ledger.release(session('s'), ann);
      expect(await ledger.release(canvas('c'), ann)).toEqual([canvas('c')]);
    });

    test('releases what is pending', async () => {
      await ledger.claim([create(canvas('c'))], ann, 'r1');
      expect(await ledger.release(canvas('c'), ann)).toEqual([canvas('c')]);
    });

    test('leaves what is another’s or nobody’s', async () => {
      await own(canvas('c'), bob);
      expect(await ledger.release(canvas('c'), ann)).toEqual([]);
      expect(await ledger.release(canvas('never'), ann)).toEqual([]);
      expect(await stateOf(canvas('c'))).toBe(`${bob} owned`);
      expect(await stateOf(canvas('never'))).toBe('nobody');
    });

    test('never reaches another owner’s, who has a child below an id that was given back', async () => {
      await ledger.claim([create(canvas('c'))], ann, 'r1');
      await own(session('ann'), ann, canvas('c'));
      await ledger.settle([canvas('c')], 'r1', 'undone');
      await own(canvas('c'), bob);
      expect(await ledger.release(canvas('c'), bob)).toEqual([canvas('c')]);
      expect(await stateOf(session('ann'))).toBe(`${ann} owned`);
    });

    test('ends when parents form a circle', async () => {
      const circle = [claim(session('a'), session('b')), claim(session('b'), session('a'))];
      await ledger.claim(circle, ann, 'r1');
      expect(await ledger.release(session('a'), ann)).toHaveLength(2);
    });
  });
});
