import { afterEach, describe, expect, test } from 'vitest';
import { type PendingCalls, pendingCalls } from '../../src/authz/pending.ts';
import { answer, type BareUpstream, bareUpstream, type Exchange, nowhere } from '../support/bare-upstream.ts';
import { eventually } from '../support/eventually.ts';
import { type PipelineOptions, pipeline } from '../support/pipeline.ts';
import { jaazPolicy } from '../support/policies.ts';

const closing: Array<() => Promise<unknown>> = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const place = { kind: 'session', id: 's' };
const OWNER = 'test|alice';
const confirmation = {
  method: 'POST',
  target: '/api/tool_confirmation',
  user: 'alice',
  body: { session_id: 's', tool_call_id: 'c', confirmed: true },
};

/** Alice owns the session, in which a call waits. */
const open = async (script: (exchange: Exchange) => void, options: Partial<PipelineOptions> = {}) => {
  const upstream: BareUpstream = await bareUpstream(script);
  const calls = pendingCalls();
  const gateway = pipeline({ url: upstream.url, calls, ...options });
  await gateway.ledger.learn({ ref: place, parent: undefined, origin: 'request' }, OWNER);
  calls.seen(place, OWNER, 'c');
  closing.push(async () => {
    await gateway.close();
    await upstream[Symbol.asyncDispose]();
  });
  return { upstream, calls, ...gateway };
};
const waits = (calls: PendingCalls): boolean => calls.take({ place, owner: OWNER, call: 'c' }, 'asked') === 'taken';
const ok = ({ socket }: Exchange): void => void socket.write(answer(200, '{"status":"success"}'));
const shadow = () => jaazPolicy(['mode: enforce', 'mode: shadow']);

describe.each([
  ['in effect', jaazPolicy],
  ['looking on', shadow],
])('what becomes of a call, the policy %s,', (_mode, policy) => {
  test.each([
    ['2xx', ok, false],
    ['4xx', ({ socket }: Exchange) => void socket.write(answer(422, '{}')), true],
    ['5xx', ({ socket }: Exchange) => void socket.end(answer(500, 'Internal Server Error')), false],
    ['3xx', ({ socket }: Exchange) => void socket.write(answer(307, '', { location: '/x' })), false],
    ['a cut connection', ({ socket }: Exchange) => void socket.resetAndDestroy(), false],
    ['half a head', ({ socket }: Exchange) => void socket.end('HTTP/1.1 2'), false],
  ])('after %s', async (_name, script, waiting) => {
    const { ask, calls } = await open(script, { policy: policy() });
    await ask(confirmation);
    expect(waits(calls)).toBe(waiting);
  });

  test('after an upstream that is not there', async () => {
    const calls = pendingCalls();
    const gateway = pipeline({ url: await nowhere(), calls, policy: policy() });
    await gateway.ledger.learn({ ref: place, parent: undefined, origin: 'request' }, OWNER);
    calls.seen(place, OWNER, 'c');
    expect(await gateway.ask(confirmation)).toMatchObject({ reason: 'upstream-unreachable', status: 502 });
    expect(waits(calls)).toBe(true);
    await gateway.close();
  });

  test('after the client went away: it may have been answered', async () => {
    const { ask, begin, calls, upstream } = await open(() => undefined, { policy: policy() });
    const life = begin(confirmation);
    const asked = ask(confirmation, life);
    await eventually(() => upstream.seen.includes('POST /api/tool_confirmation'));
    life.cancellation.cancelled = true;
    life.cancellation.onCancel?.();
    expect((await asked).record).toMatchObject({ outcome: 'aborted', reason: 'client-gone' });
    expect(waits(calls)).toBe(false);
  });

  test('after 4xx, when it was settled meanwhile: it waits no longer', async () => {
    const known: { calls?: PendingCalls } = {};
    const { ask, calls } = await open(
      ({ socket }) => {
        known.calls?.settled(place, 'c');
        socket.write(answer(422, '{}'));
      },
      { policy: policy() },
    );
    known.calls = calls;
    await ask(confirmation);
    expect(waits(calls)).toBe(false);
  });
});

test('after a stage that refuses before anything was sent, it waits again before the client hears of it', async () => {
  let waiting: boolean | undefined;
  const rewrite = (): never => {
    throw new TypeError('a bug');
  };
  const calls = pendingCalls();
  const reply = {
    async refuse() {
      waiting = waits(calls);
      return { status: 500, outcome: 'complete' as const };
    },
  };
  const world = await open(ok, { calls, reply, stages: { rewrite } });
  calls.seen(place, OWNER, 'c');
  await world.ask(confirmation);
  expect(waiting).toBe(true);
  expect(world.upstream.seen).toEqual([]);
});

describe('an answer', () => {
  test('goes out once, however many come at once', async () => {
    const { ask, upstream } = await open(ok);
    await Promise.allSettled(Array.from({ length: 10 }, () => ask(confirmation)));
    expect(upstream.seen).toEqual(['POST /api/tool_confirmation']);
  });

  test('to a call that does not wait is refused as one sentence, whatever the reason', async () => {
    const { ask, calls, upstream } = await open(ok);
    calls.seen({ kind: 'session', id: 'other' }, 'test|bob', 'bobs');
    calls.seen(place, OWNER, 'twin');
    calls.seen({ kind: 'session', id: 'other' }, 'test|bob', 'twin');
    await ask(confirmation);
    const told = [];
    for (const call of ['c', 'none', 'bobs', 'twin']) {
      told.push(await ask({ ...confirmation, body: { ...confirmation.body, tool_call_id: call } }));
    }
    expect(told.map(({ status, reason, text }) => [status, reason, text])).toEqual(
      Array(4).fill([409, 'call-not-pending', '']),
    );
    expect(new Set(told.map(({ record }) => record.detail)).size).toBe(3);
    expect(upstream.seen).toEqual(['POST /api/tool_confirmation']);
  });

  test('that would be refused passes where the policy looks on, and is found', async () => {
    const { ask, upstream } = await open(ok, { policy: shadow() });
    const first = await ask(confirmation);
    const second = await ask(confirmation);
    expect([first.status, second.status]).toEqual([200, 200]);
    expect(first.record.findings).toEqual([]);
    expect(second.record.findings).toEqual([
      { would: 'deny', reason: 'call-not-pending', detail: 'session:s: the call "c" was answered already' },
    ]);
    expect(upstream.seen).toHaveLength(2);
  });
});
