/**
 * The live side of the door: one Socket.IO server, WebSocket only. A socket belongs to one principal, hears only what is
 * sent to that owner, ends with its authority, and has nothing that it could say to anybody but the gateway itself. Only
 * where the policy is not in effect may it be anybody's and hear everything.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { Server } from 'socket.io';
import type { AuditRecord } from '../model/audit.ts';
import { ENFORCED, modeFor } from '../model/mode.ts';
import type { Principal } from '../model/principal.ts';
import { Rejection } from '../model/rejection.ts';
import type { CanonicalRequest, RawRequest } from '../model/request.ts';
import type { Channels, Unfiltered } from '../realtime/channels.ts';
import { problem } from './respond.ts';
import { type OwnerChannels, ownerChannels } from './socket-channels.ts';
import { handshake } from './socket-handshake.ts';
import { type SocketLifeOptions, socketLife } from './socket-life.ts';
import { type Conn, type Decisions, decisions, type Link, rejectionOf } from './socket-link.ts';
import { type Tally, tally } from './socket-tally.ts';

export interface SocketsOptions extends SocketLifeOptions {
  readonly canonical: (raw: RawRequest) => CanonicalRequest;
  /** Throws a Rejection when this address may not connect now. */
  readonly limit?: (address: string) => void | Promise<void>;
  readonly origins: readonly string[];
  /** Must not throw and must not block. */
  readonly onDecision: (record: AuditRecord) => void;
  /** Unix time in milliseconds. */
  readonly now?: () => number;
  readonly maxSocketsPerOwner?: number;
  readonly maxSocketsPerAddress?: number;
  readonly connectMillis?: number;
}

export interface Sockets {
  /** For the one upgrade listener of the public server. Takes the socket over, whatever becomes of it. */
  handleUpgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer): void;
  readonly channels: Channels & Unfiltered;
  /** Sockets that are connected and may hear something. */
  count(): number;
  /** Transports that are open, authenticated or not yet. */
  open(): number;
  /** Ends the sockets of these principals, as a revocation does, and returns their number. */
  end(matches: (principal: Principal) => boolean): number;
  /** Judges all by the rollout as it is now, after it has changed; the next broadcast would do it too. */
  rejudge(): void;
  /** Ends all; their clients come back to another replica. Resolves when every transport is closed. */
  close(): Promise<void>;
}

/** The part of engine.io's server that is called here; socket.io's types hide it behind a base class. */
interface Engine {
  handleUpgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer): void;
  on(event: 'connection', listener: (conn: Conn) => void): unknown;
  on(event: 'connection_error', listener: () => void): unknown;
  close(): unknown;
}

interface Door {
  readonly options: SocketsOptions;
  readonly record: Decisions;
  /** Open transports by the request that opened them. */
  readonly links: Map<object, Link>;
  readonly byAddress: Tally;
  closed: (() => void) | undefined;
  closing: boolean;
}

/** What a packet of a client may hold: they send pings only. */
const MAX_PACKET_BYTES = 100_000;

/** Returns the sockets, attached to no server: upgrades are handed in. */
export const sockets = (options: SocketsOptions): Sockets => {
  const { now = Date.now, maxSocketsPerOwner = 50, maxSocketsPerAddress = 200 } = options;
  const record = decisions(options.onDecision, now);
  const door: Door = {
    options,
    record,
    links: new Map(),
    byAddress: tally(maxSocketsPerAddress),
    closed: undefined,
    closing: false,
  };
  const channels = ownerChannels();
  const life = socketLife(options, { record, channels, byOwner: tally(maxSocketsPerOwner) });
  const judge = handshake(options);
  const engine = engineFor(door, life);
  const { rollout = () => ENFORCED } = options;
  let judgedBy = rollout();
  const rejudge = (): void => {
    judgedBy = rollout();
    for (const link of door.links.values()) life.rejudge(link);
  };

  return {
    channels: rejudging(channels, () => (rollout() === judgedBy ? undefined : rejudge())),
    rejudge,
    count: () => channels.size,
    open: () => door.links.size,
    handleUpgrade(incoming, socket, head) {
      socket.on('error', () => socket.destroy());
      const raw = rawRequest(incoming);
      const hand = (accepted: Accepted | undefined): void => {
        if (accepted === undefined) return;
        if (door.closing) return void socket.destroy();
        keep(door, incoming, { ...accepted, duplex: socket });
        // What was judged is what engine.io sees: it does not read the target again.
        Object.assign(incoming, { _query: { EIO: '4', transport: 'websocket' } });
        engine.handleUpgrade(incoming, socket, head);
      };
      void accept(door, raw, { judge, socket })
        .then(hand)
        .catch(() => socket.destroy());
    },
    end(matches) {
      const found = [...door.links.values()].filter(({ principal }) => principal !== undefined && matches(principal));
      for (const link of found) life.leave(link);
      return found.length;
    },
    async close() {
      door.closing = true;
      for (const link of door.links.values()) life.leave(link);
      if (door.links.size > 0) await new Promise<void>((resolve) => (door.closed = resolve));
      engine.close();
    },
  };
};

