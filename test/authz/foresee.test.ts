import { describe, expect, test } from 'vitest';
import { claims, type Presence, type WantedClaim } from '../../src/authz/claim.ts';
import { type Foresight, foresight } from '../../src/authz/foresee.ts';
import { ownershipLookup } from '../../src/authz/lookup.ts';
import type { OwnershipLedger } from '../../src/authz/ownership.ts';
import type { Evidence } from '../../src/model/evidence.ts';
import type { FreshRef } from '../../src/model/grant.ts';
import { Rejection } from '../../src/model/rejection.ts';
import type { ResourceKind, ResourceRef } from '../../src/model/resource.ts';
import { nearOwnershipCache } from '../../src/store/memory/near-ownership-cache.ts';
import { memoryLedger } from '../../src/store/memory/ownership-ledger.ts';
import { jaazPolicy } from '../support/policies.ts';

const kinds = jaazPolicy().resources;
const ref = (kind: string, id: string): ResourceRef => ({ kind, id });
const wanted = (verb: 'create' | 'claim', of: ResourceRef, parent?: ResourceRef): WantedClaim => ({
  ref: of,
  parent,
  verb,
  kind: kinds.get(of.kind) as ResourceKind,
});

const open = async (overrides: Partial<OwnershipLedger> = {}, presence: Presence = async () => false) => {
  const ledger = { ...memoryLedger(), ...overrides };
  const near = nearOwnershipCache({ maxEntries: 100, maxAgeMillis: 60_000 });
  const lookup = ownershipLookup({ ledger, near, common: undefined });
  const options = { ledger, lookup, presence };
  await ledger.learn({ ref: ref('canvas', 'hers'), parent: undefined, origin: 'request' }, 'alice');
  await ledger.learn({ ref: ref('canvas', 'his'), parent: undefined, origin: 'request' }, 'bob');
  await ledger.learn({ ref: ref('canvas', 'gone'), parent: undefined, origin: 'request' }, 'alice');
  await ledger.release(ref('canvas', 'gone'), 'alice');
  await ledger.claim([wanted('create', ref('canvas', 'pending'))], 'alice', 'earlier');
  const evidence: Evidence = { findings: [], faults: [] };
  return { ledger, evidence, foresight: foresight(options), claims: claims(options) };
};

const ids = ['new', 'hers', 'his', 'gone', 'pending', 'there'];
const rows = ids.flatMap((id) => (['create', 'claim'] as const).map((verb) => [verb, id] as const));
const there: Presence = async (_kind, id) => id === 'there';
const reasonOf = async (deed: () => Promise<unknown>): Promise<string | undefined> => {
  try {
    await deed();
    return undefined;
  } catch (error) {
    return error instanceof Rejection ? error.reason : 'a bug';
  }
};

describe('what is foreseen is what would happen', () => {
  test.each(rows)('%s of a canvas that is %s', async (verb, id) => {
    const world = await open({}, there);
    const claim = wanted(verb, ref('canvas', id));
    const fresh = await world.foresight.claims([claim], 'alice', world.evidence);
    const reason = await reasonOf(() => world.claims.take([claim], 'alice', 'r'));
    expect(world.evidence.findings.map((finding) => 'reason' in finding && finding.reason)).toEqual(
      reason === undefined ? [] : [reason],
    );
    expect(fresh).toEqual(id === 'new' ? [claim] : []);
  });

  test.each(ids)('claim of a session in a canvas that is %s', async (id) => {
    const world = await open();
    const claim = wanted('claim', ref('session', 's'), ref('canvas', id));
    const fresh = await world.foresight.claims([claim], 'alice', world.evidence);
    const reason = await reasonOf(() => world.claims.take([claim], 'alice', 'r'));
    expect(fresh).toEqual(reason === undefined ? [claim] : []);
    expect(world.evidence.findings.length).toBe(reason === undefined ? 0 : 1);
  });
});

test('nothing is taken', async () => {
  const { ledger, foresight: stage, evidence } = await open();
  await stage.claims([wanted('create', ref('canvas', 'new'))], 'alice', evidence);
  expect(await ledger.find([ref('canvas', 'new')])).toEqual([undefined]);
});

