import type { IncomingMessage } from 'node:http';
import { describe, expect, test } from 'vitest';
import { canonical } from '../../src/server/canonical.ts';
import { cors } from '../../src/server/cors.ts';
import { refusalOf } from '../support/bodies.ts';

const LISTED = 'https://app.example';
const { asks, answer, dress } = cors([LISTED, 'http://localhost:5173']);

const incoming = (headers: Record<string, string>, method = 'GET') =>
  ({ method, headers }) as unknown as IncomingMessage;
const dressed = (origin?: string, rule = { dress }): string[] => {
  const head = ['content-type', 'text/plain'];
  rule.dress(head, incoming(origin === undefined ? {} : { origin }));
  return head.slice(2);
};
const canonicalize = canonical({ hosts: undefined, trustedProxies: [] });
const asked = (origin: string) =>
  answer(
    canonicalize({
      method: 'OPTIONS',
      target: '/api/canvas/list',
      rawHeaders: ['Host', 'x', 'Origin', origin, 'Access-Control-Request-Method', 'DELETE'],
      remoteAddress: '192.0.2.1',
    }),
  );

/** What looks like the listed origin, and is none that is listed. */
const LOOKALIKES = [
  ...['null', '', 'https://evil.example', 'https://app.example.evil.example', 'https://evil-app.example'],
  ...['https://app.example:8443', 'https://app.example:443', 'http://app.example', 'https://APP.example'],
  ...[
    'https://app.example.',
    'https://app.example/',
    'https://app.example, https://evil.example',
    ' https://app.example',
  ],
  ...[
    'https://user@app.example',
    'app.example',
    '*',
    'https://sub.app.example',
    'http://localhost',
    'http://localhost:51730',
  ],
];

describe('a listed origin', () => {
  test('may read answers, credentials included, and the headers that say when to come again', () => {
    expect(dressed(LISTED)).toEqual([
      ...['vary', 'origin', 'access-control-allow-origin', LISTED, 'access-control-allow-credentials', 'true'],
      'access-control-expose-headers',
      'ratelimit, ratelimit-policy, retry-after, www-authenticate, x-request-id',
    ]);
    expect(dressed('http://localhost:5173')).toContain('http://localhost:5173');
  });

  test('may send what is on closed lists of methods and headers, for ten minutes', () => {
    const { status, headers, body } = asked(LISTED);
    const told = new Map(
      headers.flatMap((name, index) => (index % 2 === 0 ? [[name, headers[index + 1]] as const] : [])),
    );
    expect([status, body]).toEqual([204, undefined]);
    expect(told.get('access-control-allow-methods')).toBe('GET, HEAD, POST, PUT, PATCH, DELETE');
    expect(told.get('access-control-max-age')).toBe('600');
    expect(told.get('vary')).toBe('access-control-request-method, access-control-request-headers');
    const names = told.get('access-control-allow-headers')?.split(', ') ?? [];
    expect(names).toEqual(expect.arrayContaining(['authorization', 'content-type', 'range', 'if-none-match']));
    expect(names.filter((name) => /[*]|^x-|cookie|forwarded|host|origin/.test(name))).toEqual([]);
  });
});

describe('an origin that is not listed', () => {
  test.each(LOOKALIKES)('%j is told nothing that a browser would take for a yes', (origin) => {
    expect(dressed(origin)).toEqual(['vary', 'origin']);
  });

  test.each(LOOKALIKES.filter((origin) => origin.trim() === origin))('%j may send nothing', async (origin) => {
    expect(await refusalOf(() => asked(origin))).toBe('origin-refused 403');
  });
});

test('an answer without an origin says that it would be another one with one', () => {
  expect(dressed()).toEqual(['vary', 'origin']);
});

test('where none is listed nothing is said, and nobody may send anything', async () => {
  const none = cors([]);
  expect(dressed(LISTED, none)).toEqual([]);
  expect(dressed(undefined, none)).toEqual([]);
  expect(
    await refusalOf(() =>
      none.answer(
        canonicalize({
          method: 'OPTIONS',
          target: '/',
          rawHeaders: ['Host', 'x', 'Origin', LISTED],
          remoteAddress: '',
        }),
      ),
    ),
  ).toBe('origin-refused 403');
});

test('a browser asks with OPTIONS, an origin and a method; what lacks one of them is another request', () => {
  const both = { origin: LISTED, 'access-control-request-method': 'PUT' };
  expect(asks(incoming(both, 'OPTIONS'))).toBe(true);
  expect(asks(incoming({ ...both, origin: 'null' }, 'OPTIONS'))).toBe(true);
  expect(asks(incoming(both, 'GET'))).toBe(false);
  expect(asks(incoming({ origin: LISTED }, 'OPTIONS'))).toBe(false);
  expect(asks(incoming({ 'access-control-request-method': 'PUT' }, 'OPTIONS'))).toBe(false);
});

test.each(['*', 'null', 'app.example', 'https://app.example/', 'https://app.example/path'])(
  '%j cannot be listed',
  (origin) => {
    expect(() => cors([origin])).toThrow(TypeError);
  },
);
