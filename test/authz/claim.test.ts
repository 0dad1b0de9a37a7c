import { describe, expect, test } from 'vitest';
import { claims, type WantedClaim } from '../../src/authz/claim.ts';
import { ownershipLookup } from '../../src/authz/lookup.ts';
import type { OwnershipLedger } from '../../src/authz/ownership.ts';
import { Rejection } from '../../src/model/rejection.ts';
import type { ResourceKind } from '../../src/model/resource.ts';
import { nearOwnershipCache } from '../../src/store/memory/near-ownership-cache.ts';
import { memoryLedger } from '../../src/store/memory/ownership-ledger.ts';
import { refusalOf } from '../support/bodies.ts';
import { jaazPolicy } from '../support/policies.ts';

const kinds = jaazPolicy().resources;
const canvas = (id: string) => ({ kind: 'canvas', id });
const session = (id: string) => ({ kind: 'session', id });
const wanted = (
  verb: 'create' | 'claim',
  ref: ReturnType<typeof canvas>,
  parent?: ReturnType<typeof canvas>,
): WantedClaim => ({
  ref,
  parent,
  verb,
  kind: kinds.get(ref.kind) as ResourceKind,
});

const open = (
  overrides: Partial<OwnershipLedger> = {},
  presence = async (_kind: ResourceKind, _id: string) => false,
) => {
  const ledger = { ...memoryLedger(), ...overrides };
  const near = nearOwnershipCache({ maxEntries: 100, maxAgeMillis: 60_000 });
  const lookup = ownershipLookup({ ledger, near, common: undefined });
  return { ledger, near, lookup, claims: claims({ ledger, lookup, presence }) };
};

describe('taking', () => {
  test('asks the upstream only for what the ledger does not know', async () => {
    const asked: string[] = [];
    const { claims: stage } = open({}, async (_kind, id) => {
      asked.push(id);
      return false;
    });
    await stage.take([wanted('create', canvas('c'))], 'alice', 'r1');
    await stage.take([wanted('claim', canvas('c')), wanted('claim', session('s'), canvas('c'))], 'alice', 'r2');
    expect(asked).toEqual(['c', 's']);
  });

  test('leaves nothing claimed when one of several is quarantined', async () => {
    const { claims: stage, ledger } = open({}, async (_kind, id) => id === 's');
    const both = [wanted('create', canvas('c')), wanted('claim', session('s'), canvas('c'))];
    expect(await refusalOf(() => stage.take(both, 'alice', 'r'))).toBe('resource-quarantined 409');
    expect(await ledger.find([canvas('c'), session('s')])).toEqual([undefined, undefined]);
  });

  test('leaves nothing claimed when a probe fails', async () => {
    const { claims: stage, ledger } = open({}, async () => {
      throw new Rejection('probe-failed', 'x');
    });
    expect(await refusalOf(() => stage.take([wanted('create', canvas('c'))], 'alice', 'r'))).toBe('probe-failed 502');
    expect(await ledger.find([canvas('c')])).toEqual([undefined]);
  });

  test.each([
    ['another’s', 'create', 'bob', 'resource-taken 409'],
    ['another’s', 'claim', 'bob', 'resource-taken 409'],
    ['one’s own', 'create', 'alice', 'resource-taken 409'],
    ['one’s own', 'claim', 'alice', 'accepted'],
  ] as const)('%s by %s', async (_whose, verb, user, expected) => {
    const { claims: stage, ledger } = open();
    await ledger.learn({ ref: canvas('c'), parent: undefined, origin: 'request' }, 'alice');
    expect(await refusalOf(() => stage.take([wanted(verb, canvas('c'))], user, 'r'))).toBe(expected);
  });

  test.each(['create', 'claim'] as const)('a tombstone by %s is refused to its former owner too', async (verb) => {
    const { claims: stage, ledger } = open();
    await ledger.learn({ ref: canvas('c'), parent: undefined, origin: 'request' }, 'alice');
    await ledger.release(canvas('c'), 'alice');
    expect(await refusalOf(() => stage.take([wanted(verb, canvas('c'))], 'alice', 'r'))).toBe('resource-deleted 409');
  });

  test('below a parent that is another’s is refused', async () => {
    const { claims: stage, ledger } = open();
    await ledger.learn({ ref: canvas('c'), parent: undefined, origin: 'request' }, 'alice');
    const below = [wanted('claim', session('s'), canvas('c'))];
    expect(await refusalOf(() => stage.take(below, 'bob', 'r'))).toBe('resource-hidden 404');
    expect(await ledger.find([session('s')])).toEqual([undefined]);
  });

  test('from a ledger that is down is a 503', async () => {
    const down = async () => {
      throw new Error('disk on fire');
    };
    expect(await refusalOf(() => open({ find: down }).claims.take([wanted('create', canvas('c'))], 'a', 'r'))).toBe(
      'ledger-unavailable 503',
    );
    expect(await refusalOf(() => open({ claim: down }).claims.take([wanted('create', canvas('c'))], 'a', 'r'))).toBe(
      'ledger-unavailable 503',
    );
  });

  test('of one new id by two at once is granted to one', async () => {
    const { claims: stage } = open();
    const attempts = ['alice', 'bob'].map((user) =>
      refusalOf(() => stage.take([wanted('create', canvas('c'))], user, user)),
    );
    expect((await Promise.all(attempts)).sort()).toEqual(['accepted', 'resource-taken 409']);
  });
});

