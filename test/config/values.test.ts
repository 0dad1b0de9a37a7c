import { describe, expect, test } from 'vitest';
import {
  isAddressRange,
  isKeysUrl,
  isListenHost,
  isOrigin,
  isRedisUrl,
  isServedHost,
  parsePort,
  parseUpstream,
} from '../../src/config/values.ts';

test('a port is 0 to 65535 in digits', () => {
  expect(['0', '8080', '65535'].map(parsePort)).toEqual([0, 8080, 65_535]);
  expect(['65536', '-1', '80a', '', ' 80', '0x50', '1e3'].map(parsePort)).toEqual(Array(7).fill(undefined));
});

test('an upstream is a scheme, a host and a port', () => {
  expect(parseUpstream('http://127.0.0.1:57988/')).toBe('http://127.0.0.1:57988');
  expect(parseUpstream('https://[::1]')).toBe('https://[::1]');
});

test.each([
  'http://x/path',
  'http://x?q',
  'http://x#f',
  'http://u@x',
  'http://u:p@x',
  'ftp://x',
  'x:80',
  'http:// x',
  'http:\\\\x',
  '',
])('no upstream is %j', (text) => {
  expect(parseUpstream(text)).toBeUndefined();
});

describe('keys come by https, or from this machine', () => {
  test.each(['https://x/keys', 'http://127.0.0.1/k', 'http://localhost:1/k', 'http://a.localhost/k', 'http://[::1]/k'])(
    '%s is taken',
    (url) => expect(isKeysUrl(url)).toBe(true),
  );
  test.each([
    'http://x/keys',
    'https://u:p@x/keys',
    'file:///keys',
    'http://127.0.0.1.example.com/',
    'http://localhost.evil/',
  ])('%s is refused', (url) => expect(isKeysUrl(url)).toBe(false));
});

test.each([
  [isRedisUrl, ['redis://x', 'rediss://:pw@x:1/2'], ['http://x', 'redis://x/db', 'x']],
  [isOrigin, ['https://a.b', 'http://a:1'], ['https://a.b/', 'https://A.b', 'a.b', 'null']],
  [isListenHost, ['0.0.0.0', '::', 'gateway.local'], ['', 'a b', '*', 'http://x']],
  [isServedHost, ['a.example.com', 'a:80', '[::1]:80'], ['a b', 'a/b', '', 'a:99999']],
  [isAddressRange, ['10.0.0.0/8', '127.0.0.1', 'fd00::/8'], ['10.0.0.0/33', 'x', '10.0.0.0/', '']],
] as const)('%o', (accepts, good, bad) => {
  expect(good.filter((text) => !accepts(text))).toEqual([]);
  expect(bad.filter((text) => accepts(text))).toEqual([]);
});
