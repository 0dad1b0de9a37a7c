/** What every ledger does, run on each of them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Claim, OwnershipLedger } from '../../src/authz/ownership.ts';
import type { ResourceRef } from '../../src/model/resource.ts';
import { memoryLedger } from '../../src/store/memory/ownership-ledger.ts';
import { openSqliteLedger } from '../../src/store/sqlite/ownership-ledger.ts';

const directory = mkdtempSync(join(tmpdir(), 'ledger-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

let files = 0;
const now = (): number => 1_700_000_000_000;

const implementations: ReadonlyArray<{ name: string; open: () => OwnershipLedger }> = [
  { name: 'memory', open: () => memoryLedger({ now }) },
  { name: 'SQLite', open: () => openSqliteLedger({ path: join(directory, `${files++}`, 'ledger.db'), now }) },
];

const [ann, bob] = ['main|ann', 'main|bob'];
const canvas = (id: string): ResourceRef => ({ kind: 'canvas', id });
const session = (id: string): ResourceRef => ({ kind: 'session', id });
const file = (id: string): ResourceRef => ({ kind: 'file', id });
const create = (ref: ResourceRef, parent?: ResourceRef): Claim => ({ ref, parent, verb: 'create' });
const claim = (ref: ResourceRef, parent?: ResourceRef): Claim => ({ ref, parent, verb: 'claim' });

describe.each(implementations)('the ownership ledger in $name', ({ open }) => {
  let ledger: OwnershipLedger;
  beforeEach(() => {
    ledger = open();
  });
  afterEach(() => ledger.close());

  const stateOf = async (ref: ResourceRef): Promise<string> => {
    const [record] = await ledger.find([ref]);
    return record === undefined ? 'nobody' : `${record.owner} ${record.state}`;
  };
  const own = async (ref: ResourceRef, owner = ann, parent?: ResourceRef): Promise<void> => {
    expect((await ledger.claim([create(ref, parent)], owner, 'setup')).claimed).toBe(true);
    await ledger.settle([ref], 'setup', 'kept');
  };

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
