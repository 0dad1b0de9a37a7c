import { describe, expect, test } from 'vitest';
import type { SocketRule } from '../../src/model/event.ts';
import type { RawRequest } from '../../src/model/request.ts';
import { canonical } from '../../src/server/canonical.ts';
import { handshake, tokenOf } from '../../src/server/socket-handshake.ts';
import { socketRule } from '../support/session-events.ts';

const reading = canonical({ hosts: undefined, trustedProxies: ['127.0.0.1'] });
const GOOD = '/socket.io/?EIO=4&transport=websocket';

const raw = (target: string, headers: Record<string, string> = {}, method = 'GET'): RawRequest => ({
  method,
  target,
  rawHeaders: Object.entries({ host: 'gateway.example', ...headers }).flat(),
  remoteAddress: '127.0.0.1',
});

const allowing = (...credentials: Array<'auth' | 'header' | 'query'>): SocketRule => ({
  ...socketRule,
  credentials: new Set(credentials),
});

describe('handshake', () => {
  const judge = handshake({ rule: socketRule, canonical: reading, origins: ['https://app.example'] });

  test('accepts what the page sends', () => {
    expect(judge(raw(`${GOOD}&t=abc123`, { origin: 'http://gateway.example' })).path).toBe('/socket.io/');
  });

  test.each([
    ['no Origin', {}],
    ['a listed Origin', { origin: 'https://app.example' }],
    ['the same host', { origin: 'http://gateway.example' }],
    ['the same host by its default port', { host: 'gateway.example:443', origin: 'https://gateway.example' }],
    ['the same host and port', { host: 'gateway.example:8080', origin: 'http://gateway.example:8080' }],
  ])('accepts %s', (_, headers) => {
    expect(judge(raw(GOOD, headers)).method).toBe('GET');
  });

  test.each([
    ['another site', { origin: 'https://evil.example' }],
    ['a site whose name begins alike', { origin: 'https://gateway.example.evil.example' }],
    ['a listed site over http', { origin: 'http://app.example' }],
    ['another port', { origin: 'http://gateway.example:8080' }],
    ['null', { origin: 'null' }],
    ['an Origin with a path', { origin: 'https://app.example/' }],
    ['a program', { origin: 'file://' }],
    ['plain http behind TLS', { origin: 'http://gateway.example', 'x-forwarded-proto': 'https' }],
  ])('refuses %s', (_, headers) => {
    expect(() => judge(raw(GOOD, headers))).toThrow(expect.objectContaining({ reason: 'origin-refused', status: 403 }));
  });

  test.each([
    ['/socket.io?EIO=4&transport=websocket', 'route-unknown'],
    ['/socket.io/foo/?EIO=4&transport=websocket', 'route-unknown'],
    ['/socket.iox/?EIO=4&transport=websocket', 'route-unknown'],
    ['/%73ocket.io/?EIO=4&transport=websocket', 'target-invalid'],
    ['http://gateway.example/socket.io/?EIO=4&transport=websocket', 'target-invalid'],
    ['/socket.io/?EIO=3&transport=websocket', 'query-invalid'],
    ['/socket.io/?transport=websocket', 'query-invalid'],
    ['/socket.io/?EIO=4&transport=polling', 'query-invalid'],
    ['/socket.io/?EIO=4&transport=webtransport', 'query-invalid'],
    ['/socket.io/?EIO=4&EIO=3&transport=websocket', 'query-invalid'],
    [`${GOOD}&sid=AAAAAAAAAAAAAAAAAAAA`, 'query-invalid'],
    [`${GOOD}&token=alice-token`, 'query-invalid'],
    [`${GOOD}&tok%65n=alice-token`, 'query-invalid'],
  ])('refuses %s: %s', (target, reason) => {
    expect(() => judge(raw(target))).toThrow(expect.objectContaining({ reason }));
  });

  test('refuses another method', () => {
    expect(() => judge(raw(GOOD, {}, 'POST'))).toThrow(expect.objectContaining({ reason: 'request-malformed' }));
  });

  test.each(['https://app.example/', 'app.example', '*', ''])('does not start with the origin %j', (origin) => {
    expect(() => handshake({ rule: socketRule, canonical: reading, origins: [origin] })).toThrow(TypeError);
  });
});

describe('tokenOf', () => {
  const bearer = { authorization: 'Bearer h' };

  test.each([
    ['auth', allowing('auth'), GOOD, {}, { token: 'a' }, 'a'],
    ['header', allowing('header'), GOOD, bearer, undefined, 'h'],
    ['header, in small letters', allowing('header'), GOOD, { authorization: 'bearer h' }, undefined, 'h'],
    ['query', allowing('query'), `${GOOD}&token=q`, {}, undefined, 'q'],
    ['auth and header, alike', allowing('auth', 'header'), GOOD, bearer, { token: 'h' }, 'h'],
    ['auth, whatever header stands there', allowing('auth'), GOOD, bearer, { token: 'a' }, 'a'],
    ['auth beside a password', allowing('auth', 'header'), GOOD, { authorization: 'Basic x' }, { token: 'a' }, 'a'],
  ] as const)('takes it from %s', (_, rule, target, headers, auth, token) => {
    expect(tokenOf(rule, reading(raw(target, headers)), auth)).toBe(token);
  });

  test.each([
    ['nothing', allowing('auth', 'header'), {}, undefined, 'token-missing'],
    ['an empty token', allowing('auth'), {}, { token: '' }, 'token-missing'],
    ['an inherited token', allowing('auth'), {}, Object.create({ token: 'a' }), 'token-missing'],
    ['a place that is not listed', allowing('auth'), bearer, undefined, 'token-missing'],
    ['another place that is not listed', allowing('header'), {}, { token: 'a' }, 'token-missing'],
    ['a number', allowing('auth'), {}, { token: 7 }, 'token-malformed'],
    ['two that differ', allowing('auth', 'header'), bearer, { token: 'a' }, 'token-malformed'],
    ['an empty one beside another', allowing('auth', 'header'), bearer, { token: '' }, 'token-malformed'],
  ] as const)('refuses %s', (_, rule, headers, auth, reason) => {
    expect(() => tokenOf(rule, reading(raw(GOOD, headers)), auth)).toThrow(
      expect.objectContaining({ reason, status: 401 }),
    );
  });
});
