import { describe, expect, test } from 'vitest';
import { authorize } from '../../src/authz/authorize.ts';
import { claims } from '../../src/authz/claim.ts';
import { ownershipLookup } from '../../src/authz/lookup.ts';
import { nearOwnershipCache } from '../../src/store/memory/near-ownership-cache.ts';
import { memoryLedger } from '../../src/store/memory/ownership-ledger.ts';
import { refusalOf } from '../support/bodies.ts';
import { jaazPolicy } from '../support/policies.ts';
import { type Arriving, arrive, principalOf } from '../support/stages.ts';

const policy = jaazPolicy();
const FILE = 'im_aaaaaaaa.png';

/** Alice owns canvas `hers` with session `talk` and a file; Bob owns `his`; `gone` was Alice's, `old` is upstream only. */
const world = async () => {
  const ledger = memoryLedger();
  const near = nearOwnershipCache({ maxEntries: 100, maxAgeMillis: 60_000 });
  const lookup = ownershipLookup({ ledger, near, common: undefined });
  const asked: string[] = [];
  const presence = async (kind: { name: string }, id: string) => {
    asked.push(`${kind.name}:${id}`);
    return id === 'old';
  };
  const claimed = claims({ ledger, lookup, presence });
  const judge = authorize({ lookup, claims: claimed });
  const own = async (owner: string, kind: string, id: string, parent?: [string, string]) =>
    ledger.learn(
      { ref: { kind, id }, parent: parent && { kind: parent[0], id: parent[1] }, origin: 'migration' },
      `test|${owner}`,
    );
  await own('alice', 'canvas', 'hers');
  await own('alice', 'session', 'talk', ['canvas', 'hers']);
  await own('alice', 'file', FILE, ['session', 'talk']);
  await own('bob', 'canvas', 'his');
  await own('bob', 'file', 'im_bbbbbbbb.png');
  await own('alice', 'canvas', 'gone');
  await own('alice', 'session', 'gone-talk', ['canvas', 'gone']);
  await own('alice', 'file', 'im_dddddddd.png', ['session', 'gone-talk']);
  await ledger.release({ kind: 'canvas', id: 'gone' }, 'test|alice');
  const as = async (user: string, arriving: Arriving) => {
    const { request, match } = await arrive(policy, arriving);
    return judge(request, match, principalOf(user));
  };
  const outcome = (user: string, arriving: Arriving) => refusalOf(() => as(user, arriving));
  const find = async (kind: string, id: string) => (await ledger.find([{ kind, id }]))[0];
  return { ledger, as, outcome, asked, find };
};

const get = (target: string): Arriving => ({ method: 'GET', target });
const create = (canvas: unknown, session: unknown = 's1', more: object = {}): Arriving => ({
  method: 'POST',
  target: '/api/canvas/create',
  body: { canvas_id: canvas, session_id: session, name: 'n', messages: [], ...more },
});
const chat = (canvas: unknown, session: unknown, more: object = {}): Arriving => ({
  method: 'POST',
  target: '/api/chat',
  body: { canvas_id: canvas, session_id: session, messages: [], ...more },
});
const remove = (canvas: string): Arriving => ({ method: 'DELETE', target: `/api/canvas/${canvas}/delete` });

describe('a path', () => {
  test.each([
    ['hers', get('/api/canvas/hers'), 'accepted'],
    ['another’s', get('/api/canvas/his'), 'resource-hidden 404'],
    ['one that is not there', get('/api/canvas/nothing'), 'resource-hidden 404'],
    ['one that was deleted', get('/api/canvas/gone'), 'resource-hidden 404'],
    ['one that exists upstream unowned', get('/api/canvas/old'), 'resource-hidden 404'],
    ['the reserved row', get('/api/canvas/default'), 'resource-hidden 404'],
    ['what no canvas is called', get('/api/canvas/a.b'), 'resource-hidden 404'],
    ['too long an id', get(`/api/canvas/${'a'.repeat(65)}`), 'resource-hidden 404'],
    ['her session', get('/api/chat_session/talk'), 'accepted'],
    ['the session of a deleted canvas', get('/api/chat_session/gone-talk'), 'resource-hidden 404'],
    ['her file', get(`/api/file/${FILE}`), 'accepted'],
    ['another’s file', get('/api/file/im_bbbbbbbb.png'), 'resource-hidden 404'],
    ['a file of a deleted canvas', get('/api/file/im_dddddddd.png'), 'resource-hidden 404'],
    ['deleting hers', remove('hers'), 'accepted'],
    ['deleting another’s', remove('his'), 'resource-hidden 404'],
    ['deleting twice', remove('gone'), 'resource-hidden 404'],
    ['saving another’s', { method: 'POST', target: '/api/canvas/his/save', body: {} }, 'resource-hidden 404'],
  ] satisfies ReadonlyArray<readonly [string, Arriving, string]>)('%s', async (_name, arriving, expected) => {
    expect(await (await world()).outcome('alice', arriving)).toBe(expected);
  });
});

