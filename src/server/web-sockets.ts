/**
 * The raw WebSockets of the public listener. Each is one client's and has one connection to the upstream of its own: judged
 * before that is made, ended with its client's authority, and counted until both of its sides are closed.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { AuditRecord } from '../model/audit.ts';
import { endOf } from '../model/authority.ts';
import { modeFor } from '../model/mode.ts';
import type { Principal } from '../model/principal.ts';
import { Rejection } from '../model/rejection.ts';
import type { CanonicalRequest } from '../model/request.ts';
import { webSocketAt } from '../model/websocket.ts';
import { refuseUpgrade } from './refuse-upgrade.ts';
import type { Expiry } from './socket-door.ts';
import { rawRequest, takePlace } from './socket-entry.ts';
import { denialOf, rejectionOf } from './socket-link.ts';
import { type Tally, tally } from './socket-tally.ts';
import { watchAuthority, watchOver } from './web-socket-authority.ts';
import { entrance, type Knock, knock, type WebSocketHandshakeOptions } from './web-socket-handshake.ts';
import { endLink, type Records, records, type WebSocketLink } from './web-socket-link.ts';
import { type LoadOptions, loader } from './web-socket-load.ts';

export interface WebSocketsOptions extends WebSocketHandshakeOptions, LoadOptions {
  /** Throws a Rejection when this address may not connect now. */
  readonly limit?: (address: string) => void | Promise<void>;
  readonly lifetime: Expiry;
  /** Must not throw and must not block. */
  readonly onDecision: (record: AuditRecord) => void;
  readonly maxSocketsPerOwner?: number;
  readonly maxSocketsPerAddress?: number;
  /** Between two looks at each connection. */
  readonly tickMillis?: number;
}

export interface WebSockets {
  /** Whether an upgrade at this path, as it stands before the query, is one of these. */
  match(path: string): boolean;
  /** For the one upgrade listener of the public server. Takes the socket over, whatever becomes of it. */
  handleUpgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Connections on which something may pass. */
  count(): number;
  /** Connections of which a side is open, let in or not yet. */
  open(): number;
  /** What is held for slow readers, and for judgement. */
  held(): { readonly messages: number; readonly bytes: number };
  /** Ends the connections of these principals, as a revocation does, and returns their number. */
  end(matches: (principal: Principal) => boolean): number;
  /** Judges all by the policy as it is now, after it has changed. */
  rejudge(): void;
  /** Ends all; their clients come back to another replica. Resolves when every side is closed. */
  close(): Promise<void>;
}

interface Visit {
  /** Sides that are open: the client's, and the load's. */
  open: number;
  /** Gives back what was counted for it. */
  readonly places: Array<() => void>;
}

interface Door {
  readonly options: WebSocketsOptions;
  readonly now: () => number;
  readonly record: Records;
  /** Whatever is open, by the client's side. */
  readonly visits: Map<object, Visit>;
  readonly links: Set<WebSocketLink>;
  readonly byAddress: Tally;
  readonly byOwner: Tally;
  readonly judge: (request: CanonicalRequest) => Knock;
  readonly entrance: ReturnType<typeof entrance>;
  readonly load: ReturnType<typeof loader>;
  readonly watch: Pick<ReturnType<typeof watchOver>, 'begin' | 'judge'>;
  closing: boolean;
  closed: (() => void) | undefined;
}

/** Returns the raw WebSockets, attached to no server: upgrades are handed in. */
export const webSockets = (options: WebSocketsOptions): WebSockets => {
  const { now = Date.now, maxSocketsPerOwner = 50, maxSocketsPerAddress = 200 } = options;
  const record = records(options.onDecision, now);
  const links = new Set<WebSocketLink>();
  const over = watchOver({ ...options, links });
  const door: Door = {
    options,
    now,
    record,
    visits: new Map(),
    links,
    byAddress: tally(maxSocketsPerAddress),
    byOwner: tally(maxSocketsPerOwner),
    judge: knock(options),
    entrance: entrance(options),
    load: loader(options, record),
    watch: over,
    closing: false,
    closed: undefined,
  };

  return {
    match: (path) => webSocketAt(options.rules(), path) !== undefined,
    handleUpgrade(incoming, socket, head) {
      socket.on('error', () => socket.destroy());
      void arrive(door, { incoming, socket, head }).catch(() => socket.destroy());
    },
    count: () => [...links].filter(({ load }) => load !== undefined).length,
    open: () => door.visits.size,
    held: () => sum([...links].flatMap(({ load }) => load?.held() ?? [])),
    end(matches) {
      let count = 0;
      for (const link of links) {
        const { principal, ended } = link;
        if (ended !== undefined || principal === undefined || !matches(principal)) continue;
        endLink(link, new Rejection(endOf(principal, 'revoked'), 'the authority of an open connection'));
        count += 1;
      }
      return count;
    },
    rejudge: over.rejudge,
    async close() {
      door.closing = true;
      over.stop();
      for (const link of links) endLink(link, new Rejection('shutting-down', 'no connections any more'));
      if (door.visits.size > 0) await new Promise<void>((resolve) => (door.closed = resolve));
    },
  };
};