describe('settling', () => {
  test.each([
    ['kept', { state: 'owned', owner: 'alice' }],
    ['unknown', { state: 'pending', owner: 'alice' }],
  ] as const)('%s', async (settlement, expected) => {
    const { claims: stage, ledger } = open();
    const refs = await stage.take([wanted('create', canvas('c'))], 'alice', 'r');
    await stage.settle(refs, 'r', settlement);
    expect(await ledger.find([canvas('c')])).toMatchObject([expected]);
  });

  test('undone gives back, and no cache remembers the owner', async () => {
    const { claims: stage, ledger, lookup, near } = open();
    const refs = await stage.take([wanted('create', canvas('c'))], 'alice', 'r');
    expect(await lookup.ownersOf([canvas('c')])).toEqual(['alice']);
    await stage.settle(refs, 'r', 'undone');
    expect(near.get(canvas('c'))).toBeUndefined();
    expect(await ledger.find([canvas('c')])).toEqual([undefined]);
    expect(await refusalOf(() => stage.take([wanted('create', canvas('c'))], 'bob', 'r2'))).toBe('accepted');
  });

  test('undone by one of two requests that lean on it keeps it', async () => {
    const { claims: stage, ledger } = open();
    const first = await stage.take([wanted('create', canvas('c'))], 'alice', 'r1');
    await stage.take([wanted('create', canvas('c'))], 'alice', 'r2');
    await stage.settle(first, 'r1', 'undone');
    expect(await ledger.find([canvas('c')])).toMatchObject([{ state: 'pending', owner: 'alice' }]);
  });

  test('undone never takes what was owned before', async () => {
    const { claims: stage, ledger } = open();
    await ledger.learn({ ref: canvas('c'), parent: undefined, origin: 'request' }, 'alice');
    const refs = await stage.take([wanted('claim', canvas('c'))], 'alice', 'r');
    expect(refs).toEqual([]);
    await stage.settle(refs, 'r', 'undone');
    expect(await ledger.find([canvas('c')])).toMatchObject([{ state: 'owned' }]);
  });
});

test('a release makes tombstones of the children too, and every cache forgets them', async () => {
  const { claims: stage, ledger, lookup, near } = open();
  await ledger.learn({ ref: canvas('c'), parent: undefined, origin: 'request' }, 'alice');
  await ledger.learn({ ref: session('s'), parent: canvas('c'), origin: 'request' }, 'alice');
  await lookup.ownersOf([canvas('c'), session('s')]);
  expect(near.size).toBe(2);
  await stage.release([canvas('c')], 'alice');
  expect(near.size).toBe(0);
  expect(await ledger.find([canvas('c'), session('s')])).toMatchObject([{ state: 'deleted' }, { state: 'deleted' }]);
});
