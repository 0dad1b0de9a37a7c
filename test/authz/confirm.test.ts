import { describe, expect, test } from 'vitest';
import { authorize, authorizeInShadow } from '../../src/authz/authorize.ts';
import { claims } from '../../src/authz/claim.ts';
import { confirm } from '../../src/authz/confirm.ts';
import { foresight } from '../../src/authz/foresee.ts';
import { ownershipLookup } from '../../src/authz/lookup.ts';
import { type PendingCalls, pendingCalls } from '../../src/authz/pending.ts';
import type { Evidence } from '../../src/model/evidence.ts';
import { parseFieldPath } from '../../src/model/field-path.ts';
import type { ReadRequestInShadow } from '../../src/model/request.ts';
import { nearOwnershipCache } from '../../src/store/memory/near-ownership-cache.ts';
import { memoryLedger } from '../../src/store/memory/ownership-ledger.ts';
import { refusalOf } from '../support/bodies.ts';
import { jaazPolicy } from '../support/policies.ts';
import { type Arriving, arrive, policyFrom, principalOf } from '../support/stages.ts';

const policy = jaazPolicy();
const session = (id: string) => ({ kind: 'session', id });
const [ALICE, BOB] = ['test|alice', 'test|bob'];

/** Alice has two sessions, `one` and `two`, Bob has `his`; `a1` waits in `one`, `b1` in Bob's, `twin` in both. */
const world = async ({ calls = pendingCalls() }: { calls?: PendingCalls | undefined } = {}) => {
  const ledger = memoryLedger();
  const near = nearOwnershipCache({ maxEntries: 100, maxAgeMillis: 60_000 });
  const lookup = ownershipLookup({ ledger, near, common: undefined });
  const presence = async () => false;
  for (const [id, owner] of [
    ['one', ALICE],
    ['two', ALICE],
    ['his', BOB],
  ] as const) {
    await ledger.learn({ ref: session(id), parent: undefined, origin: 'request' }, owner);
  }
  calls.seen(session('one'), ALICE, 'a1');
  calls.seen(session('his'), BOB, 'b1');
  calls.seen(session('his'), BOB, 'twin');
  calls.seen(session('one'), ALICE, 'twin');
  const judge = authorize({ lookup, claims: claims({ ledger, lookup, presence }), calls });
  const lenient = authorizeInShadow({ lookup, foresight: foresight({ ledger, lookup, presence }), calls });
  const as = async (user: string, arriving: Arriving) => {
    const { request, match } = await arrive(policy, arriving);
    return judge(request, match, principalOf(user));
  };
  return { calls, lookup, as, lenient };
};

const answering = (place: unknown, call: unknown): Arriving => ({
  method: 'POST',
  target: '/api/tool_confirmation',
  body: { session_id: place, tool_call_id: call, confirmed: true },
});

describe('the answer to a call', () => {
  test('is let pass where it waits, and the grant says which call was taken', async () => {
    const { as } = await world();
    const grant = await as('alice', answering('one', 'a1'));
    expect(grant).toMatchObject({
      confirms: { place: session('one'), owner: ALICE, call: 'a1' },
      resources: [session('one')],
      claims: [],
    });
  });

  test.each([
    ['of another’s call, in her own session', answering('one', 'b1'), 'call-not-pending 409'],
    ['of her call, in another session of hers', answering('two', 'a1'), 'call-not-pending 409'],
    ['of a call that nobody has announced', answering('one', 'none'), 'call-not-pending 409'],
    ['of an id that waits twice', answering('one', 'twin'), 'call-not-pending 409'],
    ['of another’s call, in another’s session', answering('his', 'b1'), 'resource-hidden 404'],
    ['of her call, in another’s session', answering('his', 'a1'), 'resource-hidden 404'],
    ['of nothing', answering('one', ''), 'body-unfit 400'],
    ['of too much', answering('one', 'x'.repeat(257)), 'body-unfit 400'],
    ['of a number', answering('one', 1), 'body-unfit 400'],
  ])('is refused: %s', async (_what, arriving, expected) => {
    const { as, calls } = await world();
    expect(await refusalOf(() => as('alice', arriving))).toBe(expected);
    // Nothing was taken by it.
    expect(calls.take({ place: session('one'), owner: ALICE, call: 'a1' }, 'later')).toBe('taken');
    expect(calls.take({ place: session('his'), owner: BOB, call: 'b1' }, 'later')).toBe('taken');
  });

  test('is let pass once, however many come at once', async () => {
    const { as } = await world();
    const all = await Promise.all(
      Array.from({ length: 20 }, () => refusalOf(() => as('alice', answering('one', 'a1')))),
    );
    expect(all.sort()).toEqual(['accepted', ...Array(19).fill('call-not-pending 409')]);
  });

  test('is refused where no calls are known at all', async () => {
    const { lookup } = await world();
    const ledger = memoryLedger();
    const judge = authorize({ lookup, claims: claims({ ledger, lookup, presence: async () => false }) });
    const { request, match } = await arrive(policy, answering('one', 'a1'));
    expect(await refusalOf(() => judge(request, match, principalOf('alice')))).toBe('call-not-pending 409');
  });
});

