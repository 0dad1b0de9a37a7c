import { describe, expect, test } from 'vitest';
import type { CanonicalRequest, RawRequest } from '../../src/model/request.ts';
import { type CanonicalOptions, canonical } from '../../src/server/canonical.ts';
import { refusalOf } from '../support/bodies.ts';

type Given = Partial<RawRequest> & {
  readonly headers?: readonly string[];
  readonly options?: Partial<CanonicalOptions>;
};

const read = ({ headers = [], options = {}, ...raw }: Given = {}): CanonicalRequest =>
  canonical({ hosts: undefined, trustedProxies: [], ...options })({
    method: 'GET',
    target: '/',
    rawHeaders: ['Host', 'gateway.example', ...headers],
    remoteAddress: '192.0.2.1',
    ...raw,
  });
const refusal = (given: Given): Promise<string> => refusalOf(() => read(given));

describe('the target', () => {
  test.each([
    '/',
    '/api/canvas/list',
    '/api/canvas/-_V1StGXR8Z5jdHi6B-my',
    '/api/file/im_AbCd1234.png',
    '/socket.io/',
    '/assets/index-B1x_2.js',
    '/.well-known/oauth-protected-resource',
    '/api/...',
    '/api/a..b',
    "/a~!$&'()*+,=:@b",
  ])('accepts the path %s as it is', (path) => {
    expect(read({ target: path }).path).toBe(path);
    expect(read({ target: `${path}?a=1` }).path).toBe(path);
  });

  test('refuses one that is too long before anything else', async () => {
    expect(read({ target: `/${'a'.repeat(8191)}` }).path).toHaveLength(8192);
    expect(await refusal({ target: `/${'%'.repeat(8192)}` })).toBe('target-too-long 414');
    expect(await refusal({ target: '/12345', options: { maxTargetLength: 5 } })).toBe('target-too-long 414');
  });

  test('refuses a very long hostile path without backtracking for ever', async () => {
    expect(await refusal({ target: `/${'a'.repeat(100_000)}%`, options: { maxTargetLength: 1e6 } })).toBe(
      'target-invalid 400',
    );
    expect(await refusal({ target: `${'/a'.repeat(100_000)}%`, options: { maxTargetLength: 1e6 } })).toBe(
      'target-invalid 400',
    );
  });

  test.each(['get', 'G ET', '', 'GET\r\n', 'M-SEARCH', 'A'.repeat(21)])('refuses the method %j', async (method) => {
    expect(await refusal({ method })).toBe('request-malformed 400');
  });
});

describe('the query', () => {
  test('is decoded once, in order', () => {
    const { query } = read({ target: '/?b=%41%2541&a=x+y%2B&c&d=&e=a=b&f=%C3%A9%F0%9F%98%80&g=/?:@' });
    expect([...query]).toEqual([
      ['b', 'A%41'],
      ['a', 'x y+'],
      ['c', ''],
      ['d', ''],
      ['e', 'a=b'],
      ['f', 'é😀'],
      ['g', '/?:@'],
    ]);
  });

  test('may be empty', () => {
    expect(read({ target: '/?' }).query.size).toBe(0);
    expect(read({ target: '/' }).query.size).toBe(0);
  });

  test('may have a hundred pairs, and names like those of prototypes', () => {
    const pairs = Array.from({ length: 98 }, (_, index) => `p${index}=1`).join('&');
    expect(read({ target: `/?__proto__=1&constructor=2&${pairs}` }).query.size).toBe(100);
  });
});

describe('the headers', () => {
  test('have lower-case names and their values as they came', () => {
    const { headers } = read({ headers: ['X-ODD_Name', ' \tv ', 'ACCEPT', '*/*', 'accept-Language', '\u00e9'] });
    expect([...headers]).toEqual([
      ['host', 'gateway.example'],
      ['x-odd_name', ' \tv '],
      ['accept', '*/*'],
      ['accept-language', '\u00e9'],
    ]);
  });

  test('are joined where a list is meant, unknown ones too', () => {
    const { headers } = read({
      headers: [
        'Via',
        '1.1 a',
        'X-Odd',
        '1',
        'via',
        '1.1 b',
        'x-odd',
        '2',
        'X-Forwarded-For',
        'a',
        'x-forwarded-for',
        'b',
      ],
    });
    expect(headers.get('via')).toBe('1.1 a, 1.1 b');
    expect(headers.get('x-odd')).toBe('1, 2');
    expect(headers.get('x-forwarded-for')).toBe('a, b');
  });

  test.each([
    ['X', 'a\u0000'],
    ['X', 'a\nb'],
    ['X', 'a\rb'],
    ['X', 'a\u007f'],
    ['X', 'a\u0001'],
    ['X', 'a\u0100'],
    ['', 'a'],
    ['X Y', 'a'],
    ['X:', 'a'],
    ['X\u0000', 'a'],
    ['H\u00f6st', 'a'],
    ['Content-Length ', '0'],
  ])('refuse %j: %j', async (name, value) => {
    expect(await refusal({ headers: [name, value] })).toBe('header-invalid 400');
  });

  test('are at most two hundred', async () => {
    const many = Array.from({ length: 199 }, (_, index) => [`x-${index}`, '']).flat();
    expect(read({ headers: many }).headers.size).toBe(200);
    expect(await refusal({ headers: [...many, 'x', ''] })).toBe('header-invalid 400');
    expect(await refusal({ rawHeaders: ['Host', 'x', 'X'] })).toBe('header-invalid 400');
  });
});

describe('the framing', () => {
  test.each([
    [[], false],
    [['Content-Length', '0'], false],
    [['Content-Length', '1'], true],
    [['Content-Length', '123456789'], true],
    [['Transfer-Encoding', 'chunked'], true],
    [['Transfer-Encoding', 'chunked', 'Expect', '100-Continue'], true],
  ])('of %j announces a body: %s', (headers, announced) => {
    expect(read({ headers }).hasBody).toBe(announced);
  });
});

describe('the host', () => {
  const hosts = ['Gateway.Example', 'other.example:8443', '[::1]'];

  test.each(['gateway.example', 'GATEWAY.example', 'gateway.example:1', 'other.example:8443', '[::1]', '[::1]:80'])(
    '%s is served',
    (host) => {
      expect(read({ rawHeaders: ['Host', host], options: { hosts } }).headers.get('host')).toBe(host);
    },
  );

  test('is served on the listed port only, where one is listed', async () => {
    expect(await refusal({ rawHeaders: ['Host', 'other.example'], options: { hosts } })).toBe('host-unknown 421');
    expect(await refusal({ rawHeaders: ['Host', 'other.example:1'], options: { hosts } })).toBe('host-unknown 421');
  });

  test('is needed, whatever the version of the protocol', async () => {
    expect(await refusal({ rawHeaders: [] })).toBe('host-invalid 400');
  });

  test('serves none where the list is empty', async () => {
    expect(await refusal({ options: { hosts: [] } })).toBe('host-unknown 421');
  });

  test('must be well-formed in the list as well', () => {
    expect(() => canonical({ hosts: ['https://x'], trustedProxies: [] })).toThrow(TypeError);
  });
});

describe('the id', () => {
  test('is new for each request', () => {
    expect(read().id).toMatch(/^[0-9a-f-]{36}$/);
    expect(read().id).not.toBe(read().id);
    expect(read({ options: { newId: () => 'r1' } }).id).toBe('r1');
  });
});
