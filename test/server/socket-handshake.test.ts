import { describe, expect, test } from 'vitest';
import type { SocketRule } from '../../src/model/event.ts';
import type { RawRequest } from '../../src/model/request.ts';
import { canonical } from '../../src/server/canonical.ts';
import {
  handshake,
  type Identify,
  identified,
  requestToken,
  tokenInAuth,
  tokenOf,
} from '../../src/server/socket-handshake.ts';
import { pollingRule, socketRule } from '../support/session-events.ts';
import { principal, sessionOf } from '../support/socket-door.ts';

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
  const judged = handshake({ rule: socketRule, canonical: reading, origins: ['https://app.example'] });
  const judge = (one: RawRequest) => judged(one, 'upgrade');

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

describe('a request of a session that polls', () => {
  const judge = handshake({ rule: pollingRule, canonical: reading, origins: ['https://app.example'] });
  const POLL = '/socket.io/?EIO=4&transport=polling';
  const SESSION = `${POLL}&sid=AAAAAAAAAAAAAAAAAAAA`;
  const text = { 'content-type': 'text/plain', 'content-length': '2' };

  test.each([
    ['the first', raw(POLL)],
    ['one with something against caches', raw(`${POLL}&t=PabcDEF`)],
    ['a poll', raw(SESSION, { origin: 'http://gateway.example' })],
    ['packets', raw(SESSION, text, 'POST')],
    ['packets as browsers send them', raw(SESSION, { ...text, 'content-type': 'text/plain;charset=UTF-8' }, 'POST')],
    ['packets in chunks', raw(SESSION, { 'content-type': 'text/plain', 'transfer-encoding': 'chunked' }, 'POST')],
  ])('goes on when it is %s', (_, one) => {
    expect(judge(one, 'request').path).toBe('/socket.io/');
  });

  test.each([
    ['a WebSocket without an upgrade', raw(GOOD), 'query-invalid'],
    ['of another protocol', raw('/socket.io/?EIO=3&transport=polling'), 'query-invalid'],
    ['a script', raw(`${POLL}&j=0`), 'query-invalid'],
    ['in base64', raw(`${POLL}&b64=1`), 'query-invalid'],
    ['one of two sessions', raw(`${SESSION}&sid=BBBBBBBBBBBBBBBBBBBB`), 'query-invalid'],
    ['one with a token in the query', raw(`${POLL}&token=x`), 'query-invalid'],
    ['of another site', raw(SESSION, { origin: 'https://evil.example' }), 'origin-refused'],
    ['at another path', raw('/socket.io/x/?EIO=4&transport=polling'), 'route-unknown'],
    ['packets of no session', raw(POLL, text, 'POST'), 'request-malformed'],
    ['a poll with a body', raw(SESSION, text), 'request-malformed'],
    ['a question about it', raw(SESSION, {}, 'OPTIONS'), 'request-malformed'],
    ['of another kind', raw(SESSION, text, 'PUT'), 'request-malformed'],
    ['packets that are none', raw(SESSION, { ...text, 'content-length': '0' }, 'POST'), 'body-missing'],
    ['packets of another type', raw(SESSION, { ...text, 'content-type': 'text/html' }, 'POST'), 'body-type'],
    ['packets of no type', raw(SESSION, { 'content-length': '2' }, 'POST'), 'body-type'],
    ['packets that are compressed', raw(SESSION, { ...text, 'content-encoding': 'br' }, 'POST'), 'body-encoding'],
    ['too many packets', raw(SESSION, { ...text, 'content-length': '100001' }, 'POST'), 'body-too-large'],
  ])('is refused when it is %s', (_, one, reason) => {
    expect(() => judge(one, 'request')).toThrow(expect.objectContaining({ reason }));
  });

  test('may ask for a WebSocket, and is refused where nobody polls', () => {
    const offer = raw(`${GOOD}&sid=AAAAAAAAAAAAAAAAAAAA`);
    expect(judge(offer, 'upgrade').query.get('sid')).toBe('AAAAAAAAAAAAAAAAAAAA');
    const closed = handshake({ rule: socketRule, canonical: reading, origins: [] });
    for (const one of [raw(POLL), raw(SESSION)]) {
      expect(() => closed(one, 'request')).toThrow(expect.objectContaining({ reason: 'query-invalid' }));
    }
  });

  test.each([
    ['nothing', {}, allowing('header')],
    ['an empty token', { authorization: 'Bearer ' }, allowing('header')],
    ['a password', { authorization: 'Basic x' }, allowing('header')],
    ['a token in a place that is not listed', { authorization: 'Bearer h' }, allowing('auth')],
  ])('shows no token when it shows %s', (_, headers, rule) => {
    expect(requestToken(rule, reading(raw(POLL, headers)))).toBeUndefined();
  });

  test('shows its token in the header, and a token in the query is none', () => {
    expect(requestToken(allowing('header'), reading(raw(POLL, { authorization: 'Bearer h' })))).toBe('h');
    const both = allowing('header', 'query');
    expect(requestToken(both, reading(raw(`${POLL}&token=q`, { authorization: 'Bearer h' })))).toBe('h');
    expect(requestToken(both, reading(raw(`${POLL}&token=q`)))).toBeUndefined();
  });
});

