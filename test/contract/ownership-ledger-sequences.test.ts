/** Random lives of a few ids: whatever is done in whatever order, every ledger gives the same answers. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Claim, OwnershipLedger, Settlement } from '../../src/authz/ownership.ts';
import type { ResourceRef } from '../../src/model/resource.ts';
import { memoryLedger } from '../../src/store/memory/ownership-ledger.ts';
import { openSqliteLedger } from '../../src/store/sqlite/ownership-ledger.ts';

const refs: readonly ResourceRef[] = ['canvas', 'session', 'file'].flatMap((kind) => [
  { kind, id: 'x' },
  { kind, id: 'y' },
]);

const ref = fc.constantFrom(...refs);
const parent = fc.option(ref, { nil: undefined, freq: 2 });
const owner = fc.constantFrom('main|ann', 'main|bob');
const request = fc.constantFrom('r1', 'r2', 'r3');
const claims: fc.Arbitrary<Claim[]> = fc.array(
  fc.record({ ref, parent, verb: fc.constantFrom('create' as const, 'claim' as const) }),
  { maxLength: 3 },
);

type Step = (ledger: OwnershipLedger) => Promise<unknown>;

const byKey = (one: ResourceRef, other: ResourceRef): number =>
  `${one.kind}:${one.id}`.localeCompare(`${other.kind}:${other.id}`);

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(claims, owner, request).map(
      ([c, o, r]): Step =>
        (ledger) =>
          ledger.claim(c, o, r),
    ),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.array(ref, { maxLength: 3 }), request, fc.constantFrom<Settlement>('kept', 'undone', 'unknown'))
      .map(
        ([some, r, settlement]): Step =>
          (ledger) =>
            ledger.settle(some, r, settlement),
      ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(ref, parent, owner).map(
      ([one, above, o]): Step =>
        (ledger) =>
          ledger.learn({ ref: one, parent: above, origin: 'event' }, o),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(ref, owner).map(
      ([one, o]): Step =>
        async (ledger) =>
          [...(await ledger.release(one, o))].sort(byKey),
    ),
  },
);

test('SQLite answers as the memory ledger does, after any sequence of operations', { timeout: 60_000 }, async () => {
  const property = fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
    let time = 0;
    const memory = memoryLedger({ now: () => time });
    const sqlite = openSqliteLedger({ path: ':memory:', now: () => time });
    try {
      for (const one of steps) {
        time += 1;
        expect(await one(sqlite)).toEqual(await one(memory));
        expect(await sqlite.find(refs)).toEqual(await memory.find(refs));
      }
    } finally {
      await sqlite.close();
    }
  });
  await fc.assert(property, { numRuns: 300 });
});

test('an owner once recorded as owned is never replaced by another', { timeout: 60_000 }, async () => {
  const property = fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
    const ledger = memoryLedger({ now: () => 0 });
    const owners = new Map<ResourceRef, string>();
    for (const one of steps) {
      await one(ledger);
      const records = await ledger.find(refs);
      for (const [index, known] of refs.entries()) {
        const record = records[index];
        const before = owners.get(known);
        if (before !== undefined) expect(record?.owner).toBe(before);
        if (record !== undefined && record.state !== 'pending') owners.set(known, record.owner);
      }
    }
  });
  await fc.assert(property, { numRuns: 300 });
});
