import type { IncomingMessage } from 'node:http';
import { describe, expect, test } from 'vitest';
import { securityHeaders } from '../../src/server/security-headers.ts';

const complete = securityHeaders({ trustedProxies: ['10.0.0.0/8'] });
const from = (remoteAddress: string, headers: Record<string, string> = {}) =>
  ({ headers, socket: { remoteAddress } }) as unknown as IncomingMessage;

const added = (head: readonly string[], incoming = from('192.0.2.1'), by = complete): string[] => {
  const whole = [...head];
  by(whole, incoming);
  expect(whole.slice(0, head.length)).toEqual(head);
  return whole.slice(head.length);
};
const ALWAYS = [
  ...[
    'x-content-type-options',
    'nosniff',
    'referrer-policy',
    'same-origin',
    'cross-origin-resource-policy',
    'same-origin',
  ],
];
const PAGE = ['content-security-policy', "frame-ancestors 'self'", 'x-frame-options', 'SAMEORIGIN'];

test('every answer is not sniffed, tells other sites no address, and is embedded by no other site', () => {
  expect(added([])).toEqual(ALWAYS);
  expect(added(['content-type', 'application/json', 'cache-control', 'no-store'])).toEqual(ALWAYS);
});

describe('a page', () => {
  test.each([
    ...['text/html', 'text/html; charset=utf-8', 'Text/HTML', ' text/html', 'application/xhtml+xml', 'image/svg+xml'],
    ...['text/xml', 'application/xml;x=1'],
  ])('of %j is framed by no other site', (type) => {
    expect(added(['content-type', type])).toEqual([...ALWAYS, ...PAGE]);
  });

  test.each(['text/plain', 'text/htmlx', 'application/json', 'image/png', 'application/xml-dtd2'])(
    'is not %s',
    (type) => {
      const expected = type === 'application/xml-dtd2' ? [...ALWAYS, ...PAGE] : ALWAYS;
      expect(added(['content-type', type])).toEqual(expected);
    },
  );

  test('keeps a policy that is there, beside which browsers obey ours', () => {
    const head = ['content-type', 'text/html', 'content-security-policy', "default-src 'none'; sandbox"];
    expect(added(head)).toEqual([...ALWAYS, ...PAGE]);
  });

  test.each([
    "frame-ancestors 'none'",
    "default-src 'self'; frame-ancestors https://portal.example",
    "a,FRAME-ANCESTORS 'self'",
  ])('that says itself who may frame it is left as it is: %s', (policy) => {
    expect(added(['content-type', 'text/html', 'content-security-policy', policy])).toEqual(ALWAYS);
  });

  test('has one word about frames of the old kind', () => {
    expect(added(['content-type', 'text/html', 'x-frame-options', 'DENY'])).toEqual([...ALWAYS, ...PAGE.slice(0, 2)]);
  });
});

test.each([
  ['x-content-type-options', 'nosniff'],
  ['referrer-policy', 'no-referrer'],
  ['cross-origin-resource-policy', 'cross-origin'],
])('what a route says of %s goes before', (name, value) => {
  const at = ALWAYS.indexOf(name);
  expect(added([name, value])).toEqual(ALWAYS.filter((_, index) => index !== at && index !== at + 1));
});

test('a value is not taken for a name', () => {
  expect(added(['x-a', 'referrer-policy', 'x-b', 'x-content-type-options'])).toEqual(ALWAYS);
});

describe('that a site is to be reached by TLS only', () => {
  const said = (...given: Parameters<typeof from>) => added([], from(...given)).includes('strict-transport-security');

  test('is said where a trusted proxy says that the client came so', () => {
    expect(said('10.1.2.3', { 'x-forwarded-proto': 'https' })).toBe(true);
    expect(said('::ffff:10.1.2.3', { 'x-forwarded-proto': 'https' })).toBe(true);
    expect(added([], from('10.1.2.3', { 'x-forwarded-proto': 'https' })).at(-1)).toBe('max-age=31536000');
  });

  test.each<Parameters<typeof from>>([
    ['192.0.2.1', { 'x-forwarded-proto': 'https' }],
    ['10.1.2.3', { 'x-forwarded-proto': 'http' }],
    ['10.1.2.3', { 'x-forwarded-proto': 'https, http' }],
    ['10.1.2.3', {}],
    ['', { 'x-forwarded-proto': 'https' }],
  ])('is not said to %s with %j', (...given) => expect(said(...given)).toBe(false));

  test('is never said where no proxy is trusted', () => {
    const by = securityHeaders({ trustedProxies: [] });
    expect(added([], from('127.0.0.1', { 'x-forwarded-proto': 'https' }), by)).toEqual(ALWAYS);
  });
});