describe('tokenInAuth', () => {
  test.each([
    ['a text', { token: 'a' }, 'a'],
    ['nothing', undefined, undefined],
    ['null', null, undefined],
    ['a text that is no object', 'a', undefined],
    ['an inherited token', Object.create({ token: 'a' }), undefined],
  ])('finds what is there in %s', (_, auth, token) => {
    expect(tokenInAuth(allowing('auth'), auth)).toBe(token);
  });

  test('finds nothing where it is not listed', () => {
    expect(tokenInAuth(allowing('header'), { token: 'a' })).toBeUndefined();
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
    ['nothing', allowing('auth', 'header'), {}, undefined],
    ['an empty token', allowing('auth'), {}, { token: '' }],
    ['an inherited token', allowing('auth'), {}, Object.create({ token: 'a' })],
    ['a place that is not listed', allowing('auth'), bearer, undefined],
    ['another place that is not listed', allowing('header'), {}, { token: 'a' }],
  ] as const)('finds none in %s', (_, rule, headers, auth) => {
    expect(tokenOf(rule, reading(raw(GOOD, headers)), auth)).toBeUndefined();
  });

  test.each([
    ['a number', allowing('auth'), {}, { token: 7 }, 'token-malformed'],
    ['two that differ', allowing('auth', 'header'), bearer, { token: 'a' }, 'token-malformed'],
    ['an empty one beside another', allowing('auth', 'header'), bearer, { token: '' }, 'token-malformed'],
  ] as const)('refuses %s', (_, rule, headers, auth, reason) => {
    expect(() => tokenOf(rule, reading(raw(GOOD, headers)), auth)).toThrow(
      expect.objectContaining({ reason, status: 401 }),
    );
  });
});

describe('identified', () => {
  const now = () => 1_000;
  const request = reading(raw(GOOD));

  test('resolves with whose it is, by the request and the token that it was shown', async () => {
    const asked: unknown[] = [];
    const identify: Identify = async (...given) => {
      asked.push(given);
      return principal('alice');
    };
    expect((await identified({ identify, now }, request, 'a')).owner).toBe('demo|alice');
    expect(asked).toEqual([[request, 'a']]);
  });

  test('tells who shows nothing at all what to show', async () => {
    await expect(identified({ identify: () => undefined, now }, request, undefined)).rejects.toMatchObject({
      reason: 'token-missing',
      headers: ['www-authenticate', 'Bearer realm="jaaz-gateway"'],
    });
  });

  test.each([
    ['a token', principal('alice', 1_000), 'token-expired'],
    ['a session', sessionOf('alice', 1_000), 'session-ended'],
  ])('refuses %s that has come to its end meanwhile', async (_, found, reason) => {
    await expect(identified({ identify: () => found, now }, request, undefined)).rejects.toMatchObject({ reason });
  });
});
