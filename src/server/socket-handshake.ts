/** May this connection be opened at all, which token does it show, and whose is it? Judged from the canonical reading. */
import { endOf } from '../model/authority.ts';
import type { SocketRule } from '../model/event.ts';
import type { Principal } from '../model/principal.ts';
import { Rejection } from '../model/rejection.ts';
import type { CanonicalRequest, RawRequest } from '../model/request.ts';
import { originRule } from './origin-rule.ts';

export interface HandshakeOptions {
  readonly rule: SocketRule;
  readonly canonical: (raw: RawRequest) => CanonicalRequest;
  /** Origins of other hosts that may connect, such as `https://app.example`. */
  readonly origins: readonly string[];
}

/** How a client comes to the socket's path: to open a WebSocket, or with one of the many requests of a session that polls. */
export type Approach = 'upgrade' | 'request';

export type JudgeApproach = (raw: RawRequest, approach: Approach) => CanonicalRequest;

/** What a packet of a client may hold, and a request that brings several. */
export const MAX_PACKET_BYTES = 100_000;

/** Returns a function that returns the canonical reading of what may go on, or throws a Rejection. */
export const handshake = ({ rule, canonical, origins }: HandshakeOptions): JudgeApproach => {
  const checkOrigin = originRule(origins);
  return (raw, approach) => {
    const request = canonical(raw);
    // The upstream matches by prefix and after decoding (contract, section 4); here it is this path and no other.
    if (request.path !== rule.path) throw new Rejection('route-unknown', `socket path ${request.path}`);
    checkForm(request, approach);
    checkOrigin(request);
    checkQuery(request.query, rule, approach);
    return request;
  };
};

/** Where a token may stand. */
type Places = Pick<SocketRule, 'credentials'>;

/**
 * Returns whose a request is, by the token given, which was shown with it, by its cookie, or by both; undefined where it has
 * neither. Throws or rejects with a Rejection.
 */
export type Identify = (
  request: CanonicalRequest,
  token: string | undefined,
) => Principal | undefined | Promise<Principal | undefined>;

export interface Identifier {
  readonly identify: Identify;
  /** Unix time in milliseconds. */
  readonly now: () => number;
}

/** Resolves with whose a request is, or rejects with a Rejection: `token-missing` for somebody who shows nothing at all. */
export const identified = async (
  { identify, now }: Identifier,
  request: CanonicalRequest,
  token: string | undefined,
): Promise<Principal> => {
  const principal = await identify(request, token);
  if (principal === undefined) throw new Rejection('token-missing', 'no token and no cookie', CHALLENGED);
  checkTime(principal, now());
  return principal;
};

/** Throws where an authority has come to its end while it was looked at. */
export const checkTime = (principal: Principal, nowMillis: number): void => {
  if (principal.expiresAtMillis > nowMillis) return;
  const reason = endOf(principal, 'expired');
  throw new Rejection(reason === 'session-ended' ? reason : 'token-expired', 'meanwhile', INVALID_TOKEN);
};

/**
 * Returns the one token that a connection shows, from the places that the rule allows, undefined where it shows none; or
 * throws `token-malformed`. Two that differ are refused: only one of them would be judged.
 */
export const tokenOf = (rule: Places, request: CanonicalRequest, auth: unknown): string | undefined => {
  const shown = [tokenInAuth(rule, auth), tokenInHeader(rule, request), tokenInQuery(rule, request)];
  const [token, other] = new Set(shown.filter((one) => one !== undefined));
  if (other !== undefined) throw new Rejection('token-malformed', 'different tokens in one handshake', INVALID_TOKEN);
  return token || undefined;
};

/** Returns the token of a request that polls, if it has one. `auth` comes but once, and an URL of each request is logged. */
export const requestToken = (rule: Places, request: CanonicalRequest): string | undefined =>
  tokenInHeader(rule, request) || undefined;

/** Returns the token in what a client says when it connects to the namespace, or throws `token-malformed`. */
export const tokenInAuth = ({ credentials }: Places, auth: unknown): string | undefined => {
  if (!credentials.has('auth') || !isRecord(auth) || !Object.hasOwn(auth, 'token')) return undefined;
  const { token } = auth;
  if (typeof token !== 'string') throw new Rejection('token-malformed', 'auth.token is not a string', INVALID_TOKEN);
  return token;
};

const tokenInHeader = ({ credentials }: Places, { headers }: CanonicalRequest): string | undefined => {
  const authorization = credentials.has('header') ? headers.get('authorization') : undefined;
  const isBearer = authorization !== undefined && /^bearer(?: |$)/i.test(authorization);
  return isBearer ? authorization.slice(7).trim() : undefined;
};

const tokenInQuery = ({ credentials }: Places, { query }: CanonicalRequest): string | undefined =>
  credentials.has('query') ? query.get('token') : undefined;

/** RFC 6750, section 3: who presented nothing is told no error code. */
const CHALLENGE = 'Bearer realm="jaaz-gateway"';
const CHALLENGED = { headers: ['www-authenticate', CHALLENGE] };
const INVALID_TOKEN = { headers: ['www-authenticate', `${CHALLENGE}, error="invalid_token"`] };

const checkForm = ({ method, hasBody, headers, query }: CanonicalRequest, approach: Approach): void => {
  if (method === 'GET' && !hasBody) return;
  if (approach === 'upgrade') throw new Rejection('request-malformed', 'not a plain GET');
  if (method !== 'POST' || !query.has('sid')) throw new Rejection('request-malformed', 'neither a poll nor its data');
  if (!hasBody) throw new Rejection('body-missing', 'a request that brings no packets');
  const type = headers.get('content-type') ?? '';
  if (!/^text\/plain *(?:; *charset="?utf-8"?)?$/i.test(type)) throw new Rejection('body-type', type.slice(0, 200));
  if (headers.has('content-encoding')) throw new Rejection('body-encoding', 'packets come as they are');
  const length = Number(headers.get('content-length') ?? 0);
  if (length > MAX_PACKET_BYTES) throw new Rejection('body-too-large', `${length} bytes of packets`);
};

const checkQuery = (query: ReadonlyMap<string, string>, rule: SocketRule, approach: Approach): void => {
  const transport = approach === 'upgrade' ? 'websocket' : 'polling';
  const polls = rule.transports.has('polling');
  if (query.get('EIO') !== '4') throw new Rejection('query-invalid', 'only Engine.IO 4 is spoken');
  if (query.get('transport') !== transport || !(polls || approach === 'upgrade')) {
    throw new Rejection('query-invalid', `only the ${transport} transport is`);
  }
  // An Engine.IO session id is a bearer credential of whoever opened it: where nobody polls, there is none to resume.
  if (query.has('sid') && !polls) throw new Rejection('query-invalid', 'a session id');
  // JSONP answers with a script that any page may include.
  if (query.has('j') || query.has('b64')) throw new Rejection('query-invalid', 'JSONP and base64 are not spoken');
  if (query.has('token') && !rule.credentials.has('query'))
    throw new Rejection('query-invalid', 'a token in the query');
};

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
