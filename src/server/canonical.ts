/**
 * The first judge: what is this request, if every party on its way is to read it alike? The upstream decodes paths, takes
 * absolute targets, two Hosts and the last of two query values (contract, section 8). Nothing ambiguous gets past this
 * file, and nothing behind it sees the raw target.
 */
import { randomUUID } from 'node:crypto';
import { Rejection } from '../model/rejection.ts';
import type { CanonicalRequest, RawRequest } from '../model/request.ts';
import { clientAddress } from './client-address.ts';
import { hostChecker } from './host.ts';

export interface CanonicalOptions {
  /** The hosts that are served, with or without a port; undefined accepts every valid one. */
  readonly hosts: readonly string[] | undefined;
  /** Peers whose X-Forwarded-For and X-Forwarded-Proto are believed: addresses or CIDRs. */
  readonly trustedProxies: readonly string[];
  /** In characters; 8192 unless told. */
  readonly maxTargetLength?: number;
  readonly newId?: () => string;
}

/** Returns the one reading of a request that the rest of the gateway works with, or throws a Rejection. */
export function canonical(options: CanonicalOptions): (raw: RawRequest) => CanonicalRequest {
  const maxTargetLength = options.maxTargetLength ?? 8192;
  const newId = options.newId ?? randomUUID;
  const checkHost = hostChecker(options.hosts);
  const findClient = clientAddress(options.trustedProxies);

  return function canonicalize(raw) {
    if (!methodForm.test(raw.method)) throw new Rejection('request-malformed', 'the method is not upper-case letters');
    const { target } = raw;
    if (target.length > maxTargetLength) throw new Rejection('target-too-long', `${target.length} characters`);
    const mark = target.indexOf('?');
    const path = mark === -1 ? target : target.slice(0, mark);
    checkPath(path);
    const query = mark === -1 || mark === target.length - 1 ? noQuery : readQuery(target.slice(mark + 1));
    const headers = readHeaders(raw.rawHeaders);
    checkHost(headers.get('host'));
    const hasBody = announcesBody(headers);
    const expectation = headers.get('expect');
    if (expectation !== undefined && expectation.toLowerCase() !== '100-continue') {
      throw new Rejection('expectation-unsupported', 'only 100-continue is');
    }
    const client = findClient(raw.remoteAddress, headers);
    return {
      id: newId(),
      method: raw.method,
      path,
      query,
      headers,
      address: client.address,
      secure: client.secure,
      hasBody,
    } as CanonicalRequest;
  };
}

const methodForm = /^[A-Z]{1,20}$/;
const pathForm = /^\/(?:[A-Za-z0-9\-._~!$&'()*+,=:@]+\/)*(?:[A-Za-z0-9\-._~!$&'()*+,=:@]+)?$/;
const dotSegment = /\/\.{1,2}(?:\/|$)/;

/** No `%` at all: uvicorn decodes the whole path before it routes, and a trailing `%0a` still matches a route. */
function checkPath(path: string): void {
  // Unlike Python's, this `$` matches at the very end only: it lets no last line feed pass.
  if (!pathForm.test(path)) throw new Rejection('target-invalid', 'not a plain path');
  if (path.includes('/.') && dotSegment.test(path)) throw new Rejection('target-invalid', 'a dot segment');
}

