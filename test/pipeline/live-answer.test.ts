import { describe, expect, test } from 'vitest';
import type { ReasonCode } from '../../src/model/reason.ts';
import type { BodySource, FilteredResponse } from '../../src/model/response.ts';
import { beginLife } from '../../src/pipeline/life.ts';
import { endWithAuthority } from '../../src/pipeline/live-answer.ts';
import { principal } from '../support/socket-door.ts';

const body: BodySource = {
  whole: () => undefined,
  pipe: () => undefined,
  resume: () => undefined,
  abort: () => undefined,
};

const response = (headers: string[], of: FilteredResponse['body'] = body): FilteredResponse =>
  ({ status: 200, headers, body: of }) as unknown as FilteredResponse;

const life = (user: string | undefined) => {
  const cancels: string[] = [];
  const cancellation = { cancelled: false, onCancel: () => void cancels.push('cancelled') };
  const raw = { method: 'GET', target: '/', rawHeaders: [], remoteAddress: '' };
  const made = beginLife({ raw, source: undefined, cancellation });
  made.principal = user === undefined ? undefined : principal(user);
  return { made, cancels };
};

const register = () => {
  const ended: Array<(reason: ReasonCode) => void> = [];
  const add = (_: unknown, end: (reason: ReasonCode) => void) => {
    ended.push(end);
    return () => void ended.pop();
  };
  return { ended, add };
};

test.each([['text/event-stream'], ['Text/Event-Stream; charset=utf-8'], ['text/event-stream \t;x=1']])(
  'an answer of %s is given up with its caller’s authority',
  (type) => {
    const open = register();
    const { made, cancels } = life('alice');
    const letGo = endWithAuthority(open, made, response(['x-a', 'b', 'content-type', type]));
    expect(letGo).toBeTypeOf('function');
    open.ended[0]?.('token-revoked');
    expect([cancels, made.endedBy, made.cancellation.cancelled]).toEqual([['cancelled'], 'token-revoked', true]);
  },
);

describe('is left to end by itself', () => {
  test.each([
    ['an answer of another type', ['content-type', 'text/plain'], body],
    ['one whose type only looks alike', ['content-type', 'text/event-streams'], body],
    ['one without a type', ['x-type', 'text/event-stream', 'x', 'content-type'], body],
    ['one that is whole', ['content-type', 'text/event-stream'], Buffer.from('data: 1')],
  ])('%s', (_, headers, of) => {
    const open = register();
    expect(endWithAuthority(open, life('alice').made, response(headers, of))).toBeUndefined();
    expect(open.ended).toEqual([]);
  });

  test('one of nobody in particular', () => {
    const open = register();
    expect(
      endWithAuthority(open, life(undefined).made, response(['content-type', 'text/event-stream'])),
    ).toBeUndefined();
    expect(open.ended).toEqual([]);
  });
});