const sum = (all: ReadonlyArray<{ readonly messages: number; readonly bytes: number }>) =>
  all.reduce((so, { messages, bytes }) => ({ messages: so.messages + messages, bytes: so.bytes + bytes }), {
    messages: 0,
    bytes: 0,
  });

interface Coming {
  readonly incoming: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** Keeps what is open in the count until as many `leave` as have entered. */
const enter = ({ visits }: Door, socket: Duplex): Visit => {
  const visit = visits.get(socket) ?? { open: 0, places: [] };
  visits.set(socket, visit);
  visit.open += 1;
  return visit;
};

/** Places come back with the last side: else clients that come and go would pile up sides of the upstream's. */
const leave = (door: Door, socket: Duplex): void => {
  const visit = door.visits.get(socket);
  if (visit === undefined) return;
  visit.open -= 1;
  if (visit.open > 0) return;
  door.visits.delete(socket);
  for (const giveBack of visit.places) giveBack();
  if (door.visits.size === 0) door.closed?.();
};

/** Takes a connection in, or refuses it. */
const arrive = async (door: Door, coming: Coming): Promise<void> => {
  const { socket } = coming;
  const raw = rawRequest(coming.incoming);
  let request: CanonicalRequest | undefined;
  let link: WebSocketLink | undefined;
  const { places } = enter(door, socket);
  socket.once('close', () => leave(door, socket));
  try {
    if (door.closing) throw new Rejection('shutting-down', 'no new connections');
    request = door.options.canonical(raw);
    const knocked = door.judge(request);
    const { byAddress, options } = door;
    const rollout = () => knocked.match.rule.rollout;
    const keepPlace = (giveBack: () => void): void => void places.push(giveBack);
    const limits = { byAddress, limit: options.limit, rollout };
    const limited = await takePlace(limits, request.address, { carrier: socket, keepPlace });
    const entrant = await door.entrance.admit(knocked);
    link = linkOf(door, knocked, { ...coming, ...entrant, limited, places });
    // A reload meanwhile has not found the link.
    door.watch.judge(link);
    // From here on a revocation finds the link; one that was made before is found here.
    await door.entrance.confirm(knocked, entrant);
    if (link.ended !== undefined) throw link.ended;
    await begin(door, link, { ...coming, knocked });
  } catch (error) {
    const rejection = link?.ended ?? rejectionOf(error);
    if (link !== undefined) forget(door, link);
    const id = request?.id ?? randomUUID();
    door.record.refused(raw, { id, request, link }, rejection);
    refuseUpgrade(socket, rejection, id);
  }
};

type Entering = Pick<Coming, 'socket'> &
  Pick<Visit, 'places'> &
  Pick<WebSocketLink, 'principal' | 'denials'> & { readonly limited: Rejection | undefined };

/** The link, from here on counted for its owner. */
const linkOf = (door: Door, { request, match }: Knock, entering: Entering): WebSocketLink => {
  const { socket, principal, limited, places } = entering;
  const denials = [...(limited === undefined ? [] : [denialOf(limited)]), ...entering.denials];
  if (limited !== undefined && modeFor(match.rule.rollout, principal) === 'enforce') throw limited;
  if (socket.destroyed) throw new Rejection('client-gone', 'during the handshake');
  if (door.closing) throw new Rejection('shutting-down', 'no new connections');
  if (principal !== undefined) {
    const { owner } = principal;
    if (!door.byOwner.take(owner)) throw new Rejection('sockets-limited', `connections of owner ${owner}`);
    places.push(() => door.byOwner.give(owner));
  }
  const link: WebSocketLink = {
    ...{ request, match, duplex: socket, startedMillis: door.now(), principal, denials, load: undefined },
    ...{ opening: new AbortController(), ended: undefined, told: 0, untold: 0 },
  };
  door.links.add(link);
  socket.once('close', () => link.opening.abort());
  return link;
};

const forget = (door: Door, link: WebSocketLink): void => void door.links.delete(link);

/** Reaches the upstream, then answers the client; from here on the link ends by itself. */
const begin = async (door: Door, link: WebSocketLink, coming: Coming & { readonly knocked: Knock }): Promise<void> => {
  const unwatch = watchAuthority({ ...door.options, record: door.record, judge: door.watch.judge }, link);
  const { duplex } = link;
  enter(door, duplex);
  const closed = (): void => {
    unwatch();
    forget(door, link);
    door.record.rest(link);
    leave(door, duplex);
  };
  try {
    link.load = await door.load(link, coming, closed);
  } catch (error) {
    closed();
    throw error;
  }
  door.watch.begin();
  door.record.link(link, { outcome: 'allowed', findings: link.denials });
};
