import { describe, expect, test } from 'vitest';
import type { GrantInShadow } from '../../src/model/grant.ts';
import type { Principal } from '../../src/model/principal.ts';
import type { SentBody } from '../../src/model/request.ts';
import type { Assertion } from '../../src/rewrite/headers.ts';
import { passingOn } from '../../src/rewrite/rewrite.ts';
import { canonical } from '../../src/server/canonical.ts';
import { jaazPolicy } from '../support/policies.ts';
import { principalOf } from '../support/stages.ts';

const canonicalize = canonical({ hosts: undefined, trustedProxies: [], newId: () => 'r' });
const policy = jaazPolicy();

interface Given {
  readonly method?: string;
  readonly target: string;
  readonly headers?: readonly string[];
  readonly sent?: SentBody;
  readonly principal?: Principal;
}

const assertion: Assertion = { header: 'x-proof', sign: ({ target, method }) => `${method} ${target}` };

const outbound = ({ method = 'GET', target, headers = [], sent, principal }: Given) => {
  const raw = { method, target, rawHeaders: ['Host', 'x', ...headers], remoteAddress: '192.0.2.1' };
  const request = { canonical: canonicalize(raw), body: { kind: 'none' }, shadow: { sent } };
  const match = policy.match(method, target.split('?', 1)[0] ?? '');
  return passingOn({ assertion })({ request } as unknown as GrantInShadow, match, principal);
};

describe('the target', () => {
  test.each([
    ['/', '/'],
    ['/no/such/path', '/no/such/path'],
    ['/api/canvas/c', '/api/canvas/c'],
    ['/api/canvas/c/?x', '/api/canvas/c/?x='],
    ['/api/canvas/list?a=%41%26b=2&c=x+y', '/api/canvas/list?a=A%26b%3D2&c=x%20y'],
  ])('%s leaves as %s', (target, expected) => {
    expect(outbound({ target }).target).toBe(expected);
  });
});

describe('the headers', () => {
  test('are the closed list, as ever', () => {
    const given = ['Authorization', 'Bearer x', 'Cookie', 'a=b', 'X-User-Id', 'evil', 'Accept', '*/*', 'X-Own', '1'];
    const { headers } = outbound({ target: '/', headers: [...given, 'Range', 'bytes=0-1', 'If-None-Match', '"e"'] });
    const passed = ['accept', '*/*', 'range', 'bytes=0-1', 'if-none-match', '"e"'];
    expect(headers).toEqual(['x-request-id', 'r', ...passed]);
  });

  test('name the caller where one is known', () => {
    const { headers } = outbound({ target: '/', principal: principalOf('alice') });
    expect(headers.slice(0, 4)).toEqual(['x-request-id', 'r', 'x-user-id', 'test|alice']);
  });

  test('hold a signed word about the target as it leaves', () => {
    const { headers } = outbound({ target: '/no/such?b=%41', method: 'PUT', principal: principalOf('alice') });
    expect(headers.slice(4)).toEqual(['x-proof', 'PUT /no/such?b=A']);
  });
});

describe('a body', () => {
  const framing = ['Content-Type', 'text/odd; x=1', 'Content-Encoding', 'gzip', 'Content-Length', '4'];

  test('in memory goes with its type, and its length is known', () => {
    const sent = [Buffer.from('ab'), Buffer.from('cd')];
    const { headers, body } = outbound({ method: 'POST', target: '/x', headers: framing, sent });
    expect(body).toBe(sent);
    expect(headers.slice(2)).toEqual(['content-type', 'text/odd; x=1', 'content-encoding', 'gzip']);
  });

  test('that still arrives keeps the length that the client announced', () => {
    async function* sent(): AsyncGenerator<Buffer> {
      yield Buffer.from('abcd');
    }
    const { headers } = outbound({ method: 'POST', target: '/x', headers: framing, sent: sent() });
    expect(headers.slice(-2)).toEqual(['content-length', '4']);
  });

  test('that is not there has no type', () => {
    expect(outbound({ method: 'POST', target: '/x', headers: ['Content-Type', 'a/b'] }).headers).toEqual([
      'x-request-id',
      'r',
    ]);
  });
});

test('the timeout is the route’s, or the usual one', () => {
  expect(outbound({ method: 'POST', target: '/api/chat' }).timeoutMillis).toBe(900_000);
  expect(outbound({ target: '/no/such/path' }).timeoutMillis).toBe(60_000);
});