describe('ids in a body', () => {
  test.each([
    ['a number', 77],
    ['a fraction', 7.5],
    ['a number kept verbatim', (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON('77.0')],
    ['true', true],
    ['null', null],
    ['nothing', undefined],
    ['an empty text', ''],
    ['a list', ['hers']],
    ['an object', { id: 'hers' }],
    ['the reserved default', 'default'],
    ['the reserved list', 'list'],
    ['a slash', 'a/b'],
    ['a line feed', 'a\n'],
    ['a blank', 'a b'],
    ['too much', 'a'.repeat(65)],
  ])('%s is no canvas', async (_name, id) => {
    const { outcome } = await world();
    expect(await outcome('alice', create(id))).toBe('id-invalid 400');
    expect(await outcome('alice', chat(id, 'talk'))).toBe('id-invalid 400');
    expect(await outcome('alice', chat('hers', id === 'default' || id === 'list' ? '' : id))).toBe('id-invalid 400');
  });

  test('are read from own properties only', async () => {
    const { outcome } = await world();
    const body = '{"__proto__":{"canvas_id":"hers"},"session_id":"talk","messages":[]}';
    expect(await outcome('alice', { method: 'POST', target: '/api/chat', body })).toBe('id-invalid 400');
  });
});

describe('create', () => {
  test('of a new id is claimed before anything is forwarded, its session below it', async () => {
    const { as, find, asked } = await world();
    const grant = await as('alice', create('new', 's1'));
    expect(asked.sort()).toEqual(['canvas:new', 'session:s1']);
    expect(grant.claims).toEqual([
      { kind: 'canvas', id: 'new' },
      { kind: 'session', id: 's1' },
    ]);
    expect(await find('canvas', 'new')).toMatchObject({ owner: 'test|alice', state: 'pending', origin: 'request' });
    expect(await find('session', 's1')).toMatchObject({ parent: { kind: 'canvas', id: 'new' } });
  });

  test.each([
    ['her own', 'hers', 's1', 'resource-taken 409'],
    ['another’s', 'his', 's1', 'resource-taken 409'],
    ['her deleted one', 'gone', 's1', 'resource-deleted 409'],
    ['one that is nobody’s upstream', 'old', 's1', 'resource-quarantined 409'],
    ['a new one with a session that is nobody’s upstream', 'new', 'old', 'resource-quarantined 409'],
    ['a new one with the session of a deleted canvas', 'new', 'gone-talk', 'resource-deleted 409'],
  ])('of %s is refused and claims nothing', async (_name, canvas, session, expected) => {
    const { outcome, find } = await world();
    expect(await outcome('alice', create(canvas, session))).toBe(expected);
    expect(await find('session', 's1')).toBeUndefined();
    expect(await find('canvas', 'new')).toBeUndefined();
  });

  test.each(['his', 'gone', 'old', 'hers'])('tells nobody which of its refusals it was: %s', async (canvas) => {
    const { as } = await world();
    const refused = await Promise.resolve(as('carol', create(canvas))).catch((error: unknown) => error);
    expect(refused).toMatchObject({ status: 409 });
  });

  test('with a session of another user is refused', async () => {
    const { outcome, find } = await world();
    expect(await outcome('bob', create('new', 'talk'))).toBe('resource-taken 409');
    expect(await find('canvas', 'new')).toBeUndefined();
  });

  test('may be repeated by its owner while its outcome is unknown, by nobody else', async () => {
    const { as, outcome } = await world();
    await as('alice', create('new'));
    expect(await outcome('alice', create('new'))).toBe('accepted');
    expect(await outcome('bob', create('new'))).toBe('resource-taken 409');
  });
});

describe('tombstones', () => {
  test.each(['alice', 'bob'])('of a canvas, its session and its file are never given to %s', async (user) => {
    const { outcome } = await world();
    expect(await outcome(user, create('gone'))).toBe('resource-deleted 409');
    expect(await outcome(user, create(`new-${user}`, 'gone-talk'))).toBe('resource-deleted 409');
    expect(await outcome(user, get('/api/chat_session/gone-talk'))).toBe('resource-hidden 404');
    expect(await outcome(user, create(`new-${user}`, 's', { system_prompt: 'im_dddddddd.png' }))).toBe(
      'reference-foreign 403',
    );
  });
});

describe('chat', () => {
  test.each([
    ['her canvas and session', 'hers', 'talk', 'accepted'],
    ['her canvas and a new session', 'hers', 'fresh', 'accepted'],
    ['another’s canvas', 'his', 'fresh', 'resource-hidden 404'],
    ['a canvas that is not there', 'nothing', 'fresh', 'resource-hidden 404'],
    ['a deleted canvas', 'gone', 'fresh', 'resource-hidden 404'],
    ['a deleted session', 'hers', 'gone-talk', 'resource-deleted 409'],
    ['an unowned session', 'hers', 'old', 'resource-quarantined 409'],
  ])('in %s', async (_name, canvas, session, expected) => {
    expect(await (await world()).outcome('alice', chat(canvas, session))).toBe(expected);
  });

  test('cannot take another’s session into one’s own canvas', async () => {
    expect(await (await world()).outcome('bob', chat('his', 'talk'))).toBe('resource-taken 409');
  });

  test.each([
    ['her own file', { messages: [{ content: `<image file_id="${FILE}"/>` }] }, 'accepted'],
    ['another’s file', { messages: [{ content: '<image file_id="im_bbbbbbbb.png"/>' }] }, 'reference-foreign 403'],
    ['another’s file by its bare name', { messages: [{ content: 'im_bbbbbbbb.png' }] }, 'reference-foreign 403'],
    ['another’s file as a key', { a: { 'im_bbbbbbbb.png': 1 } }, 'reference-foreign 403'],
    ['another’s file in an URL', { a: 'http://localhost:1/api/file/im_bbbbbbbb.png' }, 'reference-foreign 403'],
    ['a tombstone', { a: 'im_dddddddd.png' }, 'reference-foreign 403'],
    ['an unknown name', { a: 'somethings.png' }, 'accepted'],
    ['an unknown name that is cited', { a: 'file_id="somethings.png"' }, 'reference-foreign 403'],
    ['an unknown name in an URL', { a: '/api/file/somethings.png' }, 'reference-foreign 403'],
    ['a path', { a: 'file_id="/etc/passwd"' }, 'reference-foreign 403'],
  ])('may cite: %s', async (_name, more, expected) => {
    const { outcome, find } = await world();
    expect(await outcome('alice', chat('hers', 'fresh', more))).toBe(expected);
    if (expected !== 'accepted') expect(await find('session', 'fresh')).toBeUndefined();
  });
});

describe('a grant', () => {
  test('says what a success releases', async () => {
    const grant = await (await world()).as('alice', remove('hers'));
    expect(grant).toMatchObject({
      owner: 'test|alice',
      resources: [{ kind: 'canvas', id: 'hers' }],
      claims: [],
      releases: [{ kind: 'canvas', id: 'hers' }],
    });
  });

  test('of a route that names nothing carries the owner', async () => {
    expect(await (await world()).as('alice', get('/api/canvas/list'))).toMatchObject({
      owner: 'test|alice',
      resources: [],
    });
  });

  test('is never made for nobody where something is named', async () => {
    const ledger = memoryLedger();
    const lookup = ownershipLookup({
      ledger,
      near: nearOwnershipCache({ maxEntries: 1, maxAgeMillis: 1 }),
      common: undefined,
    });
    const judge = authorize({ lookup, claims: claims({ ledger, lookup, presence: async () => false }) });
    const { request, match } = await arrive(policy, get('/api/canvas/hers'));
    expect(await refusalOf(() => judge(request, match, undefined))).toBe('token-missing 401');
  });

  test('of one own id that is near needs no promise', async () => {
    const ledger = memoryLedger();
    const near = nearOwnershipCache({ maxEntries: 10, maxAgeMillis: 60_000 });
    near.set({ kind: 'canvas', id: 'hers' }, 'test|alice', near.mark());
    const lookup = ownershipLookup({ ledger, near, common: undefined });
    const judge = authorize({ lookup, claims: claims({ ledger, lookup, presence: async () => false }) });
    const { request, match } = await arrive(policy, get('/api/canvas/hers'));
    expect(judge(request, match, principalOf('alice'))).not.toBeInstanceOf(Promise);
    expect(await refusalOf(() => judge(request, match, principalOf('bob')))).toBe('resource-hidden 404');
  });
});
