/**
 * Requests that mean one thing to a careless gateway and another to the upstream. Each table is used twice: on the stage
 * that must refuse it, and over real sockets against the gateway and against the stand-in. `upstream: 'serves'` marks what
 * the upstream answers as if nothing were odd about it (contract, section 8), so that an attack can be shown to work there.
 */
import type { ReasonCode } from '../../src/model/reason.ts';

interface Hostile {
  readonly why: string;
  readonly upstream?: 'serves';
}

export interface HostileTarget extends Hostile {
  readonly target: string;
}

/** Refused as `target-invalid`. Those with raw control characters or spaces cannot cross a socket: Node refuses them. */
export const encodedTargets: readonly HostileTarget[] = [
  { target: '/%61pi/config', why: 'an encoded letter', upstream: 'serves' },
  { target: '/api%2Fconfig', why: 'an encoded slash', upstream: 'serves' },
  { target: '/api%2fconfig', why: 'an encoded slash in lower case', upstream: 'serves' },
  { target: '/api/canvas/%6cist', why: 'an encoded letter of the last segment', upstream: 'serves' },
  { target: '/api/config%0a', why: 'a line feed that the route pattern eats', upstream: 'serves' },
  { target: '/api/canvas/list%0A', why: 'the same in upper case', upstream: 'serves' },
  { target: '/api/config%0d%0a', why: 'an encoded line end' },
  { target: '/api/config%00', why: 'an encoded NUL' },
  { target: '/api/config%3fx', why: 'an encoded question mark' },
  { target: '/api/config%23x', why: 'an encoded number sign' },
  { target: '/api/%63onfig?x=1', why: 'an encoded letter before a query', upstream: 'serves' },
  { target: '/api/%2563onfig', why: 'encoded twice' },
  { target: '/api/%zz', why: 'a malformed escape' },
  { target: '/api/config%', why: 'half an escape' },
  { target: '/api/%u0063onfig', why: 'an escape of another world' },
  { target: '/api/%c1%a3onfig', why: 'an overlong encoding' },
  { target: '/api/canvas/%e2%80%8bx', why: 'an invisible character' },
  { target: '/api/file/a%5c..%5cb.png', why: 'an encoded backslash, a traversal on Windows' },
];

export const dotTargets: readonly HostileTarget[] = [
  { target: '/api/./config', why: 'a dot segment' },
  { target: '/api/canvas/../config', why: 'a double dot segment' },
  { target: '/..', why: 'above the root' },
  { target: '/.', why: 'a dot alone' },
  { target: '/api/config/.', why: 'a dot at the end' },
  { target: '/api/config/..', why: 'a double dot at the end' },
  { target: '/api/config/../', why: 'a double dot before the last slash' },
  { target: '/assets/../api/config', why: 'a public prefix left again' },
  { target: '/assets/..?x=/api/config', why: 'a double dot before a query' },
  { target: '/api/canvas/%2e%2e/config', why: 'encoded dots' },
  { target: '/api/canvas/.%2E/config', why: 'half encoded dots' },
  { target: '//api/config', why: 'an empty first segment' },
  { target: '/api//config', why: 'an empty segment' },
  { target: '/api/config//', why: 'an empty last segment' },
  { target: '//gateway.example/api/config', why: 'a network-path reference' },
  { target: '/api\\config', why: 'a backslash' },
  { target: '/\\gateway.example/', why: 'a backslash for the second slash' },
  { target: '/api/..;/config', why: 'a path parameter behind dots' },
];

export const oddTargets: readonly HostileTarget[] = [
  { target: 'http://127.0.0.1/api/config', why: 'the absolute form', upstream: 'serves' },
  { target: 'http://evil.example/api/config', why: 'the absolute form of another host', upstream: 'serves' },
  { target: 'gateway.example:443', why: 'the authority form' },
  { target: '*', why: 'the asterisk form' },
  { target: '', why: 'nothing' },
  { target: 'api/config', why: 'no slash at the start' },
  { target: '?x=/api/config', why: 'a query alone' },
  { target: '/api/config#x', why: 'a fragment', upstream: 'serves' },
  { target: '/api/config;x=1', why: 'a path parameter' },
  { target: '/api/config;', why: 'a semicolon' },
  { target: '/api/con fig', why: 'a space' },
  { target: '/api/config\t', why: 'a tab' },
  { target: '/api/config\n', why: 'a line feed' },
  { target: '/api/config\r\nX: y', why: 'a header inside' },
  { target: '/api/config\u0000', why: 'a NUL' },
  { target: '/api/config\u007f', why: 'a DEL' },
  { target: '/api/c\u00f6nfig', why: 'a letter outside ASCII' },
  { target: '/api/config\u2028', why: 'a line separator' },
  { target: '/api/\uff43onfig', why: 'a full-width letter' },
  ...[...'"<>[]^`{|}'].map((character) => ({ target: `/api/${character}`, why: `a raw ${character}` })),
];

