import { describe, expect, test } from 'vitest';
import { authorizeInShadow } from '../../src/authz/authorize.ts';
import { foresight } from '../../src/authz/foresee.ts';
import { ownershipLookup } from '../../src/authz/lookup.ts';
import type { OwnershipLedger } from '../../src/authz/ownership.ts';
import type { Evidence } from '../../src/model/evidence.ts';
import type { ReadRequestInShadow } from '../../src/model/request.ts';
import { nearOwnershipCache } from '../../src/store/memory/near-ownership-cache.ts';
import { memoryLedger } from '../../src/store/memory/ownership-ledger.ts';
import { jaazPolicy } from '../support/policies.ts';
import { type Arriving, arrive, policyFrom, principalOf } from '../support/stages.ts';

const jaaz = jaazPolicy();

/** Alice owns canvas `hers`, Bob `his`; `old` is upstream only. */
const judged = async (
  arriving: Arriving,
  { refused = false, known = true, ledger: overrides = {} as Partial<OwnershipLedger>, policy = jaaz } = {},
) => {
  const ledger = { ...memoryLedger(), ...overrides };
  const lookup = ownershipLookup({
    ledger,
    near: nearOwnershipCache({ maxEntries: 9, maxAgeMillis: 9 }),
    common: undefined,
  });
  for (const [id, owner] of [
    ['hers', 'test|alice'],
    ['his', 'test|bob'],
  ] as const) {
    await ledger.learn({ ref: { kind: 'canvas', id }, parent: undefined, origin: 'request' }, owner);
  }
  const presence = async (_kind: unknown, id: string) => id === 'old';
  const stage = authorizeInShadow({ lookup, foresight: foresight({ ledger, lookup, presence }) });
  const { request, match } = await arrive(policy, arriving);
  const evidence: Evidence = { findings: [], faults: [] };
  const read = { ...request, shadow: { sent: undefined, refused, evidence } } as unknown as ReadRequestInShadow;
  const grant = await stage(read, match, known ? principalOf('alice') : undefined);
  const ids = (refs: ReadonlyArray<{ id: string }>) => refs.map(({ id }) => id);
  return {
    findings: evidence.findings,
    faults: evidence.faults,
    allowed: grant.shadow.allowed,
    claims: grant.claims,
    releases: ids(grant.releases),
    fresh: ids(grant.shadow.fresh.map(({ ref }) => ref)),
    unchanged: async () => ledger.find([{ kind: 'canvas', id: 'new' }]),
  };
};

const get = (target: string): Arriving => ({ method: 'GET', target });
const remove = (id: string): Arriving => ({ method: 'DELETE', target: `/api/canvas/${id}/delete` });
const post = (target: string, canvas: unknown, session: unknown, more: object = {}): Arriving => ({
  method: 'POST',
  target,
  body: { canvas_id: canvas, session_id: session, ...more },
});
const deny = (reason: string) => expect.objectContaining({ would: 'deny', reason });

test('what is the caller’s own is allowed', async () => {
  expect(await judged(get('/api/canvas/hers'))).toMatchObject({ findings: [], allowed: true });
});

test.each([
  ['another’s', get('/api/canvas/his'), ['resource-hidden']],
  ['nobody’s', get('/api/canvas/old'), ['resource-hidden']],
  ['impossible', get('/api/canvas/list'), []],
  ['impossible in a path', get('/api/canvas/default'), ['resource-hidden']],
  ['impossible in a body', post('/api/chat', 5, 's'), ['id-invalid']],
  [
    'several things at once',
    post('/api/chat', 'his', 'old', { messages: ['im_aaaaaaaa.png file_id="im_bbbbbbbb.png"'] }),
    ['resource-hidden', 'reference-foreign', 'resource-quarantined'],
  ],
])('what is %s is found, and passes', async (_what, arriving, reasons) => {
  const { findings, faults, allowed, claims } = await judged(arriving);
  expect(findings).toEqual(reasons.map(deny));
  expect([faults, claims, allowed]).toEqual([[], [], reasons.length === 0]);
});

describe('claims', () => {
  test('are foreseen, and not taken', async () => {
    const result = await judged(post('/api/canvas/create', 'new', 's'));
    expect(result).toMatchObject({ claims: [], fresh: ['new', 's'], allowed: true });
    expect(result.findings).toEqual([
      {
        would: 'claim',
        resources: [
          { kind: 'canvas', id: 'new' },
          { kind: 'session', id: 's' },
        ],
      },
    ]);
    expect(await result.unchanged()).toEqual([undefined]);
  });

  test('a new canvas is new though a text cites what is another’s', async () => {
    const body = { messages: ['file_id="im_bbbbbbbb.png"'] };
    const { fresh, findings, allowed } = await judged(post('/api/canvas/create', 'new', 's', body));
    expect([fresh, allowed]).toEqual([['new', 's'], false]);
    expect(findings).toContainEqual(deny('reference-foreign'));
  });

  test('a session in a canvas of nobody is not', async () => {
    expect(await judged(post('/api/chat', 'old', 's'))).toMatchObject({ fresh: [], allowed: false });
  });
});

test.each([
  ['one’s own', 'hers', ['hers'], []],
  ['another’s', 'his', [], ['resource-hidden']],
  ['nobody’s', 'old', [], ['resource-hidden']],
])('a delete of %s', async (_whose, id, releases, reasons) => {
  const result = await judged(remove(id));
  expect(result.releases).toEqual(releases);
  expect(result.findings).toEqual(reasons.map(deny));
});

test('of a body that would be refused nothing is read, of the path everything', async () => {
  const chat = await judged(post('/api/chat', 5, 'old'), { refused: true });
  expect(chat.findings).toEqual([]);
  const save = { method: 'POST', target: '/api/canvas/his/save', body: { data: {} } };
  expect((await judged(save, { refused: true })).findings).toEqual([deny('resource-hidden')]);
});

test('a condition of the route is judged, also where nobody is known', async () => {
  const policy = policyFrom(`version: 1
name: p
routes: [{ id: a, match: GET /a, access: public, query: [n], when: { query: n, is: '1' } }]`);
  expect(await judged(get('/a?n=1'), { policy, known: false })).toMatchObject({ findings: [], allowed: true });
  expect((await judged(get('/a?n=2'), { policy, known: false })).findings).toEqual([deny('condition-unmet')]);
});

test('a ledger that is down breaks nothing', async () => {
  const down = { find: () => Promise.reject(new Error('disk')) };
  const { findings, faults, fresh } = await judged(post('/api/canvas/create', 'new', 's'), { ledger: down });
  expect(findings).toContainEqual(deny('ledger-unavailable'));
  expect([faults, fresh]).toEqual([[], []]);
});
