/** What happens while a request, or the answer to it, waits for its turn. */
import type { Dispatcher } from 'undici';
import { afterEach, describe, expect, test } from 'vitest';
import { Rejection } from '../../src/model/rejection.ts';
import type { OutboundRequest } from '../../src/model/request.ts';
import type { UpstreamAnswer } from '../../src/model/response.ts';
import type { RequestStages } from '../../src/pipeline/request.ts';
import { Exchange } from '../../src/upstream/exchange.ts';
import { origin as openOrigin } from '../../src/upstream/forward.ts';
import type { Cancellation } from '../../src/upstream/origin.ts';
import { answer, bareUpstream } from '../support/bare-upstream.ts';
import { type PipelineOptions, pipeline } from '../support/pipeline.ts';
import { jaazPolicy } from '../support/policies.ts';

const closing: Array<() => Promise<unknown>> = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const open = async (options: Partial<PipelineOptions> = {}) => {
  const upstream = await bareUpstream(({ socket }) => void socket.write(answer(200, '[]')));
  const gateway = pipeline({ url: upstream.url, ...options });
  closing.push(async () => {
    await gateway.close();
    await upstream[Symbol.asyncDispose]();
  });
  return { upstream, ...gateway };
};
const create = {
  method: 'POST',
  target: '/api/canvas/create',
  user: 'alice',
  body: { canvas_id: 'c', session_id: 's' },
};
const NOTHING_HELD = { open: 0, bytes: 0, keys: 0 };

test('a client that leaves while the connection is made leaves nothing behind either', async () => {
  const upstream = await bareUpstream(({ socket }) => void socket.write(answer(200, '[]')));
  const origin = openOrigin({ url: upstream.url });
  const send: RequestStages['origin']['send'] = (request, cancellation) => {
    const sending = origin.send(request, cancellation);
    cancellation.cancelled = true;
    return sending;
  };
  const world = await open({ stages: { origin: { ...origin, send } } });
  expect((await world.ask(create)).record).toMatchObject({ outcome: 'aborted', reason: 'client-gone' });
  expect(upstream.seen).toEqual([]);
  expect(await world.ledger.find([{ kind: 'canvas', id: 'c' }])).toEqual([undefined]);
  expect(world.runs.open()).toBe(0);
  await origin.close();
  await upstream[Symbol.asyncDispose]();
});

describe('a client that leaves before its turn', () => {
  test.each([
    ['where the policy is in effect', jaazPolicy()],
    ['in shadow mode', jaazPolicy(['mode: enforce', 'mode: shadow'])],
  ])('leaves nothing behind, and the upstream hears nothing of its request: %s', async (_name, policy) => {
    const world = await open({ policy });
    const life = world.begin(create);
    const asked = world.ask(create, life);
    life.cancellation.cancelled = true;
    expect((await asked).record).toMatchObject({ outcome: 'aborted', reason: 'client-gone' });
    expect(world.upstream.seen).not.toContain('POST /api/canvas/create');
    expect(await world.ledger.find([{ kind: 'canvas', id: 'c' }])).toEqual([undefined]);
    expect(world.runs.open()).toBe(0);
    expect(world.shares.held()).toEqual(NOTHING_HELD);
  });
});

/** An origin that answers with a head and a part of the body, and does more before the answer's turn. */
const answering = (more: (exchange: Exchange, library: Dispatcher.DispatchController, of: Cancellation) => void) =>
  ({
    send: (_request: OutboundRequest, cancellation: Cancellation) =>
      new Promise<UpstreamAnswer>((resolve, reject) => {
        const exchange = new Exchange({ resolve, reject, retry: () => false }, cancellation);
        const library = {
          pause: () => undefined,
          resume: () => undefined,
          abort: (cause: Error) => exchange.onResponseError(library, cause),
        } as unknown as Dispatcher.DispatchController;
        exchange.onRequestStart(library);
        exchange.onResponseStart(library, 200, { 'content-type': 'application/json' });
        exchange.onResponseData(library, Buffer.from('[{"id":"hers"}'));
        process.nextTick(more, exchange, library, cancellation);
      }),
  }) as RequestStages['origin'];

describe.each([
  ['a stream', { method: 'GET', target: '/assets/part' }],
  ['a list', { method: 'GET', target: '/api/canvas/list', user: 'alice' }],
])('%s', (_name, asked) => {
  test('that breaks off before its turn is never taken for a whole one', async () => {
    const origin = answering((exchange, library) => exchange.onResponseError(library, new Error('cut')));
    const world = await open({ stages: { origin } });
    expect((await world.ask(asked)).record).toMatchObject({ outcome: 'failed', reason: 'upstream-broken' });
    expect(world.shares.held()).toEqual(NOTHING_HELD);
  });

  test('whose client leaves before its turn is given up, once', async () => {
    let given = 0;
    const origin = answering((exchange, library, cancellation) => {
      const abort = library.abort.bind(library);
      library.abort = (cause) => {
        given += 1;
        abort(cause);
      };
      cancellation.cancelled = true;
      cancellation.onCancel?.();
      expect(exchange.whole()).toBeUndefined();
    });
    const gone = { status: 200, outcome: 'client-gone' } as const;
    const world = await open({ stages: { origin }, reply: { send: () => gone } });
    expect((await world.ask(asked)).record).toMatchObject({ outcome: 'aborted', reason: 'client-gone' });
    expect(given).toBe(1);
    expect(world.shares.held()).toEqual(NOTHING_HELD);
  });
});

test('who may ask is judged when the turn comes, not when the request does', async () => {
  let revoked = false;
  const authenticate = (): never => {
    throw revoked ? new Rejection('token-revoked', 'x') : new Error('judged too early');
  };
  const world = await open({ stages: { authenticate } });
  const asked = world.ask({ method: 'GET', target: '/api/canvas/list', user: 'alice' });
  revoked = true;
  expect((await asked).record).toMatchObject({ outcome: 'refused', reason: 'token-revoked' });
});