export const hostileTargets: readonly HostileTarget[] = [...encodedTargets, ...dotTargets, ...oddTargets];

export interface HostileQuery extends Hostile {
  readonly query: string;
}

/** Refused as `query-invalid`, behind any path. */
export const hostileQueries: readonly HostileQuery[] = [
  { query: 'canvas_id=mine&canvas_id=yours', why: 'two values: the upstream takes the last', upstream: 'serves' },
  { query: 'canvas_id=a&x=1&canvas_id=a', why: 'twice the same value', upstream: 'serves' },
  { query: 'canvas%5fid=yours', why: 'an encoded name', upstream: 'serves' },
  { query: 'canvas_id=mine&canvas%5Fid=yours', why: 'the same name in two spellings', upstream: 'serves' },
  { query: '%63anvas_id=yours', why: 'an encoded letter of a name', upstream: 'serves' },
  { query: 'canvas+id=x', why: 'a space in a name' },
  { query: 'a[]=1&a[]=2', why: 'brackets in a name' },
  { query: '=x', why: 'an empty name' },
  { query: 'a=1&&b=2', why: 'an empty pair' },
  { query: 'a=1&', why: 'an empty last pair' },
  { query: '&a=1', why: 'an empty first pair' },
  { query: 'a=1;a=2', why: 'a semicolon, which separates for some' },
  { query: 'a;b=1', why: 'a semicolon in a name' },
  { query: 'a=%', why: 'half an escape' },
  { query: 'a=%4', why: 'half an escape with a digit' },
  { query: 'a=%zz', why: 'a malformed escape' },
  { query: 'a=%u0041', why: 'an escape of another world' },
  { query: 'a=%ff', why: 'not UTF-8' },
  { query: 'a=%c0%80', why: 'an overlong NUL' },
  { query: 'a=%ed%a0%80', why: 'half a surrogate pair' },
  { query: 'a=%00', why: 'a NUL' },
  { query: 'a=x%0a', why: 'a line feed' },
  { query: 'a=x%0d%0aSet-Cookie:%20y', why: 'a header inside' },
  { query: 'a=%7f', why: 'a DEL' },
  { query: 'a=%c2%85', why: 'a control character outside ASCII' },
  { query: 'a=1#x', why: 'a fragment' },
  { query: 'a=\\', why: 'a backslash' },
  { query: 'a=<x>', why: 'angle brackets' },
  { query: 'a="x"', why: 'quotes' },
  { query: 'a=b c', why: 'a raw space' },
  { query: 'a=\u00e9', why: 'a letter outside ASCII' },
  { query: Array.from({ length: 101 }, (_, index) => `p${index}=1`).join('&'), why: 'more than a hundred pairs' },
];

export interface HostileHeaders extends Hostile {
  /** Names and values alternating, to be sent beside `Host: gateway.example`. */
  readonly headers: readonly string[];
  readonly reason: ReasonCode;
}

const twice = (name: string, first: string, second: string): HostileHeaders => ({
  headers: [name, first, name.toUpperCase(), second],
  why: `${name} twice`,
  reason: 'header-invalid',
});

export const duplicateHeaders: readonly HostileHeaders[] = [
  { headers: ['host', 'gateway.example'], why: 'Host twice', reason: 'host-invalid', upstream: 'serves' },
  { headers: ['HOST', 'evil.example'], why: 'another Host', reason: 'host-invalid', upstream: 'serves' },
  twice('Authorization', 'Bearer mine', 'Bearer yours'),
  twice('Authorization', 'Bearer mine', 'Bearer mine'),
  twice('Cookie', 'session=mine', 'session=yours'),
  twice('Content-Type', 'application/json', 'text/plain'),
  twice('Origin', 'https://gateway.example', 'https://evil.example'),
  twice('Range', 'bytes=0-1', 'bytes=2-3'),
  twice('If-Range', '"a"', '"b"'),
  twice('Expect', '100-continue', '100-continue'),
  twice('X-Forwarded-Proto', 'http', 'https'),
  twice('Sec-Fetch-Site', 'same-origin', 'cross-site'),
  twice('Sec-WebSocket-Key', 'AAAAAAAAAAAAAAAAAAAAAA==', 'BBBBBBBBBBBBBBBBBBBBBA=='),
  twice('Traceparent', '00-a', '00-b'),
];

