import { describe, expect, test } from 'vitest';
import { answerHeaders } from '../../src/filter/headers.ts';
import type { UpstreamAnswer } from '../../src/model/response.ts';
import type { Route } from '../../src/model/route.ts';

const route = (headers: Record<string, string> = {}) =>
  ({ answerHeaders: new Map(Object.entries(headers)) }) as unknown as Route;
const passed = (headers: Record<string, string | string[]>, changed = false, own: Record<string, string> = {}) =>
  answerHeaders({ status: 200, headers } as unknown as UpstreamAnswer, route(own), changed);
const ALWAYS = ['x-content-type-options', 'nosniff'];

describe('of the upstream’s headers', () => {
  test.each([
    ...['set-cookie', 'set-cookie2', 'server', 'x-powered-by', 'clear-site-data', 'alt-svc', 'www-authenticate'],
    ...['access-control-allow-origin', 'access-control-allow-credentials', 'access-control-expose-headers'],
    ...['strict-transport-security', 'content-security-policy-report-only', 'nel', 'report-to', 'reporting-endpoints'],
    ...['ratelimit', 'ratelimit-policy', 'x-request-id', 'x-content-type-options'],
  ])('%s never passes', (name) => {
    expect(passed({ [name]: 'evil' })).toEqual(ALWAYS);
    expect(passed({ [name]: ['evil', 'twice'] }, true)).toEqual(ALWAYS);
  });

  test.each(['content-type', 'vary', 'date', 'content-disposition', 'retry-after', 'allow'])('%s passes', (name) => {
    expect(passed({ [name]: 'x' }, true)).toEqual([...ALWAYS, name, 'x']);
  });

  test.each([
    'content-length',
    'content-encoding',
    'etag',
    'last-modified',
    'accept-ranges',
    'content-range',
    'digest',
  ])('%s passes with the upstream’s own bytes only', (name) => {
    expect(passed({ [name]: 'x' })).toEqual([...ALWAYS, name, 'x']);
    expect(passed({ [name]: 'x' }, true)).toEqual(ALWAYS);
  });

  test('a repeated one is passed as often', () => {
    expect(passed({ vary: ['a', 'b'] })).toEqual([...ALWAYS, 'vary', 'a', 'vary', 'b']);
  });
});

test('what the policy says replaces what the upstream said', () => {
  const own = { 'cache-control': 'private, no-store', 'content-security-policy': 'sandbox' };
  expect(passed({ 'cache-control': 'public', 'content-security-policy': 'x', etag: '"a"' }, false, own)).toEqual([
    ...ALWAYS,
    ...['cache-control', 'private, no-store', 'content-security-policy', 'sandbox', 'etag', '"a"'],
  ]);
});

test('a flood of names that were never seen changes no verdict', () => {
  for (let index = 0; index < 3_000; index += 1) passed({ [`x-${index}`]: '1' });
  expect(passed({ 'set-cookie': 'a=b', etag: '"a"', 'x-2999': '1', nel: 'x' })).toEqual([
    ...ALWAYS,
    ...['etag', '"a"', 'x-2999', '1'],
  ]);
});
