import type { Dispatcher } from 'undici';
import { describe, expect, test } from 'vitest';
import type { Rejection } from '../../src/model/rejection.ts';
import type { UpstreamAnswer } from '../../src/model/response.ts';
import { Exchange } from '../../src/upstream/exchange.ts';
import type { Cancellation } from '../../src/upstream/origin.ts';

/** The connection's side: what the library would call, and what it was told to do. */
const open = () => {
  const told: string[] = [];
  const controller = {
    paused: false,
    aborted: false,
    reason: null,
    rawHeaders: null,
    rawTrailers: null,
    pause() {
      told.push('pause');
      controller.paused = true;
    },
    resume() {
      told.push('resume');
      controller.paused = false;
    },
    abort(reason: Error) {
      told.push(`abort: ${reason.message}`);
      exchange.onResponseError(controller as unknown as Dispatcher.DispatchController, reason);
    },
  };
  const library = controller as unknown as Dispatcher.DispatchController;
  const cancellation: Cancellation = { cancelled: false, onCancel: undefined };
  const outcome: { answer?: UpstreamAnswer; refused?: Rejection } = {};
  const exchange = new Exchange(
    {
      resolve: (answer) => {
        outcome.answer = answer;
      },
      reject: (refused) => {
        outcome.refused = refused;
      },
      retry: () => false,
    },
    cancellation,
  );
  const heard: string[] = [];
  const sink = {
    write: (chunk: Buffer) => heard.push(chunk.toString()) < 3,
    end: () => void heard.push('END'),
    fail: (cause: Error) => void heard.push(`FAIL ${cause.message}`),
  };
  return { exchange, library, cancellation, outcome, told, heard, sink };
};

const begun = (status = 200, headers: Record<string, string> = {}) => {
  const one = open();
  one.exchange.onRequestStart(one.library);
  one.exchange.onResponseStart(one.library, status, headers);
  return one;
};

describe('a body', () => {
  test('that came before it was asked for is held, at most two chunks of it', () => {
    const { exchange, library, told, heard, sink } = begun();
    exchange.onResponseData(library, Buffer.from('a'));
    expect(told).toEqual([]);
    exchange.onResponseData(library, Buffer.from('b'));
    expect(told).toEqual(['pause']);
    exchange.pipe(sink);
    expect(heard).toEqual(['a', 'b']);
    expect(told).toEqual(['pause', 'resume']);
    exchange.onResponseData(library, Buffer.from('c'));
    expect(told).toEqual(['pause', 'resume', 'pause']);
    exchange.resume();
    exchange.onResponseEnd();
    expect(heard).toEqual(['a', 'b', 'c', 'END']);
  });

  test('that is here already is given whole', () => {
    const { exchange, library } = begun();
    exchange.onResponseData(library, Buffer.from('a'));
    expect(exchange.whole()).toBeUndefined();
    exchange.onResponseData(library, Buffer.from('b'));
    exchange.onResponseEnd();
    expect(exchange.whole()?.toString()).toBe('ab');
  });

  test('that is empty is given whole too', () => {
    const { exchange } = begun();
    exchange.onResponseEnd();
    expect(exchange.whole()).toEqual(Buffer.alloc(0));
  });

  test('that broke off before it was asked for is never whole', () => {
    const { exchange, library, heard, sink } = begun();
    exchange.onResponseData(library, Buffer.from('a'));
    exchange.onResponseError(library, new Error('cut'));
    expect(exchange.whole()).toBeUndefined();
    exchange.pipe(sink);
    expect(heard).toEqual(['a', 'FAIL cut']);
  });

  test('that ended cannot be aborted any more', () => {
    const { exchange, told } = begun();
    exchange.onResponseEnd();
    exchange.abort();
    expect(told).toEqual([]);
  });
});

describe('a server error', () => {
  test('takes its connection with it once its last byte is here', () => {
    const { exchange, library, told, heard, sink } = begun(500, { 'content-length': '3' });
    exchange.pipe(sink);
    exchange.onResponseData(library, Buffer.from('ab'));
    expect(told).toEqual([]);
    exchange.onResponseData(library, Buffer.from('c'));
    expect(heard).toEqual(['ab', 'c', 'END']);
    expect(told).toEqual(['abort: connection given up after a server error']);
  });

  test.each([
    ['without a length', {}],
    ['of a large length', { 'content-length': '1000000' }],
    ['of no length', { 'content-length': '0' }],
  ])('%s ends as any answer does', (_name, headers) => {
    const { exchange, library, told, heard, sink } = begun(503, headers);
    exchange.pipe(sink);
    exchange.onResponseData(library, Buffer.from('a'));
    exchange.onResponseEnd();
    expect(heard).toEqual(['a', 'END']);
    expect(told).toEqual([]);
  });
});

describe('a client that is gone', () => {
  test('before the start aborts at the start', () => {
    const { exchange, library, cancellation, outcome, told } = open();
    cancellation.cancelled = true;
    exchange.onRequestStart(library);
    expect(told).toEqual(['abort: the client is gone']);
    expect(outcome.refused).toMatchObject({ reason: 'client-gone' });
  });

  test('after the answer is no concern of this exchange any more', () => {
    const { exchange, cancellation, told } = begun();
    exchange.onResponseEnd();
    cancellation.onCancel?.();
    expect(told).toEqual([]);
  });

  test('in the middle of the answer is told apart from an upstream that broke off', () => {
    const { cancellation, exchange, heard } = begun();
    let cause: Error | undefined;
    exchange.pipe({ write: () => true, end: () => undefined, fail: (error) => (cause = error) });
    cancellation.cancelled = true;
    cancellation.onCancel?.();
    expect(cause).toMatchObject({ reason: 'client-gone' });
    expect(heard).toEqual([]);
  });
});

test.each([
  ['UND_ERR_HEADERS_TIMEOUT', true, 'upstream-timeout'],
  ['UND_ERR_BODY_TIMEOUT', true, 'upstream-timeout'],
  ['ECONNRESET', true, 'upstream-broken'],
  ['ECONNREFUSED', false, 'upstream-unreachable'],
  ['UND_ERR_CONNECT_TIMEOUT', false, 'upstream-unreachable'],
])('%s, started: %s, is %s', (code, started, reason) => {
  const { exchange, library, outcome } = open();
  if (started) exchange.onRequestStart(library);
  exchange.onResponseError(library, Object.assign(new Error('x'), { code }));
  expect(outcome.refused).toMatchObject({ reason });
});

test('an interim answer answers nothing', () => {
  const { exchange, library, outcome } = open();
  exchange.onRequestStart(library);
  exchange.onResponseStart(library, 103, {});
  expect(outcome.answer).toBeUndefined();
});