/** Framing that two parties could read differently. Node itself refuses most of it before the gateway sees it. */
export const hostileFraming: readonly HostileHeaders[] = [
  ...[
    ['Content-Length', '5', 'Transfer-Encoding', 'chunked'],
    ['Transfer-Encoding', 'chunked', 'content-length', '0'],
    ['Content-Length', '5', 'Content-Length', '6'],
    ['Content-Length', '5', 'content-length', '5'],
    ['Transfer-Encoding', 'chunked', 'transfer-encoding', 'chunked'],
    ...['+5', '-5', '0x5', '5,5', '5, 5', '5 5', ' 5', '5.0', '5e1', '05', '', '5_0', '9'.repeat(30)].map((length) => [
      'Content-Length',
      length,
    ]),
    ...['xchunked', 'Chunked', 'identity', 'gzip, chunked', 'chunked, chunked', 'chunked;q=1', ' chunked', ''].map(
      (encoding) => ['Transfer-Encoding', encoding],
    ),
  ].map((headers) => ({ headers, why: headers.join(' '), reason: 'header-invalid' as const })),
  { headers: ['Expect', '200-ok'], why: 'an unknown expectation', reason: 'expectation-unsupported' },
  { headers: ['Expect', '100-continue, x'], why: 'two expectations', reason: 'expectation-unsupported' },
];

/** Sent as the only Host where `gateway.example` alone is served. */
export const hostileHosts: readonly { readonly host: string; readonly why: string; readonly reason: ReasonCode }[] = [
  { host: 'evil.example', why: 'another host', reason: 'host-unknown' },
  { host: 'gateway.example.evil.example', why: 'ours as a prefix', reason: 'host-unknown' },
  { host: 'evil-gateway.example', why: 'ours as a suffix', reason: 'host-unknown' },
  { host: '127.0.0.1', why: 'an address', reason: 'host-unknown' },
  { host: '[::1]:80', why: 'an IPv6 address', reason: 'host-unknown' },
  { host: '', why: 'an empty one', reason: 'host-invalid' },
  { host: 'gateway.example@evil.example', why: 'user information', reason: 'host-invalid' },
  { host: 'evil.example/gateway.example', why: 'a path', reason: 'host-invalid' },
  { host: 'gateway.example, evil.example', why: 'a list', reason: 'host-invalid' },
  { host: 'gateway.example evil.example', why: 'two words', reason: 'host-invalid' },
  { host: 'gateway.example:80:80', why: 'two ports', reason: 'host-invalid' },
  { host: 'gateway.example:', why: 'an empty port', reason: 'host-invalid' },
  { host: 'gateway.example:65536', why: 'a port out of range', reason: 'host-invalid' },
  { host: 'gateway.example:8e1', why: 'a port that is not a number', reason: 'host-invalid' },
  { host: 'gateway%2eexample', why: 'an escape', reason: 'host-invalid' },
  { host: 'gateway.example?x', why: 'a query', reason: 'host-invalid' },
  { host: 'gateway.example#x', why: 'a fragment', reason: 'host-invalid' },
  { host: 'gateway..example', why: 'an empty label', reason: 'host-invalid' },
  { host: 'g\u00e4teway.example', why: 'a letter outside ASCII', reason: 'host-invalid' },
];

/** Headers by which other gateways were told another path, method, host or caller. They must change nothing. */
export const overrideHeaders: readonly (readonly [name: string, value: string])[] = [
  ['X-Original-URL', '/api/config'],
  ['X-Rewrite-URL', '/api/config'],
  ['X-Original-URI', '/api/config'],
  ['X-Forwarded-Uri', '/api/config'],
  ['X-Forwarded-Path', '/api/config'],
  ['X-Forwarded-Prefix', '/api'],
  ['X-Forwarded-Host', 'evil.example'],
  ['X-Forwarded-Server', 'evil.example'],
  ['X-Forwarded-Port', '1'],
  ['X-Forwarded-Method', 'DELETE'],
  ['X-Forwarded-Proto', 'https'],
  ['X-Forwarded-Scheme', 'https'],
  ['X-Forwarded-Ssl', 'on'],
  ['Front-End-Https', 'on'],
  ['X-Forwarded-For', '10.0.0.1'],
  ['X-Real-IP', '10.0.0.1'],
  ['X-Client-IP', '10.0.0.1'],
  ['True-Client-IP', '10.0.0.1'],
  ['CF-Connecting-IP', '10.0.0.1'],
  ['Forwarded', 'for=10.0.0.1;proto=https;host=evil.example'],
  ['X-HTTP-Method-Override', 'DELETE'],
  ['X-HTTP-Method', 'DELETE'],
  ['X-Method-Override', 'DELETE'],
  ['X-User-Id', 'main|alice'],
  ['x_user_id', 'main|alice'],
  ['X-Forwarded-User', 'main|alice'],
  ['Remote-User', 'main|alice'],
];
