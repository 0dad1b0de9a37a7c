/** May this raw WebSocket be opened, by whom, and at which endpoint? Judged before the upstream hears of it. */

import { modeFor } from '../model/mode.ts';
import type { Principal } from '../model/principal.ts';
import { Rejection } from '../model/rejection.ts';
import type { CanonicalRequest, RawRequest } from '../model/request.ts';
import { type WebSocketMatch, type WebSocketRule, webSocketAt } from '../model/websocket.ts';
import { originRule } from './origin-rule.ts';
import { type Identify, identified, tokenOf } from './socket-handshake.ts';
import { type Denial, denialOf, rejectionOf } from './socket-link.ts';

type Owners = ReadonlyArray<Principal['owner'] | undefined>;

export interface WebSocketHandshakeOptions {
  /** Asked at each handshake: another policy may have gone live. */
  readonly rules: () => readonly WebSocketRule[];
  readonly canonical: (raw: RawRequest) => CanonicalRequest;
  /** Origins of other hosts that may connect, such as `https://app.example`. */
  readonly origins: readonly string[];
  readonly identify: Identify;
  readonly ownersOf: (refs: WebSocketMatch['resources']) => Owners | Promise<Owners>;
  /** Unix time in milliseconds. */
  readonly now?: () => number;
}

/** A handshake of the right form, at an endpoint that there is. */
export interface Knock {
  readonly request: CanonicalRequest;
  readonly match: WebSocketMatch;
  /** What the client offers and the policy lists. */
  readonly subprotocols: readonly string[];
  readonly key: string;
}

/** Who is let in. */
export interface Entrant {
  /** Undefined only where the policy is not in effect for somebody unknown. */
  readonly principal: Principal | undefined;
  /** What would have refused it, had the policy been in effect. */
  readonly denials: readonly Denial[];
}

/** Returns a function that judges the form of a handshake, or throws a Rejection. */
export const knock = (options: Pick<WebSocketHandshakeOptions, 'rules' | 'origins'>) => {
  const checkOrigin = originRule(options.origins);
  return (request: CanonicalRequest): Knock => {
    const match = webSocketAt(options.rules(), request.path);
    if (match === undefined) throw new Rejection('route-unknown', 'no socket of the policy is at this path');
    checkOrigin(request);
    const { headers, query } = request;
    if (request.method !== 'GET' || request.hasBody) throw new Rejection('request-malformed', 'not a plain GET');
    const { rule } = match;
    // It would be in the logs of every proxy on the way, so it stands there only where the policy says so.
    if (query.has('token') && !rule.credentials.has('query')) {
      throw new Rejection('query-invalid', 'a token in the query');
    }
    const offered = offeredIn(headers.get('sec-websocket-protocol'));
    return {
      request,
      match,
      subprotocols: offered.filter((one) => rule.subprotocols.includes(one)),
      key: keyOf(headers),
    };
  };
};

/** Returns what asks who is let in; it rejects with a Rejection. */
export const entrance = (options: Pick<WebSocketHandshakeOptions, 'identify' | 'ownersOf' | 'now'>) => {
  const { ownersOf, now = Date.now } = options;

  const identify = async ({ request, match }: Knock): Promise<Principal> =>
    identified({ identify: options.identify, now }, request, tokenOf(match.rule, request, undefined));

  const authorize = async ({ match }: Knock, principal: Principal): Promise<void> => {
    const { rule, resources } = match;
    checkRoles(rule, principal);
    if (resources.length > 0) await checkOwn({ ownersOf }, resources, principal);
  };

  return {
    /** Says who is let in. */
    async admit(knocked: Knock): Promise<Entrant> {
      const { rollout } = knocked.match.rule;
      let principal: Principal | undefined;
      try {
        principal = await identify(knocked);
        await authorize(knocked, principal);
        return { principal, denials: [] };
      } catch (error) {
        if (modeFor(rollout, principal) === 'enforce') throw error;
        return { principal, denials: [denialOf(rejectionOf(error))] };
      }
    },
    /** Rejects when what somebody showed who was let in is not good any more. */
    async confirm(knocked: Knock, { principal }: Entrant): Promise<void> {
      if (principal !== undefined) await identify(knocked);
    },
  };
};

/** Throws `role-missing` unless the principal has one of the roles that the endpoint asks for, if it asks for any. */
export const checkRoles = ({ roles }: Pick<WebSocketRule, 'roles'>, principal: Principal): void => {
  if (roles.length === 0 || roles.some((role) => principal.roles.includes(role))) return;
  throw new Rejection('role-missing', `none of ${roles.join(', ')}`, { principal });
};

/** Rejects with `resource-hidden` unless all of them are the principal's own. */
export const checkOwn = async (
  { ownersOf }: Pick<WebSocketHandshakeOptions, 'ownersOf'>,
  resources: WebSocketMatch['resources'],
  principal: Principal,
): Promise<void> => {
  const owners = await ownersOf(resources);
  for (const [index, { kind, id }] of resources.entries()) {
    if (owners[index] === principal.owner) continue;
    const whose = owners[index] === undefined ? 'nobody’s' : 'another owner’s';
    throw new Rejection('resource-hidden', `${kind}:${id} is ${whose}`, { principal });
  }
};

const KEY = /^[+/0-9A-Za-z]{22}==$/;
const VERSION = ['sec-websocket-version', '13'];

/** RFC 6455, section 4.2.1. ws would see it too, but after the upstream was asked. */
const keyOf = (headers: CanonicalRequest['headers']): string => {
  const key = headers.get('sec-websocket-key');
  if (headers.get('upgrade')?.toLowerCase() !== 'websocket' || key === undefined || !KEY.test(key)) {
    throw new Rejection('request-malformed', 'no WebSocket handshake');
  }
  if (headers.get('sec-websocket-version') !== '13') {
    throw new Rejection('request-malformed', 'the version of WebSocket', { headers: VERSION });
  }
  return key;
};

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}$/;
const MAX_OFFERED = 32;

const offeredIn = (header: string | undefined): readonly string[] => {
  if (header === undefined) return [];
  const offered = header.split(',').map((one) => one.trim());
  const isFit = offered.every((one) => TOKEN.test(one)) && new Set(offered).size === offered.length;
  if (!isFit || offered.length > MAX_OFFERED) throw new Rejection('header-invalid', 'the Sec-WebSocket-Protocol');
  return offered;
};
