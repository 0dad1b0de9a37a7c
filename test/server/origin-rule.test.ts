import { describe, expect, test } from 'vitest';
import { canonical } from '../../src/server/canonical.ts';
import { originRule } from '../../src/server/origin-rule.ts';

const check = originRule(['https://app.example', 'http://localhost:5173']);

const judged = (origin: string | undefined, host = 'gateway.example', more: readonly string[] = []): string => {
  const rawHeaders = ['Host', host, ...(origin === undefined ? [] : ['Origin', origin]), ...more];
  const canonicalize = canonical({ hosts: undefined, trustedProxies: ['192.0.2.1'] });
  try {
    check(canonicalize({ method: 'GET', target: '/', rawHeaders, remoteAddress: '192.0.2.1' }));
    return 'passes';
  } catch (error) {
    return String((error as { reason?: string }).reason);
  }
};

describe('a page', () => {
  test.each([
    ['of the gateway’s own host', 'https://gateway.example', 'gateway.example'],
    ['of its own host and port', 'http://gateway.example:8080', 'gateway.example:8080'],
    ['whose port need not be told', 'https://gateway.example', 'gateway.example:443'],
    ['of a listed origin', 'https://app.example', 'gateway.example'],
    ['of a listed origin with a port', 'http://localhost:5173', 'gateway.example'],
  ])('%s may connect', (_, origin, host) => {
    expect(judged(origin, host)).toBe('passes');
  });

  test.each([
    ['of another host', 'https://evil.example'],
    ['of another port', 'https://gateway.example:444'],
    ['of a listed host by another scheme', 'http://app.example'],
    ['of a host that begins like a listed one', 'https://app.example.evil.example'],
    ['without an origin of its own', 'null'],
    ['that shows a path', 'https://gateway.example/'],
    ['that shows a user', 'https://a@gateway.example'],
    ['of a file', 'file://'],
    ['of another scheme', 'ws://gateway.example'],
    ['that shows no origin', 'gateway.example'],
  ])('%s may not', (_, origin) => {
    expect(judged(origin)).toBe('origin-refused');
  });

  test('that came without TLS may not come to what is served with it', () => {
    expect(judged('http://gateway.example')).toBe('passes');
    expect(judged('http://gateway.example', 'gateway.example', ['X-Forwarded-Proto', 'https'])).toBe('origin-refused');
  });
});

test('a program shows no origin, and may connect', () => {
  expect(judged(undefined)).toBe('passes');
});

test('a list with what is no origin is none', () => {
  for (const origin of ['app.example', 'https://app.example/', '*', '']) {
    expect(() => originRule([origin]), origin).toThrow('Not an origin');
  }
});
