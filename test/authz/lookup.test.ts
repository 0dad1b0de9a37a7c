import { describe, expect, test } from 'vitest';
import { ledgerUnavailable, ownershipLookup } from '../../src/authz/lookup.ts';
import type { OwnershipLedger, SharedOwnershipCache } from '../../src/authz/ownership.ts';
import type { Owner } from '../../src/model/principal.ts';
import { Rejection } from '../../src/model/rejection.ts';
import { type ResourceRef, resourceKey } from '../../src/model/resource.ts';
import { nearOwnershipCache } from '../../src/store/memory/near-ownership-cache.ts';
import { memoryLedger } from '../../src/store/memory/ownership-ledger.ts';
import { refusalOf } from '../support/bodies.ts';

const [a, b]: readonly [ResourceRef, ResourceRef] = [
  { kind: 'canvas', id: 'a' },
  { kind: 'canvas', id: 'b' },
];

type Step = () => Promise<void> | void;

/** A ledger and a cache for all replicas whose slow moments the test chooses, and which tell in what order they were asked. */
const open = async () => {
  const memory = memoryLedger();
  await memory.learn({ ref: a, parent: undefined, origin: 'request' }, 'alice');
  await memory.learn({ ref: b, parent: undefined, origin: 'request' }, 'bob');
  const asked: string[] = [];
  const during: { find?: Step; get?: Step; invalidate?: Step } = {};
  let down = false;
  const ledger: OwnershipLedger = {
    ...memory,
    async find(refs) {
      asked.push(`ledger ${refs.map(({ id }) => id)}`);
      if (down) throw new Error('disk on fire');
      const found = await memory.find(refs);
      await during.find?.();
      return found;
    },
  };
  const kept = new Map<string, Owner>();
  const listeners: Array<Parameters<SharedOwnershipCache['onInvalidate']>[0]> = [];
  const common: SharedOwnershipCache = {
    async get(refs) {
      asked.push(`common ${refs.map(({ id }) => id)}`);
      const found = refs.map((ref) => kept.get(resourceKey(ref)));
      await during.get?.();
      return found;
    },
    fill: (ref, owner) => void kept.set(resourceKey(ref), owner),
    async invalidate(refs) {
      await during.invalidate?.();
      for (const ref of refs) kept.delete(resourceKey(ref));
    },
    onInvalidate: (listener) => void listeners.push(listener),
  };
  const near = nearOwnershipCache({ maxEntries: 100, maxAgeMillis: 60_000 });
  const tell = (refs: readonly ResourceRef[] | 'everything') => {
    for (const listener of listeners) listener(refs);
  };
  const fail = () => {
    down = true;
  };
  return {
    memory,
    ledger,
    common,
    near,
    asked,
    during,
    kept,
    tell,
    fail,
    lookup: ownershipLookup({ ledger, near, common }),
  };
};

describe('the order of asking', () => {
  test('is near, common, ledger; each later one only for what is still missing', async () => {
    const { lookup, asked, kept } = await open();
    kept.set('canvas:a', 'alice');
    expect(await lookup.ownersOf([a, b])).toEqual(['alice', 'bob']);
    expect(asked).toEqual(['common a,b', 'ledger b']);
    expect(lookup.ownersOf([b, a])).toEqual(['bob', 'alice']);
    expect(asked).toHaveLength(2);
    expect(kept.get('canvas:b')).toBe('bob');
  });

  test('answers the same id twice, and none', async () => {
    const { lookup } = await open();
    expect(await lookup.ownersOf([a, a, b])).toEqual(['alice', 'alice', 'bob']);
    expect(lookup.ownersOf([])).toEqual([]);
  });

  test('keeps no negative fact', async () => {
    const { lookup, memory } = await open();
    const unknown = { kind: 'canvas', id: 'c' };
    expect(await lookup.ownersOf([unknown])).toEqual([undefined]);
    await memory.learn({ ref: unknown, parent: undefined, origin: 'request' }, 'carol');
    expect(await lookup.ownersOf([unknown])).toEqual(['carol']);
  });

  test('knows no owner of a tombstone, and records tells of it', async () => {
    const { lookup, memory } = await open();
    await memory.release(a, 'alice');
    expect(await lookup.ownersOf([a])).toEqual([undefined]);
    expect(await lookup.records([a])).toMatchObject([{ state: 'deleted', owner: 'alice' }]);
  });
});

describe('what is forgotten stays forgotten', () => {
  test('a fill from the ledger that was under way loses', async () => {
    const { lookup, near, during } = await open();
    during.find = () => lookup.forget([a]);
    expect(await lookup.ownersOf([a])).toEqual(['alice']);
    expect(near.get(a)).toBeUndefined();
  });

  test('a fill from the common cache that was under way loses', async () => {
    const { lookup, near, kept, during } = await open();
    kept.set('canvas:a', 'alice');
    during.get = () => lookup.forget([a]);
    await lookup.ownersOf([a]);
    expect(near.get(a)).toBeUndefined();
  });

  test('a fill while the other replicas are being told loses', async () => {
    const { lookup, near, kept, during } = await open();
    kept.set('canvas:a', 'alice');
    during.invalidate = async () => {
      await lookup.ownersOf([a]);
    };
    await lookup.forget([a]);
    expect(near.get(a)).toBeUndefined();
  });

  test('what another replica changed is forgotten here', async () => {
    const { lookup, near, tell } = await open();
    await lookup.ownersOf([a, b]);
    tell([a]);
    expect([near.get(a), near.get(b)]).toEqual([undefined, 'bob']);
    tell('everything');
    expect(near.size).toBe(0);
  });
});

describe('a ledger that is down', () => {
  test('leaves the facts that are near or in common, and refuses the rest', async () => {
    const { lookup, kept, fail } = await open();
    await lookup.ownersOf([a]);
    kept.set('canvas:b', 'bob');
    fail();
    expect(lookup.ownersOf([a])).toEqual(['alice']);
    expect(await lookup.ownersOf([b])).toEqual(['bob']);
    expect(await refusalOf(() => lookup.ownersOf([a, { kind: 'canvas', id: 'c' }]))).toBe('ledger-unavailable 503');
    expect(await refusalOf(() => lookup.records([a]))).toBe('ledger-unavailable 503');
  });

  test('is a refusal that keeps its cause, and is not wrapped twice', () => {
    const cause = new Error('disk on fire');
    const refused = ledgerUnavailable(cause);
    expect(refused).toMatchObject({ reason: 'ledger-unavailable', cause });
    expect(ledgerUnavailable(refused)).toBe(refused);
    expect(refused).toBeInstanceOf(Rejection);
  });
});

test('works without a common cache', async () => {
  const { ledger, near, asked } = await open();
  const lookup = ownershipLookup({ ledger, near, common: undefined });
  expect(await lookup.ownersOf([a])).toEqual(['alice']);
  await lookup.forget([a]);
  await lookup.ownersOf([a]);
  expect(asked).toEqual(['ledger a', 'ledger a']);
});
