import { describe, expect, test } from 'vitest';
import { allowedOrigins, listedOrigins, originOf } from '../../src/model/origin.ts';

const LISTED = listedOrigins(['https://app.example', 'http://localhost:5173']);

const judged = (origin: string | undefined, { host = 'gateway.example', secure = false } = {}) => {
  const headers = new Map([['host', host], ...(origin === undefined ? [] : ([['origin', origin]] as const))]);
  return originOf({ headers, secure }, LISTED);
};

describe('the gateway’s own page', () => {
  test.each([
    ['of its host', 'https://gateway.example', 'gateway.example'],
    ['of its host and port', 'http://gateway.example:8080', 'gateway.example:8080'],
    ['whose port need not be told', 'https://gateway.example', 'gateway.example:443'],
    ['of an address', 'http://[::1]:8080', '[::1]:8080'],
  ])('is one %s', (_, origin, host) => {
    expect(judged(origin, { host })).toBe('own');
  });

  test('is none that came without TLS where the gateway is reached with it', () => {
    expect(judged('http://gateway.example')).toBe('own');
    expect(judged('http://gateway.example', { secure: true })).toBe('foreign');
    expect(judged('https://gateway.example', { secure: true })).toBe('own');
  });
});

test.each(['https://app.example', 'http://localhost:5173'])('%s is listed', (origin) => {
  expect(judged(origin)).toBe('listed');
});

test.each([
  'https://evil.example',
  'https://gateway.example:444',
  'http://app.example',
  'https://app.example.evil.example',
  'https://sub.gateway.example',
  'null',
  'https://gateway.example/',
  'https://a@gateway.example',
  'file://',
  'ws://gateway.example',
  'gateway.example',
  '',
])('%j is foreign', (origin) => {
  expect(judged(origin)).toBe('foreign');
});

test('a program shows none', () => {
  expect(judged(undefined)).toBe('none');
});

test('a list with what is no origin is none', () => {
  for (const origin of ['app.example', 'https://app.example/', '*', '']) {
    expect(() => listedOrigins([origin]), origin).toThrow('Not an origin');
  }
});

test('the gateway’s own address, where the operator says it, is one of those that may', () => {
  expect(allowedOrigins({ url: undefined, origins: ['https://a.example'] })).toEqual(['https://a.example']);
  expect(allowedOrigins({ url: 'https://own.example', origins: ['https://a.example'] })).toEqual([
    ...['https://a.example', 'https://own.example'],
  ]);
});
