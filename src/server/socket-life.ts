/** The life of one socket: open, authenticated, listening, and over with its authority or with the first abuse. */
import type { Socket } from 'socket.io';
import type { SocketRule } from '../model/event.ts';
import type { Principal } from '../model/principal.ts';
import { reasons } from '../model/reason.ts';
import { Rejection } from '../model/rejection.ts';
import { eventFrame, type OwnerChannels, peer } from './socket-channels.ts';
import { tokenOf } from './socket-handshake.ts';
import {
  type ClientJudge,
  type Conn,
  cutLink,
  type Decisions,
  endLink,
  type Link,
  type LinkNote,
  outcomeOf,
  rejectionOf,
} from './socket-link.ts';
import type { Tally } from './socket-tally.ts';

export interface SocketLifeOptions {
  readonly rule: SocketRule;
  /** Throws a Rejection for a token that is not good. */
  readonly verify: (token: string, address: string) => Principal | Promise<Principal>;
  /** Makes the judge of one connection. */
  readonly inbound: () => ClientJudge;
  readonly lifetime: Expiry;
  /** Unix time in milliseconds. */
  readonly now?: () => number;
  readonly maxWaitingBytes?: number;
  readonly maxWaitingPackets?: number;
}

/** Calls back when an authority ends, unless it is taken back before. */
export interface Expiry {
  watch(untilMillis: number, ended: () => void): () => void;
}

interface Parts {
  readonly record: Decisions;
  readonly channels: OwnerChannels;
  readonly byOwner: Tally;
}

interface Door extends Parts {
  readonly options: SocketLifeOptions;
  readonly now: () => number;
}

interface Arrival {
  readonly link: Link | undefined;
  readonly socket: Socket;
}

/** Returns the steps of a socket's life, for the server's hooks. */
export const socketLife = (options: SocketLifeOptions, parts: Parts) => {
  const door: Door = { ...parts, options, now: options.now ?? Date.now };
  return {
    opened: (link: Link | undefined, conn: Conn): void => opened(door, link, conn),
    admit: (link: Link | undefined, socket: Socket, next: (error?: Error) => void): Promise<void> =>
      admit(door, { link, socket }, next),
    welcome: (link: Link | undefined, socket: Socket): void => welcome(door, { link, socket }),
    /** Takes the socket out of its channel and ends its transport. */
    leave: (link: Link): void => leave(door, link),
  };
};

/** The WebSocket is open; nobody is authenticated. Every packet is judged before Socket.IO's own parser sees it. */
const opened = (door: Door, link: Link | undefined, conn: Conn): void => {
  if (link === undefined) {
    conn.close(true);
    return;
  }
  const { maxWaitingBytes = 64 << 20, maxWaitingPackets = 10_000 } = door.options;
  const slow = (bytes: number): void => cut(door, link, { outcome: 'aborted', detail: `${bytes} bytes were not read` });
  link.conn = conn;
  link.peer = peer({ wire: conn, maxWaitingBytes, maxWaitingPackets, slow });
  const isRefused = (data: unknown): boolean => {
    const verdict = link.judge.packet(data, door.now());
    if (verdict === 'fine') return false;
    const reason = verdict === 'too-fast' ? 'rate-limited' : 'packet-invalid';
    cut(door, link, { outcome: 'refused', reason, detail: 'packets' });
    return true;
  };
  conn.on('packet', (packet) => {
    if (isRefused(packet.type === 'message' ? (packet.data ?? '') : undefined)) packet.type = 'noop';
  });
  // ws answers pings by itself: without a pace, one who does not read would fill the memory with the answers.
  conn.request.websocket?.on('ping', () => isRefused(undefined));
  conn.request.websocket?.on('pong', () => isRefused(undefined));
};

/** Verifies the token of a connection, or refuses it with a CONNECT_ERROR and ends the transport. Never rejects. */
const admit = async (door: Door, { link, socket }: Arrival, next: (error?: Error) => void): Promise<void> => {
  if (link === undefined) return next(new Error('gone'));
  const { request, duplex } = link;
  try {
    const token = tokenOf(door.options.rule, request, socket.handshake.auth);
    const principal = await door.options.verify(token, request.address);
    const { owner, expiresAtMillis } = principal;
    if (expiresAtMillis <= door.now()) throw new Rejection('token-expired', 'while connecting');
    if (duplex.destroyed || link.ended) return next(new Error('gone'));
    if (!door.byOwner.take(owner)) throw new Rejection('rate-limited', `sockets of owner ${owner}`);
    duplex.once('close', () => door.byOwner.give(owner));
    link.principal = principal;
    next();
  } catch (error) {
    const rejection = rejectionOf(error);
    const { reason, message: detail, status } = rejection;
    door.record.link(link, { outcome: outcomeOf(rejection), reason, detail, status });
    // A CONNECT_ERROR is final for the client's own reconnection, so what is our fault ends the transport only.
    if (status >= 500) endLink(link);
    const { message } = reasons[reason];
    next(Object.assign(new Error(message), { data: { code: reason, message } }));
    setImmediate(endLink, link);
  }
};

/** The socket is authenticated: it joins its owner's channel until its authority ends. */
const welcome = (door: Door, { link, socket }: Arrival): void => {
  if (link?.principal === undefined || link.peer === undefined || link.ended) return void socket.conn.close();
  const { principal, peer: member } = link;
  door.channels.add(principal.owner, member);
  const unwatch = door.options.lifetime.watch(principal.expiresAtMillis, () => {
    door.record.link(link, { outcome: 'refused', reason: 'authority-expired', detail: 'the token of an open socket' });
    leave(door, link);
  });
  socket.on('disconnect', () => {
    unwatch();
    leave(door, link);
  });
  socket.use((event) => heard(door, link, event));
  // The unmodified page waits for this event (contract, section 4).
  member.send(eventFrame('connected', [{ status: 'connected' }]));
  door.record.link(link, { outcome: 'allowed' });
};

/** Answers an event of the client, or refuses it; nothing of it goes any further. */
const heard = (door: Door, link: Link, event: readonly unknown[]): void => {
  // What came in the same chunk as the packet that ended it is still handed out.
  if (link.ended) return;
  const last = event.at(-1);
  const acknowledge = typeof last === 'function' ? last : undefined;
  const verdict = link.judge.event(acknowledge === undefined ? event : event.slice(0, -1));
  if (verdict.accepted) {
    link.peer?.send(eventFrame(verdict.reply, verdict.payload));
    acknowledge?.();
    return;
  }
  const { reason, detail, final } = verdict;
  door.record.link(link, { kind: 'event', outcome: 'refused', reason, detail });
  if (final) cut(door, link, { outcome: 'refused', reason, detail: 'too many refused events' });
};

const leave = (door: Door, link: Link): void => {
  if (link.principal !== undefined && link.peer !== undefined) door.channels.remove(link.principal.owner, link.peer);
  endLink(link);
};

const cut = (door: Door, link: Link, note: LinkNote): void => {
  if (link.duplex.destroyed) return;
  door.record.link(link, note);
  if (link.principal !== undefined && link.peer !== undefined) door.channels.remove(link.principal.owner, link.peer);
  cutLink(link);
};
