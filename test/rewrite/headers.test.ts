import { describe, expect, test } from 'vitest';
import { type Assertion, assertionHeaders, outboundHeaders, USER_HEADER } from '../../src/rewrite/headers.ts';
import { canonical } from '../../src/server/canonical.ts';
import { principalOf } from '../support/stages.ts';

const canonicalize = canonical({ hosts: undefined, trustedProxies: [], newId: () => 'the-id' });
const outbound = (headers: readonly string[], user: string | undefined = 'alice', answerIsRead = false) => {
  const request = canonicalize({
    method: 'GET',
    target: '/',
    rawHeaders: ['Host', 'gateway.example', ...headers],
    remoteAddress: '127.0.0.1',
  });
  return outboundHeaders(request, user === '' ? undefined : principalOf(user), answerIsRead);
};
const OURS = ['x-request-id', 'the-id', USER_HEADER, 'test|alice'];

describe('of a client’s headers', () => {
  test.each([
    ...[
      'X-User-Id',
      'x_user_id',
      'X_USER-ID',
      'X-USER-ID',
      'x-user.id',
      'X-Remote-User',
      'X-Auth-Request-User',
      'Remote-User',
    ],
    ...['X-User-Roles', 'x_user_roles', 'X-User_Roles', 'X-USER-ROLES', 'X-User-Role', 'x.user.roles'],
    ...['X-User-Tenant', 'x_user_tenant', 'X_User-Tenant', 'X-USER-TENANT', 'X-Tenant'],
    ...['X-Jaaz-Assertion', 'x_jaaz_assertion', 'X-JAAZ-ASSERTION', 'X-Goog-IAP-JWT-Assertion'],
    ...['Authorization', 'Proxy-Authorization', 'Cookie', 'DPoP', 'X-Api-Key', 'X-Access-Token'],
    ...[
      'X-Forwarded-For',
      'X-Forwarded-Host',
      'X-Forwarded-Proto',
      'X-Forwarded-Uri',
      'X-Forwarded-Prefix',
      'Forwarded',
      'Via',
    ],
    ...[
      'X-Original-URL',
      'X-Rewrite-URL',
      'X-Original-Uri',
      'X-Http-Method-Override',
      'X-Method-Override',
      'X-Real-IP',
    ],
    ...['Origin', 'Referer', 'Sec-Fetch-Site', 'Accept-Encoding', 'Expect', 'TE', 'Trailer', 'Keep-Alive'],
    ...['X-Request-Id', 'Content-Type', 'Baggage', 'Upgrade', 'Connection', 'Max-Forwards', '__proto__', 'constructor'],
  ])('%s never passes', (name) => {
    const value = name === 'Expect' ? '100-continue' : 'evil';
    expect(outbound([name, value])).toEqual(OURS);
  });

  test('Connection cannot take ours away: they are put there afterwards', () => {
    expect(outbound(['Connection', 'x-user-id, x-request-id'])).toEqual(OURS);
  });

  test.each([
    'Accept',
    'Accept-Language',
    'Cache-Control',
    'Range',
    'If-Range',
    'If-None-Match',
    'User-Agent',
    'Traceparent',
  ])('%s passes', (name) => {
    expect(outbound([name, 'value'])).toEqual([...OURS, name.toLowerCase(), 'value']);
  });

  test.each(['Range', 'If-Range', 'If-None-Match', 'If-Match', 'If-Modified-Since', 'If-Unmodified-Since'])(
    '%s does not where the answer is read here',
    (name) => {
      expect(outbound([name, 'value'], 'alice', true)).toEqual(OURS);
    },
  );
});

describe('the user', () => {
  test.each([
    ['alice', 'test|alice'],
    ['a b', 'test|a%20b'],
    ['50%', 'test|50%25'],
    ['%20', 'test|%2520'],
    ['Zoë', 'test|Zo%C3%AB'],
    ['愛', 'test|%E6%84%9B'],
    ['😀', 'test|%F0%9F%98%80'],
    ['a\tb', 'test|a%09b'],
  ])('%s is written as %s', (user, text) => {
    expect(outbound([], user)).toEqual(['x-request-id', 'the-id', USER_HEADER, text]);
  });

  test('two owners are never written alike', () => {
    const users = ['a b', 'a%20b', 'a%2520b', 'a+b', 'ä', '%C3%A4'];
    expect(new Set(users.map((user) => outbound([], user)[3])).size).toBe(users.length);
  });

  test('is not named where nobody is known', () => {
    expect(outbound(['X-User-Id', 'evil'], '')).toEqual(['x-request-id', 'the-id']);
  });
});

describe('the roles and the tenant', () => {
  const told = (more: object): readonly string[] => {
    const request = canonicalize({
      method: 'GET',
      target: '/',
      rawHeaders: ['Host', 'x', 'X-User-Roles', 'evil', 'x_user_tenant', 'evil'],
      remoteAddress: '127.0.0.1',
    });
    return outboundHeaders(request, { ...principalOf('alice'), ...more }, false).slice(4);
  };

  test('are told where there are any, and else are not there at all', () => {
    expect(told({ roles: ['editor', 'admin'], tenant: 'acme' })).toEqual([
      ...['x-user-roles', 'editor,admin', 'x-user-tenant', 'acme'],
    ]);
    expect(told({ roles: [], tenant: undefined })).toEqual([]);
  });

  test.each([
    [['a,admin'], 'a%2Cadmin'],
    [['a%2Cadmin'], 'a%252Cadmin'],
    [['a b', 'Zoë'], 'a%20b,Zo%C3%AB'],
    [['a\r\nx-user-id: evil'], 'a%0D%0Ax-user-id:%20evil'],
  ])('%j are written as %s', (roles, text) => {
    expect(told({ roles })).toEqual(['x-user-roles', text]);
  });

  test('of a tenant there is one text, whatever it is called', () => {
    expect(told({ tenant: 'a c\u2028é' })).toEqual(['x-user-tenant', 'a%20c%E2%80%A8%C3%A9']);
  });
});

describe('an assertion', () => {
  const about = { principal: principalOf('alice'), target: '/a?b=c' };
  const request = { id: 'r', method: 'PUT' };
  const signed: unknown[] = [];
  const assertion: Assertion = { header: 'x-proof', sign: (what) => `signed ${signed.push(what)}` };

  test('is one more header, of this request of this caller', () => {
    expect(assertionHeaders(assertion, request, about)).toEqual(['x-proof', 'signed 1']);
    expect(signed).toEqual([{ ...about, method: 'PUT', requestId: 'r' }]);
  });

  test('is not made where nobody is known, or where none is wanted', () => {
    expect(assertionHeaders(assertion, request, { ...about, principal: undefined })).toEqual([]);
    expect(assertionHeaders(undefined, request, about)).toEqual([]);
    expect(signed).toHaveLength(1);
  });
});
