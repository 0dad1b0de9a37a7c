import { afterEach, describe, expect, test } from 'vitest';
import type { Rejection } from '../../src/model/rejection.ts';
import type { RequestStages } from '../../src/pipeline/request.ts';
import { answer, type BareUpstream, bareUpstream, type Exchange, nowhere } from '../support/bare-upstream.ts';
import { eventually } from '../support/eventually.ts';
import { type PipelineOptions, pipeline } from '../support/pipeline.ts';
import { jaazPolicy } from '../support/policies.ts';

const closing: Array<() => Promise<unknown>> = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const open = async (script: (exchange: Exchange) => void, options: Partial<PipelineOptions> = {}) => {
  const upstream: BareUpstream = await bareUpstream((exchange) =>
    exchange.target.startsWith('/api/list_') ? exchange.socket.write(answer(200, '[]')) : script(exchange),
  );
  const gateway = pipeline({ url: upstream.url, ...options });
  closing.push(async () => {
    await gateway.close();
    await upstream[Symbol.asyncDispose]();
  });
  return { upstream, ...gateway };
};
const ok = ({ socket }: Exchange): void => void socket.write(answer(200, '{"id":"c"}'));
const create = {
  method: 'POST',
  target: '/api/canvas/create',
  user: 'alice',
  body: { canvas_id: 'c', session_id: 's' },
};
const canvas = { kind: 'canvas', id: 'c' };
const stateOf = async ({ ledger }: Awaited<ReturnType<typeof open>>) => (await ledger.find([canvas]))[0]?.state;

describe('what becomes of claims and runs', () => {
  test.each([
    ['2xx', ok, 'owned', 1],
    ['4xx', ({ socket }: Exchange) => void socket.write(answer(422, '{}')), undefined, 0],
    ['5xx', ({ socket }: Exchange) => void socket.end(answer(500, 'Internal Server Error')), 'pending', 1],
    ['3xx', ({ socket }: Exchange) => void socket.write(answer(307, '', { location: '/x' })), 'pending', 1],
    ['a cut connection', ({ socket }: Exchange) => void socket.resetAndDestroy(), 'pending', 1],
    ['half a head', ({ socket }: Exchange) => void socket.end('HTTP/1.1 2'), 'pending', 1],
    [
      'half a body',
      ({ socket }: Exchange) => void socket.end('HTTP/1.1 200 X\r\ncontent-length: 9\r\n\r\nx'),
      'owned',
      1,
    ],
  ])('after %s', async (_name, script, state, left) => {
    const world = await open(script);
    await world.ask(create);
    expect(await stateOf(world)).toBe(state);
    expect(world.runs.open()).toBe(left);
    expect(world.shares.held()).toEqual({ open: 0, bytes: 0, keys: 0 });
  });

  test('after a timeout: it may be running', async () => {
    const policy = jaazPolicy(['ends: event }', 'ends: event }\n    timeout: 300ms']);
    const world = await open(() => undefined, { policy });
    expect(await world.ask(create)).toMatchObject({ reason: 'upstream-timeout', status: 504 });
    expect(await stateOf(world)).toBe('pending');
    expect(world.runs.open()).toBe(1);
  });

  test('after the client went away: it may be running', async () => {
    const world = await open(() => undefined);
    const life = world.begin(create);
    const asked = world.ask(create, life);
    await eventually(() => world.upstream.seen.includes('POST /api/canvas/create'));
    life.cancellation.cancelled = true;
    life.cancellation.onCancel?.();
    expect((await asked).record).toMatchObject({ outcome: 'aborted', reason: 'client-gone' });
    expect(await stateOf(world)).toBe('pending');
    expect(world.runs.open()).toBe(1);
  });

  test('after an upstream that is not there: nothing was sent', async () => {
    const gateway = pipeline({ url: await nowhere() });
    expect(await gateway.ask(create)).toMatchObject({ reason: 'upstream-unreachable', status: 502 });
    expect(await gateway.ledger.find([canvas])).toEqual([undefined]);
    expect(gateway.runs.open()).toBe(0);
    await gateway.close();
  });

  test('after a rewrite that refuses: nothing was sent', async () => {
    const world = await open(ok);
    const body = { ...create.body, text_model: { provider: 'p', model: 'none' } };
    expect(await world.ask({ ...create, body })).toMatchObject({ reason: 'catalogue-unknown', status: 400 });
    expect(await stateOf(world)).toBeUndefined();
    expect(world.runs.open()).toBe(0);
    expect(world.upstream.seen).toEqual(['GET /api/list_models']);
  });

  test('after a refused claim the run’s slot is free', async () => {
    const world = await open(ok);
    await world.ledger.learn({ ref: canvas, parent: undefined, origin: 'request' }, 'test|bob');
    expect(await world.ask(create)).toMatchObject({ reason: 'resource-taken', status: 409 });
    expect(world.runs.open()).toBe(0);
    expect(world.upstream.seen).toEqual([]);
  });

  test('a claim is recorded before the upstream sees the request', async () => {
    let seen: string | undefined = 'nothing';
    const world = await open((exchange) => {
      void stateOf(world).then((state) => {
        seen = state;
        ok(exchange);
      });
    });
    await world.ask(create);
    expect(seen).toBe('pending');
  });

  test('a run that ends with its answer ends there', async () => {
    const world = await open(ok);
    await world.ledger.learn({ ref: canvas, parent: undefined, origin: 'request' }, 'test|alice');
    await world.ask({ ...create, target: '/api/chat' });
    expect(world.runs.open()).toBe(0);
  });

  test('a ledger that cannot settle leaves the claim its owner’s, and the answer is shown', async () => {
    const world = await open(ok, { ledger: { settle: () => Promise.reject(new Error('disk on fire')) } });
    expect(await world.ask(create)).toMatchObject({ status: 200, text: '{"id":"c"}' });
    expect(await stateOf(world)).toBe('pending');
    expect(world.reports).toHaveLength(1);
  });
});

