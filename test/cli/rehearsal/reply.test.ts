import { describe, expect, test } from 'vitest';
import { headersOf, keepingReply } from '../../../src/cli/rehearsal/reply.ts';
import { Rejection } from '../../../src/model/rejection.ts';
import type { BodySource, FilteredResponse } from '../../../src/model/response.ts';

const response = (body: Buffer | BodySource | undefined) =>
  ({ status: 200, headers: ['Content-Type', 'text/plain'], body }) as unknown as FilteredResponse;

const flowing = (end: 'end' | 'fail'): BodySource => ({
  whole: () => undefined,
  pipe(sink) {
    sink.write(Buffer.from('ab'));
    if (end === 'end') sink.end();
    else sink.fail(new Error('cut'));
  },
  resume: () => undefined,
  abort: () => undefined,
});

describe('the client of a rehearsal', () => {
  test('keeps an answer, and what was added to its headers', async () => {
    const { reply, shown } = keepingReply();
    expect(shown()).toBeUndefined();
    expect(await reply.send(response(Buffer.from('x')), ['x-request-id', '1'])).toEqual({
      status: 200,
      outcome: 'complete',
    });
    expect(shown()).toEqual({
      status: 200,
      headers: { 'content-type': 'text/plain', 'x-request-id': '1' },
      body: Buffer.from('x'),
      whole: true,
    });
  });

  test('keeps an answer that flows, to its end', async () => {
    const { reply, shown } = keepingReply();
    await reply.send(response(flowing('end')), []);
    expect(shown()).toMatchObject({ body: Buffer.from('ab'), whole: true });
  });

  test('knows that an answer was cut', async () => {
    const { reply, shown } = keepingReply();
    expect(await reply.send(response(flowing('fail')), [])).toMatchObject({ outcome: 'upstream-broken' });
    expect(shown()).toMatchObject({ whole: false });
  });

  test('is shown a refusal as every client is: without the detail', async () => {
    const { reply, shown } = keepingReply();
    await reply.refuse(new Rejection('resource-taken', 'canvas:x is bob’s'), 'r1', ['ratelimit', 'x']);
    expect(shown()).toMatchObject({
      status: 409,
      headers: { 'content-type': 'application/problem+json', ratelimit: 'x' },
    });
    expect(shown()?.body.toString()).not.toContain('bob');
  });
});

test('of a header that is there twice both values are told', () => {
  expect(headersOf(['Vary', 'a', 'vary', 'b'])).toEqual({ vary: 'a, b' });
});
