import { describe, expect, test } from 'vitest';
import type { CanonicalRequest } from '../../src/model/request.ts';
import { canonical } from '../../src/server/canonical.ts';
import { checkNavigation, isForPage, originAsked, ownPageCheck } from '../../src/server/login-request.ts';
import { refusalOf } from '../support/bodies.ts';

const canonicalize = canonical({ hosts: undefined, trustedProxies: ['127.0.0.1'] });
const request = (headers: Readonly<Record<string, string>>, method = 'GET'): CanonicalRequest =>
  canonicalize({
    method,
    target: '/',
    rawHeaders: ['Host', 'jaaz.example', ...Object.entries(headers).flat()],
    remoteAddress: '127.0.0.1',
  });

describe('what is shown as a page', () => {
  test.each([
    [{ 'sec-fetch-mode': 'navigate' }, true],
    [{ 'sec-fetch-mode': 'navigate', accept: 'application/json' }, true],
    [{ 'sec-fetch-mode': 'cors', accept: 'text/html' }, false],
    [{ accept: 'application/xhtml+xml,Text/HTML;q=0.9' }, true],
    [{ accept: '*/*' }, false],
    [{}, false],
  ])('%j: %j', (headers, expected) => {
    expect(isForPage(request(headers))).toBe(expected);
  });
});

describe('a navigation', () => {
  test.each([
    {},
    { accept: 'text/html' },
    { 'sec-fetch-mode': 'navigate' },
    { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document', 'sec-fetch-site': 'cross-site' },
  ])('%j is one', async (headers) => {
    expect(await refusalOf(() => checkNavigation(request(headers)))).toBe('accepted');
  });

  test.each([
    { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' },
    { 'sec-fetch-mode': 'no-cors' },
    { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty', 'sec-fetch-site': 'same-origin' },
    ...['iframe', 'frame', 'embed', 'object', 'empty'].map((destination) => ({
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': destination,
    })),
  ])('%j is none', async (headers) => {
    expect(await refusalOf(() => checkNavigation(request(headers)))).toBe('site-foreign 403');
  });

  test.each(['HEAD', 'POST'])('%s is none', async (method) => {
    expect(await refusalOf(() => checkNavigation(request({}, method)))).toBe('route-unknown 404');
  });
});

describe('a page of the gateway’s own', () => {
  const check = (headers: Readonly<Record<string, string>>, publicUrl?: string) =>
    refusalOf(() => ownPageCheck(publicUrl)(request(headers, 'POST')));

  test.each([
    { 'sec-fetch-site': 'same-origin' },
    { 'sec-fetch-site': 'same-origin', origin: 'null' },
    { origin: 'https://jaaz.example' },
    { origin: 'http://jaaz.example' },
    { origin: 'https://jaaz.example', 'sec-fetch-site': 'none' },
  ])('sent %j', async (headers) => {
    expect(await check(headers)).toBe('accepted');
  });

  test.each([
    {},
    { 'sec-fetch-site': 'none' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site', origin: 'https://other.jaaz.example' },
    { 'sec-fetch-site': 'cross-site', origin: 'https://jaaz.example' },
    { origin: 'null' },
    { origin: 'https://evil.example' },
    { origin: 'https://jaaz.example.evil.example' },
    { origin: 'http://jaaz.example', 'x-forwarded-proto': 'https' },
  ])('did not send %j', async (headers) => {
    expect(await check(headers)).toBe('site-foreign 403');
  });

  test('is one of the address that the operator names, whatever a proxy made of Host', async () => {
    expect(await check({ origin: 'https://public.example' }, 'https://public.example')).toBe('accepted');
    expect(await check({ origin: 'https://public.example' })).toBe('site-foreign 403');
    // Without TLS anybody may have answered in the gateway's place.
    expect(await check({ origin: 'http://jaaz.example' }, 'https://jaaz.example')).toBe('site-foreign 403');
  });
});

describe('the address that the browser knows', () => {
  test.each([
    [{}, 'http://jaaz.example'],
    [{ 'x-forwarded-proto': 'https' }, 'https://jaaz.example'],
  ])('%j: %s', (headers, expected) => {
    expect(originAsked(request(headers))).toBe(expected);
  });

  test('is as a browser writes it: in small letters, and without the port of its scheme', () => {
    const asked = (host: string) =>
      originAsked(canonicalize({ method: 'GET', target: '/', rawHeaders: ['Host', host], remoteAddress: '192.0.2.1' }));
    expect(asked('JAAZ.example:80')).toBe('http://jaaz.example');
    expect(asked('[::1]:8080')).toBe('http://[::1]:8080');
  });
});