describe('a release', () => {
  const remove = { method: 'DELETE', target: '/api/canvas/c/delete', user: 'alice' };
  test.each([
    [200, 'deleted'],
    [404, 'owned'],
    [500, 'owned'],
  ])('after %i the canvas is %s', async (status, state) => {
    const world = await open(({ socket }) => void socket.write(answer(status, '{}')));
    await world.ledger.learn({ ref: canvas, parent: undefined, origin: 'request' }, 'test|alice');
    await world.ask(remove);
    expect(await stateOf(world)).toBe(state);
  });

  test('that cannot be recorded is a refusal, and the answer’s connection is given up', async () => {
    const world = await open(
      ({ socket }) => void socket.write(`HTTP/1.1 200 X\r\ncontent-length: 10000000\r\n\r\n${'x'.repeat(500_000)}`),
      { ledger: { release: () => Promise.reject(new Error('disk on fire')) } },
    );
    await world.ledger.learn({ ref: canvas, parent: undefined, origin: 'request' }, 'test|alice');
    expect(await world.ask(remove)).toMatchObject({ reason: 'ledger-unavailable', status: 503 });
    await eventually(() => world.upstream.open() === 0);
  });
});

describe('a bug in a stage', () => {
  const bug = (): never => {
    throw new TypeError('secret of /etc/passwd');
  };
  const late = async (): Promise<never> => bug();
  const broken: ReadonlyArray<readonly [string, Partial<RequestStages>]> = [
    ['canonical', { canonical: bug }],
    ['match', { match: bug }],
    ['authenticate', { authenticate: bug }],
    ['authenticate, later', { authenticate: late }],
    ['limit', { limit: { admit: bug, visitor: late, failed: late } }],
    ['shares', { shares: { take: bug, giveBack: bug, held: () => ({ open: 0, bytes: 0, keys: 0 }) } }],
    ['read', { read: bug }],
    ['read, later', { read: late }],
    ['runs', { runs: { start: late, finish: late, ended: late, open: () => 0 } }],
    ['authorize', { authorize: bug }],
    ['rewrite', { rewrite: bug }],
    ['forward', { origin: { send: late, read: late, healthy: () => true, close: async () => undefined } }],
    ['answered', { answered: late }],
    ['filter', { filter: bug }],
    ['filter, later', { filter: late }],
  ];

  test.each(broken)('%s is a 500 with an id, one record, and no word of it', async (_name, stages) => {
    const world = await open(ok, { stages });
    const told = await world.ask(create);
    expect(told).toMatchObject({ status: 500, reason: 'internal-error', text: '' });
    expect(told.record).toMatchObject({ outcome: 'failed', reason: 'internal-error', status: 500 });
    expect(told.headers.join()).not.toContain('secret');
    expect(world.reports).toHaveLength(1);
    expect(world.shares.held()).toEqual({ open: 0, bytes: 0, keys: 0 });
  });

  test('before anything was sent gives claims and slots back', async () => {
    const world = await open(ok, { stages: { rewrite: bug } });
    await world.ask(create);
    expect(await stateOf(world)).toBeUndefined();
    expect(world.runs.open()).toBe(0);
  });

  test('while it was sent keeps them', async () => {
    const origin = { send: late, read: late, healthy: () => true, close: async () => undefined };
    const world = await open(ok, { stages: { origin } });
    await world.ask(create);
    expect(await stateOf(world)).toBe('pending');
    expect(world.runs.open()).toBe(1);
  });

  test('after the answer keeps what the answer meant', async () => {
    const world = await open(ok, { stages: { filter: bug } });
    await world.ask(create);
    expect(await stateOf(world)).toBe('owned');
  });

  test('of the transport is reported, and recorded once', async () => {
    const world = await open(ok, { reply: { send: late, refuse: late } });
    const { record } = await world.ask({ method: 'GET', target: '/' });
    expect(record).toMatchObject({ outcome: 'failed', reason: 'internal-error', status: undefined });
    expect(world.reports).toHaveLength(2);
  });
});

