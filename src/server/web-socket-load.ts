/** What an open raw WebSocket carries: messages between two ends, each judged; or the bytes of a tunnel. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Principal } from '../model/principal.ts';
import { Rejection } from '../model/rejection.ts';
import type { CanonicalRequest } from '../model/request.ts';
import type { MessageRules, OpaqueRule } from '../model/websocket.ts';
import { type Bore, type Dial, OPEN } from '../model/wire.ts';
import type { MessageLife } from '../pipeline/message.ts';
import { type BridgeOptions, bridge } from '../pipeline/message-bridge.ts';
import type { Traffic } from '../pipeline/message-line.ts';
import { outcomeOf } from './socket-link.ts';
import { acceptor } from './web-socket-accept.ts';
import type { Knock } from './web-socket-handshake.ts';
import { type Load, modeOf, type Records, type WebSocketLink } from './web-socket-link.ts';
import { opaque } from './web-socket-opaque.ts';
import { whileWaiting } from './web-socket-waiting.ts';

export interface LoadOptions extends Pick<BridgeOptions, 'heartbeatMillis' | 'stallMillis' | 'bounds'> {
  readonly dial: Dial;
  readonly bore: Bore;
  /** What the upstream is told of the caller: names and values alternating. */
  readonly headers: (request: CanonicalRequest, principal: Principal | undefined, target: string) => readonly string[];
  /** Makes the judges of one connection. */
  readonly life: (traffic: Traffic) => MessageLife;
  /** Makes the pace of one client: false when what it sends comes too fast. */
  readonly pace: () => (nowMillis: number) => boolean;
  readonly now?: () => number;
  /** For how long a closing handshake may take. */
  readonly closeMillis?: number;
}

export interface Opening {
  readonly knocked: Knock;
  readonly incoming: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** Returns what opens a link to the upstream and answers its client; or rejects, with nothing left open but the client. */
export const loader = (options: LoadOptions, record: Records) => {
  const { closeMillis = 2_000 } = options;
  const accept = acceptor(closeMillis);

  const ended =
    (link: WebSocketLink) =>
    (rejection: Rejection): void => {
      link.ended = rejection;
      const { reason, message: detail } = rejection;
      // Nobody did anything: it is open again in a moment.
      if (reason === 'shutting-down') return;
      record.link(link, { outcome: reason === 'client-gone' ? 'aborted' : outcomeOf(rejection), reason, detail });
    };

  const messages = async (link: WebSocketLink, opening: Opening, closed: () => void): Promise<Load> => {
    const { maxBytes } = messageRules(link);
    const early = whileWaiting(opening, () => link.opening.abort());
    const upstream = await options.dial({ ...callOf(options, link, opening), maxBytes }, link.opening.signal);
    try {
      stillWanted(link, opening.socket);
      if (upstream.readyState !== OPEN) throw new Rejection('upstream-broken', 'closed after its handshake');
      const client = accept({ ...opening, head: early(), subprotocol: upstream.protocol, maxBytes });
      if (client === undefined) throw new Rejection('client-gone', 'during the handshake');
      opening.socket.resume();
      const life = options.life(trafficOf(link, record));
      return bridge({ ...options, client, upstream, life, pace: options.pace(), ended: ended(link), closed });
    } catch (error) {
      upstream.terminate();
      throw error;
    }
  };

  const bytes = async (link: WebSocketLink, opening: Opening, closed: () => void): Promise<Load> => {
    const { key } = opening.knocked;
    const { idleMillis } = opaqueRule(link);
    const early = whileWaiting(opening, () => link.opening.abort());
    const tunnel = await options.bore({ ...callOf(options, link, opening), key }, link.opening.signal);
    try {
      stillWanted(link, opening.socket);
      if (tunnel.stream.destroyed) throw new Rejection('upstream-broken', 'closed after its handshake');
      const { socket: client } = opening;
      const carried = { client, head: early(), tunnel, idleMillis };
      return opaque({ ...options, closeMillis, ...carried, ended: ended(link), closed });
    } catch (error) {
      tunnel.stream.destroy();
      throw error;
    }
  };

  return (link: WebSocketLink, opening: Opening, closed: () => void): Promise<Load> =>
    link.match.rule.carries.kind === 'opaque' ? bytes(link, opening, closed) : messages(link, opening, closed);
};

const callOf = ({ headers }: LoadOptions, { request, match, principal }: WebSocketLink, { knocked }: Opening) => ({
  target: match.target,
  headers: headers(request, principal, match.target),
  subprotocols: knocked.subprotocols,
});

/** Meanwhile it may have been ended, or its client may have gone: the signal says so, and not everybody listens to it. */
const stillWanted = ({ opening }: WebSocketLink, socket: Duplex): void => {
  if (opening.signal.aborted || socket.destroyed) throw new Rejection('client-gone', 'during the handshake');
};

const trafficOf = (link: WebSocketLink, record: Records): Traffic => ({
  rules: () => messageRules(link),
  mode: () => modeOf(link),
  principal: () => link.principal,
  resources: link.match.resources,
  told: (note) => record.message(link, note),
});

/** Terms that are the same keep the kind: a link that carries messages never comes to be opaque. */
const messageRules = ({ match }: WebSocketLink): MessageRules => {
  const { carries } = match.rule;
  if (carries.kind !== 'messages') throw new TypeError('an opaque endpoint has no messages');
  return carries;
};

const opaqueRule = ({ match }: WebSocketLink): OpaqueRule => {
  const { carries } = match.rule;
  if (carries.kind !== 'opaque') throw new TypeError('an endpoint of messages has no tunnel');
  return carries;
};