describe('the record of a refusal', () => {
  const detailOf = async (call: string, before?: string) => {
    const { as } = await world();
    if (before !== undefined) await as('alice', answering('one', before));
    const refused = as('alice', answering('one', call));
    return refused.then(
      () => 'accepted',
      (error: Error) => error.message,
    );
  };

  test('says why, with the call where the server has named it', async () => {
    expect(await detailOf('a1', 'a1')).toBe('session:one: the call "a1" was answered already');
    expect(await detailOf('twin')).toBe('session:one: the call "twin" waits in several places');
  });

  test('holds no text of the client’s', async () => {
    expect(await detailOf('very-secret')).toBe('session:one: no such call waits there for the caller');
    // Another's call is no more known than one that is not there.
    expect(await detailOf('b1')).toBe('session:one: no such call waits there for the caller');
  });
});

describe('a call that is named in an unfit way', () => {
  const rule = { call: parseFieldPath('calls[*]'), text: 'calls[*]', of: 'session' };
  const asked = async (calls: unknown) => {
    const loose = policyFrom('version: 1\nname: p\nroutes: [{ id: a, match: POST /a, body: { json: 1KiB } }]');
    const { request } = await arrive(loose, { method: 'POST', target: '/a', body: { calls } });
    return { rule, request, place: session('one'), owner: ALICE };
  };

  test.each([[[]], [['a1', 'a1']], [[1]], [[null]], ['a1']])('is no call: %j', async (calls) => {
    const known = pendingCalls();
    known.seen(session('one'), ALICE, 'a1');
    const confirming = await asked(calls);
    expect(await refusalOf(() => confirm(known, confirming))).toBe('id-invalid 400');
  });

  test('and waits in nothing where nothing is owned', async () => {
    const known = pendingCalls();
    known.seen(session('one'), ALICE, 'a1');
    const confirming = { ...(await asked(['a1'])), place: undefined };
    expect(await refusalOf(() => confirm(known, confirming))).toBe('call-not-pending 409');
  });
});

describe('where the policy looks on', () => {
  const looking = async (arrivings: readonly Arriving[]) => {
    const { lenient } = await world();
    const found: string[][] = [];
    const confirmed: Array<string | undefined> = [];
    for (const arriving of arrivings) {
      const { request, match } = await arrive(policy, arriving);
      const evidence: Evidence = { findings: [], faults: [] };
      const read = { ...request, shadow: { sent: undefined, refused: false, evidence } };
      const grant = await lenient(read as unknown as ReadRequestInShadow, match, principalOf('alice'));
      expect(evidence.faults).toEqual([]);
      found.push(evidence.findings.flatMap((finding) => (finding.would === 'deny' ? [finding.reason] : finding.would)));
      confirmed.push(grant.confirms?.call);
    }
    return { found, confirmed };
  };

  test('nothing is refused, and what would have been is found', async () => {
    const { found, confirmed } = await looking([
      answering('one', 'a1'),
      answering('one', 'a1'),
      answering('one', 'twin'),
      answering('two', 'a1'),
      answering('his', 'b1'),
    ]);
    expect(found).toEqual([
      [],
      ['call-not-pending'],
      ['call-not-pending'],
      ['call-not-pending'],
      ['resource-hidden', 'call-not-pending'],
    ]);
    expect(confirmed).toEqual(['a1', undefined, undefined, undefined, undefined]);
  });
});
