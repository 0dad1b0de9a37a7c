/** May this connection be opened at all, and which token does it show? Judged from the canonical reading alone. */
import type { SocketRule } from '../model/event.ts';
import { Rejection } from '../model/rejection.ts';
import type { CanonicalRequest, RawRequest } from '../model/request.ts';

export interface HandshakeOptions {
  readonly rule: SocketRule;
  readonly canonical: (raw: RawRequest) => CanonicalRequest;
  /** Origins of other hosts that may connect, such as `https://app.example`. */
  readonly origins: readonly string[];
}

/** Returns a function that returns the canonical reading of a WebSocket handshake, or throws a Rejection. */
export const handshake = ({ rule, canonical, origins }: HandshakeOptions): ((raw: RawRequest) => CanonicalRequest) => {
  const allowed = new Set(
    origins.map((origin) => {
      if (URL.parse(origin)?.origin !== origin) throw new TypeError(`Not an origin: ${origin}`);
      return origin;
    }),
  );
  return (raw) => {
    const request = canonical(raw);
    // The upstream matches by prefix and after decoding (contract, section 4); here it is this path and no other.
    if (request.path !== rule.path) throw new Rejection('route-unknown', `socket path ${request.path}`);
    if (request.method !== 'GET' || request.hasBody) throw new Rejection('request-malformed', 'not a plain GET');
    checkOrigin(request, allowed);
    checkQuery(request.query, rule);
    return request;
  };
};

/**
 * Returns the one token that a connection shows, from the places that the rule allows, or throws `token-missing` or
 * `token-malformed`. Two that differ are refused: only one of them would be judged.
 */
export const tokenOf = (rule: SocketRule, request: CanonicalRequest, auth: unknown): string => {
  const shown = new Set<string>();
  const { credentials } = rule;
  if (credentials.has('auth') && isRecord(auth) && Object.hasOwn(auth, 'token')) {
    const { token } = auth;
    if (typeof token !== 'string') throw new Rejection('token-malformed', 'auth.token is not a string');
    shown.add(token);
  }
  const authorization = credentials.has('header') ? request.headers.get('authorization') : undefined;
  if (authorization !== undefined && /^bearer(?: |$)/i.test(authorization)) shown.add(authorization.slice(7).trim());
  if (credentials.has('query')) {
    const token = request.query.get('token');
    if (token !== undefined) shown.add(token);
  }
  if (shown.size > 1) throw new Rejection('token-malformed', 'different tokens in one handshake');
  const [token] = shown;
  if (token === undefined || token === '') throw new Rejection('token-missing', 'no token in the handshake');
  return token;
};

/** A page of another site may not use what the browser would let it (RFC 6455, section 10.2); programs send no Origin. */
const checkOrigin = ({ headers, secure }: CanonicalRequest, allowed: ReadonlySet<string>): void => {
  const origin = headers.get('origin');
  if (origin === undefined || allowed.has(origin)) return;
  const url = URL.parse(origin);
  const isSame =
    url !== null &&
    url.origin === origin &&
    (url.protocol === 'https:' || (url.protocol === 'http:' && !secure)) &&
    url.host === URL.parse(`${url.protocol}//${headers.get('host')}`)?.host;
  if (!isSame) throw new Rejection('origin-refused', `origin ${origin.slice(0, 200)}`);
};

const checkQuery = (query: ReadonlyMap<string, string>, rule: SocketRule): void => {
  if (query.get('EIO') !== '4') throw new Rejection('query-invalid', 'only Engine.IO 4 is spoken');
  if (query.get('transport') !== 'websocket') throw new Rejection('query-invalid', 'only the websocket transport is');
  // An Engine.IO session id is a bearer credential of whoever opened it; there is nothing here that it could resume.
  if (query.has('sid')) throw new Rejection('query-invalid', 'a session id');
  if (query.has('token') && !rule.credentials.has('query'))
    throw new Rejection('query-invalid', 'a token in the query');
};

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
