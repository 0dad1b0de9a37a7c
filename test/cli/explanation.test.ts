import { describe, expect, test } from 'vitest';
import { explanation, JUDGING_STAGES } from '../../src/cli/explanation.ts';
import { type Belonging, callsOf, ledgerOf } from '../../src/cli/rehearsal/belongings.ts';
import { rehearsal } from '../../src/cli/rehearsal/rehearsal.ts';
import { readSources } from '../../src/policy/load.ts';
import { routePlaces } from '../../src/policy/places.ts';
import { jaazPolicy } from '../support/policies.ts';

const read = readSources(['policies/jaaz.yaml']);
const places = routePlaces('sources' in read ? read.sources : []);
const file = (id: string, owner: string, deleted = false): Belonging => ({ ref: { kind: 'file', id }, owner, deleted });

const told = async (words: string, body?: object, policy = jaazPolicy()) => {
  const [method = '', target = ''] = words.split(' ');
  const ledger = await ledgerOf([
    { ref: { kind: 'canvas', id: 'mine' }, owner: 'main|alice' },
    { ref: { kind: 'session', id: 'talk' }, owner: 'main|alice' },
    file('im_mine0001.png', 'main|alice'),
    file('im_bobs0001.png', 'main|bob'),
    file('im_gone0001.png', 'main|alice', true),
  ]);
  const calls = callsOf([{ place: { kind: 'session', id: 'talk' }, owner: 'main|alice', call: 'call_1' }]);
  const stage = rehearsal({ policy, issuers: ['main'], ledger, calls, has: new Map() });
  const rehearsed = await stage.request({
    method,
    target,
    headers: ['content-type', 'application/json'],
    body: body && Buffer.from(JSON.stringify(body)),
    caller: { issuer: 'main', user: 'alice', roles: [] },
    answer: () => undefined,
  });
  return explanation({ method, target, as: 'main|alice', policy, places, ledger, rehearsed });
};

const verdicts = async (words: string, body?: object): Promise<string[]> =>
  (await told(words, body)).stages.map(({ verdict }) => verdict);

describe('the stages of an explanation', () => {
  test('are those of the life of a request', async () => {
    expect((await told('GET /')).stages.map(({ stage }) => stage)).toEqual(JUDGING_STAGES);
  });

  test.each([
    ['GET /%2e', 0],
    ['GET /nowhere', 1],
    ['GET /docs', 1],
    ['GET /api/config', 2],
    ['POST /api/canvas/mine/save', 4],
    ['GET /api/canvas/other', 5],
  ])('of %s are passed up to the one that refuses, and not reached after it', async (words, refusing) => {
    const expected = JUDGING_STAGES.map((_, index) =>
      index < refusing ? 'passed' : index === refusing ? 'refused' : 'not-reached',
    );
    expect(await verdicts(words)).toEqual(expected);
  });

  test('end before anything is sent', async () => {
    const expected = JUDGING_STAGES.map((stage) =>
      stage === 'forward' || stage === 'filter' ? 'not-reached' : 'passed',
    );
    expect(await verdicts('GET /api/canvas/mine')).toEqual(expected);
  });
});

describe('the resources of an explanation', () => {
  test('are those that the text cites for certain, and those that it may name and that are somebody’s', async () => {
    const content = 'a im_bobs0001.png b <image file_id="im_mine0001.png"> /api/file/im_new00001.png im_gone0001.png';
    const { resources, reason } = await told('POST /api/chat', {
      canvas_id: 'mine',
      session_id: 's',
      messages: [{ content }],
    });
    expect(reason).toBe('reference-foreign');
    const found = resources.filter(({ verb }) => verb === 'cite').map(({ id, whose }) => [id, whose]);
    expect(found.sort()).toEqual([
      ['im_bobs0001.png', 'another’s'],
      ['im_gone0001.png', 'deleted'],
      ['im_mine0001.png', 'yours'],
      ['im_new00001.png', 'nobody’s'],
    ]);
  });

  test('are none where an id cannot be one', async () => {
    const { resources } = await told('POST /api/chat', { canvas_id: 7, session_id: 's' });
    expect(resources[0]).toMatchObject({ kind: 'canvas', id: null, at: 'the body’s canvas_id', whose: 'no id' });
  });

  test('are as the client named them, whatever the rewriting did', async () => {
    const { resources, forwarded } = await told('POST /api/chat', { canvas_id: 'mine', session_id: 's', user_id: 'x' });
    expect(resources.map(({ verb, kind, id }) => `${verb} ${kind} ${id}`)).toEqual([
      'own canvas mine',
      'claim session s',
    ]);
    expect(forwarded?.body).toContain('"user_id":"main|alice"');
  });
});

describe('the call of an explanation', () => {
  test('is none where the route answers none', async () => {
    expect((await told('GET /api/canvas/mine')).confirms).toBeNull();
  });

  test.each([
    ['call_1', 'call_1', true, null],
    ['call_2', 'call_2', false, 'call-not-pending'],
    [7, null, false, 'body-unfit'],
  ])('is the one that the body names: %j', async (call, named, waits, reason) => {
    const found = await told('POST /api/tool_confirmation', {
      session_id: 'talk',
      tool_call_id: call,
      confirmed: true,
    });
    expect(found).toMatchObject({ reason, confirms: { call: reason === 'body-unfit' ? null : named, waits } });
    expect(found.confirms?.at).toBe('the body’s tool_call_id');
  });
});

test('what is refused is shown as the client sees it', async () => {
  expect((await told('GET /api/canvas/other')).shown).toMatchObject({ status: 200, body: 'null' });
});

test('what the gateway answers itself is shown, too', async () => {
  const { verdict, shown, forwarded } = await told('GET /jaaz.png');
  expect({ verdict, forwarded, status: shown?.status }).toEqual({ verdict: 'allowed', forwarded: null, status: 200 });
});

test.each([
  ['GET /api/canvas/other', 'allowed', 'shadow'],
  ['GET /nowhere', 'allowed', 'shadow'],
  ['GET /%2e', 'refused', 'enforce'],
])('where the policy looks on, %s is %s, as recorded in mode %s', async (words, verdict, mode) => {
  const shadowing = jaazPolicy(['mode: enforce\n\n', 'mode: shadow\n\n']);
  expect(await told(words, undefined, shadowing)).toMatchObject({ verdict, mode });
});