describe('refusals cost points', () => {
  const policy = jaazPolicy(
    ['visitors: { points: 600', 'visitors: { points: 2'],
    ['failures: { points: 30', 'failures: { points: 2'],
  );
  test.each([
    ['an unknown route', { method: 'GET', target: '/nothing' }, 404, 'rate-limited'],
    ['a denied one', { method: 'GET', target: '/openapi.json' }, 403, 'rate-limited'],
    ['an unacceptable target', { method: 'GET', target: '/%2e' }, 400, 'rate-limited'],
    ['no token', { method: 'GET', target: '/api/canvas/list' }, 401, 'rate-limited'],
    ['a forged token', { method: 'GET', target: '/api/canvas/list', user: 'forged' }, 401, 'failures-limited'],
  ])('%s', async (_name, asked, status, limited) => {
    const world = await open(ok, { policy });
    expect((await world.ask(asked)).status).toBe(status);
    expect((await world.ask(asked)).status).toBe(status);
    expect(await world.ask(asked)).toMatchObject({ status: 429, reason: limited });
    expect(world.upstream.seen).toEqual([]);
  });

  test('but those of a known user are not the address’s', async () => {
    const world = await open(ok, { policy });
    for (let i = 0; i < 5; i += 1) {
      expect((await world.ask({ method: 'GET', target: '/api/canvas/x', user: 'alice' })).status).toBe(200);
    }
    expect((await world.ask({ method: 'GET', target: '/nothing' })).status).toBe(404);
  });
});

describe('a hidden resource', () => {
  test('looks as on its route, and the record tells', async () => {
    const world = await open(ok);
    const told = await world.ask({ method: 'GET', target: '/api/canvas/x', user: 'alice' });
    expect(told).toMatchObject({ status: 200, text: 'null' });
    expect(told.record).toMatchObject({ outcome: 'refused', reason: 'resource-hidden', status: 200 });
    expect(told.headers).toContain('x-request-id');
  });
});

test('a record holds no token, no header and no body', async () => {
  const world = await open(ok);
  const body = { ...create.body, name: 'very-secret-name', messages: [{ content: 'very-secret-text' }] };
  await world.ask({ ...create, body });
  await world.ask({ ...create, user: 'forged', body });
  await world.ask({ ...create, body: { canvas_id: 'very-secret!', session_id: 's' } });
  await world.ask({ ...create, body: { ...body, tool_list: 'very-secret' } });
  await world.ask({ ...create, body: { ...body, text_model: { provider: 'very-secret', model: 'x' } } });
  expect(world.records).toHaveLength(5);
  expect(JSON.stringify(world.records)).not.toContain('very-secret');
});

test('every stage that ran is timed, in order', async () => {
  const world = await open(ok);
  const { record } = await world.ask(create);
  expect(Object.keys(record.stages)).toEqual(
    'canonical match authenticate limit read authorize rewrite forward filter respond'.split(' '),
  );
  expect(record).toMatchObject({
    owner: 'test|alice',
    route: 'canvas.create',
    claims: [canvas, { kind: 'session', id: 's' }],
    upstreamStatus: 200,
    status: 200,
    outcome: 'allowed',
    reason: undefined,
  });
});

test('limit headers go with answers and refusals alike', async () => {
  const world = await open(ok);
  expect((await world.ask(create)).headers).toContain('ratelimit');
  const refused = await world.ask({ ...create, body: {} });
  expect(refused).toMatchObject({ reason: 'id-invalid' } satisfies { reason: Rejection['reason'] });
  expect(refused.headers).toContain('ratelimit');
});
