/**
 * The live side of the door: one Socket.IO server. A socket belongs to one principal, hears only what is sent to that
 * owner, ends with its authority, and has nothing that it could say to anybody but the gateway itself. Only where the
 * policy is not in effect may it be anybody's and hear everything.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { Server } from 'socket.io';
import type { AuditRecord } from '../model/audit.ts';
import { ENFORCED, modeFor } from '../model/mode.ts';
import type { Principal } from '../model/principal.ts';
import { Rejection } from '../model/rejection.ts';
import type { CanonicalRequest, RawRequest } from '../model/request.ts';
import type { Announcements, Channels, Unfiltered } from '../realtime/channels.ts';
import { refuseUpgrade } from './refuse-upgrade.ts';
import { revoke } from './socket-authority.ts';
import { type History, type OwnerChannels, ownerChannels } from './socket-channels.ts';
import { type Door, leave } from './socket-door.ts';
import { type Entry, type EntryOptions, enter, keep, rawRequest } from './socket-entry.ts';
import { handshake, type JudgeApproach, MAX_PACKET_BYTES } from './socket-handshake.ts';
import { socketLife } from './socket-life.ts';
import { type Conn, decisions, type Link, rejectionOf } from './socket-link.ts';
import { type Polling, type PollingEngine, polling } from './socket-polling.ts';
import type { SessionConn } from './socket-session.ts';
import { tally } from './socket-tally.ts';

export interface SocketsOptions extends EntryOptions {
  readonly canonical: (raw: RawRequest) => CanonicalRequest;
  readonly origins: readonly string[];
  /** What lets clients that were away have what they missed; nothing is kept without it. */
  readonly history?: History | undefined;
  /** Must not throw and must not block. */
  readonly onDecision: (record: AuditRecord) => void;
  readonly maxSocketsPerOwner?: number;
  readonly maxSocketsPerAddress?: number;
  readonly connectMillis?: number;
}

export interface Sockets {
  /** For the one upgrade listener of the public server. Takes the socket over, whatever becomes of it. */
  handleUpgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** For requests at the socket's path. Returns false for one that is left alone: the policy lets nobody poll. */
  handleRequest(incoming: IncomingMessage, outgoing: ServerResponse): boolean;
  readonly channels: Channels & Unfiltered & Announcements;
  /** Sockets that are connected and may hear something. */
  count(): number;
  /** Transports that are open, authenticated or not yet. */
  open(): number;
  /** Ends the sockets of these principals, as a revocation does, and returns their number. Whoever comes later is asked too. */
  end(matches: (principal: Principal) => boolean): number;
  /** Judges all by the policy as it is now, after it has changed; the next broadcast would do it too. */
  rejudge(): void;
  /** Ends all; their clients come back to another replica. Resolves when every transport is closed. */
  close(): Promise<void>;
}

/** The part of engine.io's server that is called here; socket.io's types hide it behind a base class. */
interface Engine extends Pick<PollingEngine, 'handleRequest' | 'handleUpgrade'> {
  on(event: 'connection', listener: (conn: Conn & SessionConn) => void): unknown;
  on(event: 'connection_error', listener: () => void): unknown;
  close(): unknown;
}

/** Returns the sockets, attached to no server: requests and upgrades are handed in. */
export const sockets = (options: SocketsOptions): Sockets => {
  const {
    rule,
    now = Date.now,
    maxSocketsPerOwner = 50,
    maxSocketsPerAddress = 200,
    rollout = () => ENFORCED,
  } = options;
  const record = decisions(options.onDecision, now);
  const byAddress = tally(maxSocketsPerAddress);
  const entry: Entry = { options, record, links: new Map(), byAddress, closed: undefined, closing: false };
  const channels = ownerChannels(options.history);
  const modeOf: Door['modeOf'] = (principal) => modeFor(rollout(), principal);
  const byOwner = tally(maxSocketsPerOwner);
  const door: Door = { options, record, channels, byOwner, now, modeOf, isRevoked: () => false };
  const life = socketLife(door);
  const judge = handshake(options);
  const engine = engineFor(options, entry, life);
  const polls = polling({ entry, door, judge, engine, offered: life.offered });
  let judgedBy = rollout();
  const rejudge = (): void => {
    judgedBy = rollout();
    if (!rule.transports.has('polling')) polls.end();
    for (const link of entry.links.values()) life.rejudge(link);
  };

  return {
    channels: rejudging(channels, () => (rollout() === judgedBy ? undefined : rejudge())),
    rejudge,
    count: () => channels.size,
    open: () => entry.links.size,
    handleUpgrade(incoming, socket, head) {
      socket.on('error', () => socket.destroy());
      void upgrade({ entry, judge, engine, polls }, { incoming, socket, head }).catch(() => socket.destroy());
    },
    handleRequest(incoming, outgoing) {
      if (!rule.transports.has('polling')) return false;
      polls.handle(incoming, outgoing);
      return true;
    },
    end(matches) {
      door.isRevoked = matches;
      let count = 0;
      for (const link of entry.links.values()) {
        const gone = link.ended ? undefined : authoritiesOf(link).find((one) => one && matches(one));
        if (gone === undefined) continue;
        revoke(door, link, gone);
        count += 1;
      }
      return count;
    },
    async close() {
      entry.closing = true;
      for (const link of entry.links.values()) leave(door, link, 'shutting-down');
      if (entry.links.size > 0) await new Promise<void>((resolve) => (entry.closed = resolve));
      engine.close();
    },
  };
};

