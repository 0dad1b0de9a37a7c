import { describe, expect, test } from 'vitest';
import { clientAddress } from '../../src/server/client-address.ts';

const trusted = ['10.0.0.0/8', '192.0.2.7', 'fd00::/8', '::1'];
const find = (peer: string, forwarded?: string, scheme?: string) => {
  const headers = new Map<string, string>();
  if (forwarded !== undefined) headers.set('x-forwarded-for', forwarded);
  if (scheme !== undefined) headers.set('x-forwarded-proto', scheme);
  return clientAddress(trusted)(peer, headers);
};

describe('the client is', () => {
  test.each([
    ['the peer, when nobody reports another', '10.0.0.1', undefined, '10.0.0.1'],
    ['the peer, when it is not trusted', '198.51.100.1', '203.0.113.9', '198.51.100.1'],
    ['whom a trusted peer reports', '10.0.0.1', '203.0.113.9', '203.0.113.9'],
    ['whom a single trusted address reports', '192.0.2.7', '203.0.113.9', '203.0.113.9'],
    ['not whom its neighbour reports', '192.0.2.8', '203.0.113.9', '192.0.2.8'],
    ['the peer written in IPv4 form', '::ffff:198.51.100.1', '203.0.113.9', '198.51.100.1'],
    ['whom a trusted mapped peer reports', '::FFFF:10.0.0.1', '203.0.113.9', '203.0.113.9'],
    ['whom a trusted IPv6 peer reports', 'fd00::1', '2001:DB8:0:0::1', '2001:db8::1'],
    ['whom a trusted peer with a zone reports', 'fd00::1%eth0', '203.0.113.9', '203.0.113.9'],
    [
      'the first from the right that is not trusted',
      '10.0.0.1',
      '6.6.6.6, 203.0.113.9, 10.1.2.3,fd00::2',
      '203.0.113.9',
    ],
    ['the last trusted one, when all are', '10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['written without the port', '10.0.0.1', '203.0.113.9:4711', '203.0.113.9'],
    ['written without brackets', '10.0.0.1', '[2001:db8::1]:4711', '2001:db8::1'],
    ['a mapped address written in IPv4 form', '10.0.0.1', '::ffff:203.0.113.9', '203.0.113.9'],
    ['the last good one before a malformed entry', '10.0.0.1', '203.0.113.9, unknown, 10.0.0.2', '10.0.0.2'],
    ['the peer, when the entry is malformed', '10.0.0.1', '203.0.113.999', '10.0.0.1'],
    ['the peer, when the entry is empty', '10.0.0.1', '', '10.0.0.1'],
    ['the peer, when the entry has a zone', '10.0.0.1', 'fe80::1%1', '10.0.0.1'],
    ['nobody, when the connection is gone already', '', '203.0.113.9', ''],
  ])('%s', (_, peer, forwarded, expected) => {
    expect(find(peer, forwarded).address).toBe(expected);
  });
});

describe('the scheme is secure', () => {
  test.each([
    ['when a trusted peer says so', '10.0.0.1', 'https', true],
    ['not when anybody else says so', '198.51.100.1', 'https', false],
    ['not when it says http', '10.0.0.1', 'http', false],
    ['not when it says both', '10.0.0.1', 'https, http', false],
    ['not in other spellings', '10.0.0.1', 'HTTPS', false],
    ['not when nobody says anything', '10.0.0.1', undefined, false],
  ])('%s', (_, peer, scheme, expected) => {
    expect(find(peer, undefined, scheme).secure).toBe(expected);
  });
});

test.each([
  '10.0.0.0/33',
  '10.0.0.0/',
  '10.0.0.0/8/8',
  '10.0.0',
  'example.com',
  '*',
  '',
  '::/129',
  '10.0.0.0/-1',
  '1.2.3.4/+8',
])('refuses %j as a trusted proxy at start-up', (entry) => {
  expect(() => clientAddress([entry])).toThrow(TypeError);
});

test('everybody can be trusted only by saying so', () => {
  const everybody = clientAddress(['0.0.0.0/0']);
  expect(everybody('198.51.100.1', new Map([['x-forwarded-for', '203.0.113.9']])).address).toBe('203.0.113.9');
});