/** The channels, but nothing is broadcast before `look` has seen whether the rollout is still the same. */
const rejudging = (channels: OwnerChannels, look: () => void): Channels & Unfiltered => ({
  send: channels.send,
  inShadow: channels.inShadow,
  broadcast(eventName, payload) {
    look();
    return channels.broadcast(eventName, payload);
  },
});

/** Socket.IO and the Engine.IO server below it, with the steps of a socket's life as its hooks. */
const engineFor = ({ options, links }: Door, life: ReturnType<typeof socketLife>): Engine => {
  // engine.io's attach() matches raw prefixes and ends foreign upgrades, so it gets a server that never listens.
  const io = new Server(createServer(), {
    path: options.rule.path,
    transports: ['websocket'],
    allowUpgrades: false,
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

const rawRequest = ({ method = '', url = '', rawHeaders, socket }: IncomingMessage): RawRequest => ({
  method,
  target: url,
  rawHeaders,
  remoteAddress: socket.remoteAddress ?? '',
});

type Accepted = Pick<Link, 'request' | 'limited'>;

/** Returns the canonical reading of an upgrade that may go on; undefined after it was refused. Never rejects. */
const accept = async (
  { options, byAddress, record, closing }: Door,
  raw: RawRequest,
  { judge, socket }: { judge: (raw: RawRequest) => CanonicalRequest; socket: Duplex },
): Promise<Accepted | undefined> => {
  let request: CanonicalRequest | undefined;
  try {
    if (closing) throw new Rejection('shutting-down', 'no new sockets');
    request = judge(raw);
    const { address } = request;
    if (socket.destroyed) throw new Rejection('client-gone', 'before the handshake');
    if (!byAddress.take(address)) throw new Rejection('rate-limited', `sockets of address ${address}`);
    socket.once('close', () => byAddress.give(address));
    const limited = await limitedBy(options, address);
    if (socket.destroyed) throw new Rejection('client-gone', 'during the handshake');
    return { request, limited };
  } catch (error) {
    const rejection = rejectionOf(error);
    const id = request?.id ?? randomUUID();
    record.refused(raw, request, { rejection, id });
    refuse(socket, rejection, id);
    return undefined;
  }
};

/** A limit of the policy refuses where the policy is in effect; who is calling is not known yet. */
const limitedBy = async ({ limit, rollout = () => ENFORCED }: SocketsOptions, address: string) => {
  try {
    await limit?.(address);
    return undefined;
  } catch (error) {
    if (modeFor(rollout(), undefined) === 'enforce') throw error;
    return rejectionOf(error);
  }
};

const keep = (door: Door, incoming: object, opened: Pick<Link, 'request' | 'limited' | 'duplex'>): void => {
  const { duplex } = opened;
  const judge = door.options.inbound();
  const startedMillis = (door.options.now ?? Date.now)();
  const unknown = { conn: undefined, peer: undefined, principal: undefined, seat: undefined, denials: [] };
  const link: Link = { ...opened, judge, startedMillis, ...unknown, ended: false };
  door.links.set(incoming, link);
  duplex.once('close', () => {
    door.links.delete(incoming);
    if (link.conn === undefined) {
      door.record.link(link, { outcome: 'refused', reason: 'request-malformed', detail: 'no WebSocket handshake' });
    }
    if (door.links.size === 0) door.closed?.();
  });
};

const refuse = (socket: Duplex, rejection: Rejection, id: string): void => {
  const { status } = rejection;
  const { head, body } = problem(rejection, id);
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`, 'connection: close'];
  for (let index = 0; index < head.length; index += 2) lines.push(`${head[index]}: ${head[index + 1]}`);
  // An upgrade that is answered plainly must not leave its connection behind (configurable-http-proxy #434).
  socket.end(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), body]), () => socket.destroy());
};