test('each id is foreseen by itself: one that is there does not hide the new one', async () => {
  const { foresight: stage, evidence } = await open({}, there);
  const canvas = wanted('create', ref('canvas', 'new'));
  const session = wanted('claim', ref('session', 'there'), ref('canvas', 'new'));
  expect(await stage.claims([canvas, session], 'alice', evidence)).toEqual([canvas]);
  expect(evidence.findings).toMatchObject([{ would: 'deny', reason: 'resource-quarantined' }]);
});

test.each([
  ['a ledger that is down', { find: () => Promise.reject(new Error('disk')) }, undefined, 'ledger-unavailable'],
  ['a probe that fails', {}, () => Promise.reject(new Rejection('probe-failed', 'x')), 'probe-failed'],
])('%s makes nothing new, and breaks nothing', async (_what, overrides, presence, reason) => {
  const { foresight: stage, evidence } = await open(overrides, presence);
  expect(await stage.claims([wanted('create', ref('canvas', 'new'))], 'alice', evidence)).toEqual([]);
  expect(evidence).toMatchObject({ findings: [{ would: 'deny', reason }], faults: [] });
});

describe('holding', () => {
  const hold = async (stage: Foresight, fresh: readonly FreshRef[], made = true) => {
    const held = await stage.hold(fresh, 'alice', 'r');
    await stage.settle(held, 'r', made);
    return held;
  };
  const canvas = wanted('create', ref('canvas', 'new'));
  const session = wanted('claim', ref('session', 's'), ref('canvas', 'new'));

  test('makes the caller the owner of what the server made, children included', async () => {
    const { ledger, foresight: stage } = await open();
    expect(await hold(stage, [canvas, session])).toEqual([canvas.ref, session.ref]);
    const records = await ledger.find([canvas.ref, session.ref]);
    expect(records).toMatchObject([
      { owner: 'alice', state: 'owned', origin: 'request' },
      { owner: 'alice', state: 'owned', parent: canvas.ref },
    ]);
  });

  test('keeps others out meanwhile, and leaves nothing of what the server did not make', async () => {
    const world = await open();
    const held = await world.foresight.hold([canvas, session], 'alice', 'r');
    expect(await reasonOf(() => world.claims.take([canvas], 'bob', 'other'))).toBe('resource-taken');
    await world.foresight.settle(held, 'r', false);
    expect(await world.ledger.find([canvas.ref, session.ref])).toEqual([undefined, undefined]);
    expect(await world.claims.take([canvas], 'bob', 'other')).toEqual([canvas.ref]);
  });

  test('takes nothing that was never asked for at the server: it may have been there before', async () => {
    const { ledger, foresight: stage, evidence } = await open();
    const kind: ResourceKind = { ...canvas.kind, name: 'board', probe: undefined };
    const board: WantedClaim = { ref: ref('board', 'b'), parent: undefined, verb: 'claim', kind };
    const fresh = await stage.claims([board, canvas], 'alice', evidence);
    expect(fresh).toEqual([board, canvas]);
    expect(await hold(stage, fresh)).toEqual([canvas.ref]);
    expect(await ledger.find([board.ref])).toEqual([undefined]);
  });

  test('takes nothing from somebody who was faster, nor what is below it', async () => {
    const { ledger, foresight: stage } = await open();
    await ledger.learn({ ref: canvas.ref, parent: undefined, origin: 'request' }, 'bob');
    expect(await hold(stage, [canvas, session])).toEqual([]);
    expect(await ledger.find([canvas.ref, session.ref])).toMatchObject([{ owner: 'bob' }, undefined]);
  });

  test('rejects when the ledger is down', async () => {
    const disk = () => Promise.reject(new Error('disk'));
    const claims: OwnershipLedger['claim'] = async (_claims, _owner, id) =>
      id === 'r' ? disk() : { claimed: true, refs: [] };
    for (const down of [{ settle: disk }, { claim: claims }]) {
      const { foresight: stage } = await open(down);
      expect(await reasonOf(() => hold(stage, [canvas]))).toBe('ledger-unavailable');
    }
  });
});
