import { describe, expect, test } from 'vitest';
import type { BodySource, FilteredResponse } from '../../src/model/response.ts';
import type { RouteMatch } from '../../src/model/route.ts';
import { beginLife, beginPassing } from '../../src/pipeline/life.ts';
import { endWithAuthority } from '../../src/pipeline/live-answer.ts';
import type { Authorised } from '../../src/realtime/lifetime.ts';
import { principal, sessionOf } from '../support/socket-door.ts';

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
  const open: Authorised[] = [];
  const add = (_: unknown, listener: Authorised) => {
    open.push(listener);
    return () => void open.pop();
  };
  return { open, add };
};

test.each([['text/event-stream'], ['Text/Event-Stream; charset=utf-8'], ['text/event-stream \t;x=1']])(
  'an answer of %s is given up with its caller’s authority',
  (type) => {
    const open = register();
    const { made, cancels } = life('alice');
    const letGo = endWithAuthority(open, made, response(['x-a', 'b', 'content-type', type]));
    expect(letGo).toBeTypeOf('function');
    open.open[0]?.ended('token-revoked');
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
    expect(open.open).toEqual([]);
  });

  test('one of nobody in particular', () => {
    const open = register();
    expect(
      endWithAuthority(open, life(undefined).made, response(['content-type', 'text/event-stream'])),
    ).toBeUndefined();
    expect(open.open).toEqual([]);
  });
});

describe('when its caller’s authority is prolonged', () => {
  const STREAM = ['content-type', 'text/event-stream'];
  const begin = (roles: readonly string[]) => {
    const on = register();
    const { made, cancels } = life('alice');
    made.match = { route: { roles } } as unknown as RouteMatch;
    endWithAuthority(on, made, response(STREAM));
    const [listener] = on.open;
    return { made, cancels, listener, register: on };
  };

  test.each([
    ['asks for no role', []],
    ['asks for one that it still has', ['staff', 'admin']],
  ])('an answer of a route that %s goes on, as the principal that it is by now', (_, roles) => {
    const { made, cancels, listener } = begin(roles);
    const later = sessionOf('alice', 5, ['staff']);
    listener?.prolonged(later);
    expect([made.principal, cancels, made.endedBy]).toEqual([later, [], undefined]);
  });

  test('an answer of a route whose role it has lost ends', () => {
    const { made, cancels, listener, register: left } = begin(['admin']);
    listener?.prolonged(sessionOf('alice', 5, ['staff']));
    expect([cancels, made.endedBy, left.open]).toEqual([['cancelled'], 'role-missing', []]);
  });

  test('one that passes whatever is found goes on', () => {
    const { made, cancels, listener } = begin(['admin']);
    beginPassing(made, 'shadow');
    listener?.prolonged(sessionOf('alice', 5, []));
    expect([cancels, made.endedBy]).toEqual([[], undefined]);
  });
});