/** Who polls shows a token with each request; on a WebSocket that counts only where the socket would go on with it. */
const authoritiesOf = ({ principal, polled, conn }: Link): ReadonlyArray<Principal | undefined> => {
  const shown = polled?.principal;
  const isSpare = principal !== undefined && shown !== undefined && shown.expiresAtMillis <= principal.expiresAtMillis;
  return conn?.transport.name === 'websocket' && isSpare ? [principal] : [principal, shown];
};

/** The channels, but nothing is broadcast before `look` has seen whether the rollout is still the same. */
const rejudging = (channels: OwnerChannels, look: () => void): Sockets['channels'] => ({
  send: channels.send,
  inShadow: channels.inShadow,
  announce: channels.announce,
  broadcast(event) {
    look();
    return channels.broadcast(event);
  },
});

/** Socket.IO and the Engine.IO server below it, with the steps of a socket's life as its hooks. */
const engineFor = (options: SocketsOptions, { links }: Entry, life: ReturnType<typeof socketLife>): Engine => {
  // engine.io's attach() matches raw prefixes and ends foreign upgrades, so it gets a server that never listens.
  const io = new Server(createServer(), {
    path: options.rule.path,
    // Whether somebody may poll is asked at each request, long before engine.io sees it.
    transports: ['polling', 'websocket'],
    allowUpgrades: true,
    httpCompression: false,
    serveClient: false,
    perMessageDeflate: false,
    maxHttpBufferSize: MAX_PACKET_BYTES,
    connectTimeout: options.connectMillis ?? 10_000,
  });
  const engine = io.engine as unknown as Engine;
  engine.on('connection_error', () => undefined);
  engine.on('connection', (conn) => life.opened(links.get(conn.request), conn));
  io.use((socket, next) => void life.admit(links.get(socket.request), socket, next));
  io.on('connection', (socket) => life.welcome(links.get(socket.request), socket));
  return engine;
};

interface Ways {
  readonly entry: Entry;
  readonly judge: JudgeApproach;
  readonly engine: Engine;
  readonly polls: Polling;
}

interface Coming {
  readonly incoming: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** Hands a connection over to become a WebSocket, a new one or a session's, or refuses it. */
const upgrade = async ({ entry, judge, engine, polls }: Ways, coming: Coming): Promise<void> => {
  const { incoming, socket, head } = coming;
  const raw = rawRequest(incoming);
  let request: CanonicalRequest | undefined;
  try {
    if (entry.closing) throw new Rejection('shutting-down', 'no new sockets');
    request = judge(raw, 'upgrade');
    if (request.query.has('sid')) return await polls.upgrade(request, coming);
    const limited = await enter(entry, request, socket);
    if (entry.closing) return void socket.destroy();
    keep(entry, incoming, { request, limited, duplex: socket });
  } catch (error) {
    const rejection = rejectionOf(error);
    const id = request?.id ?? randomUUID();
    entry.record.refused(raw, request, { rejection, id });
    return refuseUpgrade(socket, rejection, id);
  }
  // What was judged is what engine.io sees: it does not read the target again.
  Object.assign(incoming, { _query: { EIO: '4', transport: 'websocket' } });
  engine.handleUpgrade(incoming, socket, head);
};
