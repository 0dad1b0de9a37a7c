import { describe, expect, test } from 'vitest';
import { filterInShadow } from '../../src/filter/filter.ts';
import type { Evidence } from '../../src/model/evidence.ts';
import type { GrantInShadow } from '../../src/model/grant.ts';
import type { BodySink, BodySource, UpstreamAnswer } from '../../src/model/response.ts';
import type { RouteMatch } from '../../src/model/route.ts';
import { jaazPolicy } from '../support/policies.ts';
import { policyFrom } from '../support/stages.ts';

const policy = jaazPolicy();
const list = policy.match('GET', '/api/canvas/list') as RouteMatch;
const file = policy.match('GET', '/api/file/im_aaaaaaaa.png') as RouteMatch;

interface Options {
  readonly ownersOf?: () => Promise<readonly undefined[]>;
}

const pass = (match: RouteMatch | undefined, { ownersOf = async () => [undefined] }: Options = {}) => {
  const state = { sink: undefined as BodySink | undefined, aborted: false };
  const body: BodySource = {
    whole: () => undefined,
    pipe(sink) {
      state.sink = sink;
    },
    resume: () => undefined,
    abort() {
      state.aborted = true;
    },
  };
  const headers = {
    'content-type': 'application/json',
    'content-length': '5',
    etag: '"e"',
    'set-cookie': 'x=y',
    'cache-control': 'public',
  };
  const answer: UpstreamAnswer = { status: 200, headers, body };
  const evidence: Evidence = { findings: [], faults: [] };
  const grant = { owner: 'alice', principal: undefined, shadow: { evidence } } as unknown as GrantInShadow;
  const learn = async () => 'learned' as const;
  const { response, judged, giveUp } = filterInShadow({ ownersOf, learn })(answer, grant, match);
  const shown: string[] = [];
  const read = (): void => {
    if (response.body === undefined || Buffer.isBuffer(response.body)) throw new TypeError('a body was expected');
    response.body.pipe({
      write: (chunk) => shown.push(chunk.toString()) > 0,
      end: () => void shown.push('end'),
      fail: () => void shown.push('fail'),
    });
  };
  const settled = async (): Promise<boolean> => {
    const pending = Symbol('pending');
    await new Promise(setImmediate);
    return (await Promise.race([judged, Promise.resolve(pending)])) !== pending;
  };
  return { response, judged, giveUp, evidence, state, shown, read, settled };
};

describe('an answer that passes', () => {
  test.each([
    ['judged', list],
    ['not judged', undefined],
    ['on a route with headers of its own', file],
  ])('has the headers that it came with: %s', (_how, match) => {
    expect(pass(match).response).toMatchObject({
      status: 200,
      headers: ['content-type', 'application/json', 'content-length', '5', 'etag', '"e"', 'cache-control', 'public'],
    });
  });

  test('streams before it is judged, and is judged to its end', async () => {
    const { state, shown, read, judged, settled, evidence } = pass(list);
    read();
    state.sink?.write(Buffer.from('[{"id":"a"}'));
    expect(shown).toEqual(['[{"id":"a"}']);
    expect([await settled(), evidence.findings]).toEqual([false, []]);
    state.sink?.write(Buffer.from(']'));
    state.sink?.end();
    await judged;
    expect(shown).toEqual(['[{"id":"a"}', ']', 'end']);
    expect(evidence.findings).toEqual([{ would: 'remove', kind: 'canvas', removed: 1, of: 1 }]);
  });

  test('what it would have been refused for is a finding', async () => {
    const { state, read, judged, evidence, shown } = pass(list);
    read();
    state.sink?.write(Buffer.from('no list'));
    state.sink?.end();
    await judged;
    expect(evidence).toMatchObject({ findings: [{ would: 'deny', reason: 'answer-unreadable' }], faults: [] });
    expect(shown).toEqual(['no list', 'end']);
    expect(state.aborted).toBe(false);
  });

  test('a bug of the judge is a finding and a fault, and no more', async () => {
    const { state, read, judged, evidence, shown } = pass(list, { ownersOf: () => Promise.reject(new Error('bug')) });
    read();
    state.sink?.write(Buffer.from('[{"id":"a"}]'));
    state.sink?.end();
    await judged;
    expect(evidence).toMatchObject({ findings: [{ would: 'deny', reason: 'internal-error' }], faults: [{}] });
    expect(shown).toEqual(['[{"id":"a"}]', 'end']);
  });
});

describe('of half an answer nothing is said', () => {
  test('when it breaks off', async () => {
    const { state, read, judged, evidence, shown } = pass(list);
    read();
    state.sink?.write(Buffer.from('[{"id":"a"}'));
    state.sink?.fail(new Error('gone'));
    await judged;
    expect([evidence.findings, shown.at(-1)]).toEqual([[], 'fail']);
  });

  test('when it is given up before it was read', async () => {
    const { judged, giveUp, evidence, state } = pass(list);
    giveUp();
    await judged;
    expect([evidence.findings, state.aborted]).toEqual([[], true]);
  });
});

test('an answer of the gateway’s own would be another', async () => {
  const own = policyFrom(`version: 1
name: p
routes: [{ id: a, match: GET /a, access: public, answer: { status: 200, text: hello } }]`);
  const { judged, evidence } = pass(own.match('GET', '/a'));
  await judged;
  expect(evidence.findings).toEqual([{ would: 'change', what: 'answer' }]);
});
