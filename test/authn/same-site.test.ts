import { describe, expect, test } from 'vitest';
import { isNavigation, isUpgrade, type SiteOptions, sameSite } from '../../src/authn/same-site.ts';
import { Rejection } from '../../src/model/rejection.ts';
import { request, type Shown } from '../support/token-issuer.ts';

const SITE: SiteOptions = { url: undefined, origins: ['https://app.example'] };
const OWN = 'https://gateway.example';

type Headers = Readonly<Record<string, string>>;

interface Judged extends Pick<Shown, 'method' | 'secure'> {
  readonly handshake?: boolean;
  readonly site?: SiteOptions;
}

const judged = (headers: Headers, { method, secure, handshake = false, site = SITE }: Judged = {}): string => {
  try {
    sameSite(site)(
      request(undefined, { headers, ...(method && { method }), ...(secure !== undefined && { secure }) }),
      handshake,
    );
    return 'passes';
  } catch (error) {
    if (error instanceof Rejection) return `${error.reason} ${error.status}`;
    throw error;
  }
};

const FOREIGN = 'site-foreign 403';
const site = (value: string, more: Headers = {}): Headers => ({ 'sec-fetch-site': value, ...more });
const origin = (value: string): Headers => ({ origin: value });

/** What acts or opens: by the method, or because it is a handshake. */
const ACTS: ReadonlyArray<[string, Judged]> = [
  ...['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND'].map((method): [string, Judged] => [method, { method }]),
  ['the handshake of a socket that polls', { handshake: true }],
];

describe.each(ACTS)('%s with a cookie', (_, how) => {
  test.each([
    ['the gateway’s own page', site('same-origin', origin(OWN))],
    ['the gateway’s own page, by the browser’s word alone', site('same-origin')],
    ['the gateway’s own page, where the browser says nothing but its origin', origin(OWN)],
    ['an own page that a person had sent', site('none', origin(OWN))],
    ['a listed page', site('cross-site', origin('https://app.example'))],
    ['a listed page of an old browser', origin('https://app.example')],
  ])('is let pass for %s', (_name, headers) => {
    expect(judged(headers, how)).toBe('passes');
  });

  test.each([
    ['a page of another site', site('cross-site', origin('https://evil.example'))],
    ['a page of another host of this site', site('same-site', origin('https://other.gateway.example'))],
    ['a page without an origin', site('cross-site', origin('null'))],
    ['a page of an old browser', origin('https://evil.example')],
    ['a page of an old browser without an origin', origin('null')],
    ['a page that says it is listed, nearly', origin('https://app.example.evil.example')],
    ['nobody who says', {}],
    ['a person, without an origin', site('none')],
    ['a browser that says what nobody knows', site('same-planet', origin('https://evil.example'))],
    ['a page that looks own to Host, and not to the browser', site('cross-site', origin(OWN))],
    ['a page that looks own to Host, and to the browser of another host', site('same-site', origin(OWN))],
    ['a form that a foreign page sends', site('cross-site', { 'sec-fetch-mode': 'navigate', ...origin('null') })],
  ])('is refused for %s', (_name, headers) => {
    expect(judged(headers, how)).toBe(FOREIGN);
  });
});

describe.each(['GET', 'HEAD'])('%s with a cookie', (method) => {
  test.each([
    ['the gateway’s own page', site('same-origin')],
    ['a person who opened it', site('none')],
    ['an old browser', {}],
    ['an old browser on an own page', origin(OWN)],
    ['a link on another site', site('cross-site', { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' })],
    ['a link on another host', site('same-site', { 'sec-fetch-mode': 'navigate' })],
    ['a listed page', site('cross-site', { 'sec-fetch-mode': 'cors', ...origin('https://app.example') })],
  ])('is let pass for %s', (_, headers) => {
    expect(judged(headers, { method })).toBe('passes');
  });

  test.each([
    ['a picture on another site', site('cross-site', { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' })],
    ['a picture on another host of this site', site('same-site', { 'sec-fetch-mode': 'no-cors' })],
    ['a script of another site', site('cross-site', { 'sec-fetch-mode': 'cors', ...origin('https://evil.example') })],
    [
      'a frame in a page of another host',
      site('same-site', { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' }),
    ],
    ['a script of another site in an old browser', origin('https://evil.example')],
    ['a browser that says what nobody knows', site('same-planet')],
  ])('is refused for %s', (_, headers) => {
    expect(judged(headers, { method })).toBe(FOREIGN);
  });
});

describe('the handshake of a WebSocket with a cookie', () => {
  const upgrade = { upgrade: 'websocket' };

  test.each([
    ['own page', { ...upgrade, ...origin(OWN) }, 'passes'],
    [
      'own page, which some browsers call foreign to wss:',
      { ...upgrade, ...site('cross-site', origin(OWN)) },
      'passes',
    ],
    ['listed page', { ...upgrade, ...origin('https://app.example') }, 'passes'],
    ['foreign page', { ...upgrade, ...origin('https://evil.example') }, FOREIGN],
    ['program that shows no origin', upgrade, FOREIGN],
  ])('of an %s: %s', (_, headers, expected) => {
    expect(judged(headers, { handshake: true })).toBe(expected);
  });
});

test('where the gateway is known by https, a page without TLS is not its own, whatever a proxy told', () => {
  const page = origin('http://gateway.example');
  expect(judged(page, { method: 'POST', secure: false })).toBe('passes');
  expect(judged(page, { method: 'POST', secure: false, site: { ...SITE, url: OWN } })).toBe(FOREIGN);
  expect(judged(page, { method: 'POST', secure: true })).toBe(FOREIGN);
});

test('the address under which the gateway is known is its own where Host is another', () => {
  const page = { host: '10.0.0.7:8080', ...origin('https://known.example') };
  expect(judged(page, { method: 'POST' })).toBe(FOREIGN);
  expect(judged(page, { method: 'POST', site: { ...SITE, url: 'https://known.example' } })).toBe('passes');
});

test('what is listed must be an origin', () => {
  expect(() => sameSite({ url: undefined, origins: ['app.example'] })).toThrow(TypeError);
  expect(() => sameSite({ url: 'https://known.example/path', origins: [] })).toThrow(TypeError);
});

test('an upgrade is one to WebSocket, in any case of letters', () => {
  expect(isUpgrade(request(undefined, { headers: { upgrade: 'WebSocket' } }))).toBe(true);
  expect(isUpgrade(request(undefined, { headers: { upgrade: 'h2c' } }))).toBe(false);
  expect(isUpgrade(request())).toBe(false);
});

test('a navigation shows a page by itself', () => {
  const told = (headers: Headers) => isNavigation(request(undefined, { headers }));
  expect(told({ 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' })).toBe(true);
  expect(told({ 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' })).toBe(false);
  expect(told({ 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'document' })).toBe(false);
  expect(told({})).toBe(false);
});
