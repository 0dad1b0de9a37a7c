import { describe, expect, test } from 'vitest';
import { socketIo } from '../../src/policy/schema-socket.ts';

const socket = { path: '/s/', protocol: 'socket.io', token: ['auth'], deliver: {} };
const rule = { owner: { session: 'id' }, type: 'type', types: {} };
const accepts = (more: object): boolean => socketIo.safeParse({ ...socket, ...more }).success;
const ofRule = (more: object): boolean => accepts({ deliver: { update: { ...rule, ...more } } });
const ofType = (type: object): boolean => ofRule({ types: { a: type } });

test('what is not said of an endpoint is the usual', () => {
  expect(socketIo.parse(socket)).toEqual({
    ...socket,
    transports: ['websocket'],
    missed: { age: '2m', events: 1_000, size: '8MiB' },
    accept: {},
  });
});

test('each part of what is kept has its own usual', () => {
  expect(socketIo.parse({ ...socket, missed: { events: 5 } }).missed).toEqual({ age: '2m', events: 5, size: '8MiB' });
});

describe('an endpoint may have', () => {
  test.each([
    [{ transports: ['websocket', 'polling'] }],
    [{ missed: 'off' }],
    [{ missed: {} }],
    [{ missed: { age: '10s', events: 1, size: '1B' } }],
    [{ token: ['auth', 'header', 'query'] }],
  ])('%j', (more) => {
    expect(accepts(more)).toBe(true);
  });
});

describe('an endpoint does not have', () => {
  test.each([
    [{ transports: [] }],
    [{ transports: ['webtransport'] }],
    [{ transports: 'polling' }],
    [{ missed: 'on' }],
    [{ missed: false }],
    [{ missed: { age: 120 } }],
    [{ missed: { events: 0 } }],
    [{ missed: { events: 100_001 } }],
    [{ missed: { events: 1.5 } }],
    [{ missed: { size: '8MB' } }],
    [{ missed: { seconds: 5 } }],
    [{ token: [] }],
    [{ token: ['cookie'] }],
    [{ gateway: true }],
  ])('%j', (more) => {
    expect(accepts(more)).toBe(false);
  });
});

describe('a rule', () => {
  test.each([[{ redact: ['a', 'b[*].c'] }], [{ cancel: 'POST /api/cancel/{session}' }], [{ relative: true }]])(
    'may have %j',
    (more) => expect(ofRule(more)).toBe(true),
  );

  test.each([[{ redact: [] }], [{ redact: 'a' }], [{ redact: [{ at: 'a' }] }], [{ cancel: ['a'] }], [{ stop: 'a' }]])(
    'does not have %j',
    (more) => expect(ofRule(more)).toBe(false),
  );
});

describe('a type', () => {
  test.each([
    [{}],
    [{ pending: 'id' }],
    [{ settled: 'call.id' }],
    [{ opens: { file: 'arguments' } }],
    [{ opens: { file: 'text' }, call: 'id' }],
    [{ redact: ['error'], 'ends-run': true, learn: { file: ['a'] } }],
  ])('may have %j', (type) => {
    expect(ofType(type)).toBe(true);
  });

  test.each([
    [{ pending: true }],
    [{ pending: '' }],
    [{ settled: ['id'] }],
    [{ opens: 'arguments' }],
    [{ opens: { file: ['arguments'] } }],
    [{ opens: { 'a:b': 'arguments' } }],
    [{ call: { file: 'id' } }],
    [{ redact: [] }],
    [{ confirms: 'id' }],
  ])('does not have %j', (type) => {
    expect(ofType(type)).toBe(false);
  });
});