const noQuery: ReadonlyMap<string, string> = new Map();
const queryForm = /^[A-Za-z0-9\-._~!$&'()*+,=:@/?%]*$/;
const nameForm = /^[A-Za-z0-9\-._~]+$/;
const control = /[\u0000-\u001f\u007f-\u009f]/;
const maxPairs = 100;

function readQuery(text: string): ReadonlyMap<string, string> {
  if (!queryForm.test(text)) throw new Rejection('query-invalid', 'a character that has no place there');
  const pairs = text.split('&', maxPairs + 1);
  if (pairs.length > maxPairs) throw new Rejection('query-invalid', `more than ${maxPairs} pairs`);
  const query = new Map<string, string>();
  for (const pair of pairs) {
    const equals = pair.indexOf('=');
    const name = equals === -1 ? pair : pair.slice(0, equals);
    // An encoded name (`canvas%5fid`) is the same name to the upstream, and another one to whoever does not decode.
    if (!nameForm.test(name)) throw new Rejection('query-invalid', 'an empty or encoded name');
    if (query.has(name)) throw new Rejection('query-invalid', 'a name is there twice');
    query.set(name, equals === -1 ? '' : decodeValue(pair.slice(equals + 1)));
  }
  return query;
}

function decodeValue(text: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text;
  if (!spaced.includes('%')) return spaced;
  let value: string;
  try {
    value = decodeURIComponent(spaced);
  } catch (cause) {
    throw new Rejection('query-invalid', 'a malformed escape', { cause });
  }
  if (control.test(value)) throw new Rejection('query-invalid', 'a control character');
  return value;
}

const words = (text: string): string[] => text.trim().split(/\s+/);

/** Where one value is meant, two are refused: only one of them would be judged (Envoy CVE-2021-32777). */
const single: ReadonlySet<string> = new Set(
  words(`authorization content-disposition content-encoding content-length content-location content-range content-type
    cookie date dpop expect from host if-modified-since if-range if-unmodified-since last-event-id max-forwards origin
    proxy-authorization range referer sec-fetch-dest sec-fetch-mode sec-fetch-site sec-fetch-user sec-websocket-key
    sec-websocket-version traceparent transfer-encoding user-agent x-forwarded-host x-forwarded-proto x-request-id`),
);
/** Usual names whose repeated values make one list, as those of every name that is not known here. */
const lists = words(`accept accept-encoding accept-language cache-control connection forwarded if-match if-none-match
  pragma priority sec-ch-ua sec-ch-ua-mobile sec-ch-ua-platform sec-websocket-extensions sec-websocket-protocol
  tracestate upgrade upgrade-insecure-requests via x-forwarded-for`);

/** The usual spellings, so that most names are neither checked nor folded again. */
const spellings: ReadonlyMap<string, string> = new Map(
  [...single, ...lists].flatMap((name) => [
    [name, name],
    [name.replace(/\b[a-z]/g, (letter) => letter.toUpperCase()), name],
  ]),
);

const headerNameForm = /^[a-z0-9!#$%&'*+\-.^_`|~]+$/;
const unusualInValue = /[^ -~]/;
const badInValue = /[^\t -~\x80-\xff]/;
/** Node drops what comes after its two thousandth header; long before that, a list of headers is refused here. */
const maxHeaders = 200;

function readHeaders(raw: readonly string[]): ReadonlyMap<string, string> {
  if (raw.length % 2 === 1 || raw.length > 2 * maxHeaders) throw new Rejection('header-invalid', 'too many headers');
  const headers = new Map<string, string>();
  for (let index = 0; index < raw.length; index += 2) {
    const name = spellings.get(raw[index] as string) ?? fold(raw[index] as string);
    const value = raw[index + 1] as string;
    if (unusualInValue.test(value) && badInValue.test(value)) {
      throw new Rejection('header-invalid', `a control character in ${name}`);
    }
    const earlier = headers.get(name);
    headers.set(name, earlier === undefined ? value : join(name, earlier, value));
  }
  return headers;
}

function fold(spelling: string): string {
  const name = spelling.toLowerCase();
  if (!headerNameForm.test(name)) throw new Rejection('header-invalid', 'a malformed name');
  return name;
}

function join(name: string, earlier: string, value: string): string {
  if (name === 'host') throw new Rejection('host-invalid', 'two Host headers');
  if (single.has(name)) throw new Rejection('header-invalid', `${name} is there twice`);
  return `${earlier}, ${value}`;
}

const lengthForm = /^(?:0|[1-9][0-9]{0,14})$/;

/** RFC 9112, section 6: a message whose framing two parties could read differently is refused as a whole. */
function announcesBody(headers: ReadonlyMap<string, string>): boolean {
  const length = headers.get('content-length');
  const encoding = headers.get('transfer-encoding');
  if (length !== undefined && encoding !== undefined) {
    throw new Rejection('header-invalid', 'Content-Length beside Transfer-Encoding');
  }
  if (length !== undefined && !lengthForm.test(length)) throw new Rejection('header-invalid', 'the Content-Length');
  if (encoding !== undefined && encoding !== 'chunked') throw new Rejection('header-invalid', 'the Transfer-Encoding');
  return encoding !== undefined || (length !== undefined && length !== '0');
}
