/**
 * The life of one socket: open, authenticated, listening, and over with its authority or with the first abuse. Where the
 * policy is not in effect, somebody unknown gets in too, and what would have been refused is recorded.
 */
import type { Socket } from 'socket.io';
import type { SocketRule } from '../model/event.ts';
import { ENFORCED, type Mode, modeFor, type Rollout } from '../model/mode.ts';
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
  type Denial,
  denialOf,
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
  /** For whom the policy is in effect now; asked whenever that matters. For everybody unless it is given. */
  readonly rollout?: () => Rollout;
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
  /** The mode that holds for a caller now. */
  readonly modeOf: (principal: Principal | undefined) => Mode;
}

interface Arrival {
  readonly link: Link | undefined;
  readonly socket: Socket;
}

/** Returns the steps of a socket's life, for the server's hooks. */
export const socketLife = (options: SocketLifeOptions, parts: Parts) => {
  const { now = Date.now, rollout = () => ENFORCED } = options;
  const door: Door = { ...parts, options, now, modeOf: (principal) => modeFor(rollout(), principal) };
  return {
    opened: (link: Link | undefined, conn: Conn): void => opened(door, link, conn),
    admit: (link: Link | undefined, socket: Socket, next: (error?: Error) => void): Promise<void> =>
      admit(door, { link, socket }, next),
    welcome: (link: Link | undefined, socket: Socket): void => welcome(door, { link, socket }),
    /** Takes the socket out of its channel and ends its transport. */
    leave: (link: Link): void => leave(door, link),
    /** Judges an open socket by the rollout as it is now. */
    rejudge: (link: Link): void => rejudge(door, link),
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

/** Lets a connection in, or refuses it with a CONNECT_ERROR and ends the transport. Never rejects. */
const admit = async (door: Door, { link, socket }: Arrival, next: (error?: Error) => void): Promise<void> => {
  if (link === undefined) return next(new Error('gone'));
  const { duplex } = link;
  try {
    const found = await identify(door, link, socket.handshake.auth);
    if (duplex.destroyed || link.ended) return next(new Error('gone'));
    if (!('denial' in found)) enrol(door, link, found);
    if (link.limited !== undefined && door.modeOf(link.principal) === 'enforce') throw link.limited;
    link.denials = [...(link.limited ? [denialOf(link.limited)] : []), ...('denial' in found ? [found.denial] : [])];
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

/** Returns who it is, or why that is not known where somebody unknown may come in, or throws a Rejection. */
const identify = async (door: Door, { request }: Link, auth: unknown): Promise<Principal | { denial: Denial }> => {
  try {
    const principal = await door.options.verify(tokenOf(door.options.rule, request, auth), request.address);
    if (principal.expiresAtMillis <= door.now()) throw new Rejection('token-expired', 'while connecting');
    return principal;
  } catch (error) {
    if (door.modeOf(undefined) === 'enforce') throw error;
    return { denial: denialOf(rejectionOf(error)) };
  }
};

/** What an owner may have open protects the process, so it holds in every mode. */
const enrol = (door: Door, link: Link, principal: Principal): void => {
  const { owner } = principal;
  if (!door.byOwner.take(owner)) throw new Rejection('rate-limited', `sockets of owner ${owner}`);
  link.duplex.once('close', () => door.byOwner.give(owner));
  link.principal = principal;
};

/** The socket may hear: its owner's events until its authority ends, or everybody's while the policy lets it. */
const welcome = (door: Door, { link, socket }: Arrival): void => {
  if (link?.peer === undefined || link.ended) return void socket.conn.close();
  const { principal, peer: member } = link;
  const mode = door.modeOf(principal);
  // The rollout may have changed since it was let in.
  if (principal === undefined && mode === 'enforce') {
    turnOut(door, link);
    return;
  }
  link.seat = door.channels.add(member, principal?.owner, mode);
  const unwatch = principal && door.options.lifetime.watch(principal.expiresAtMillis, () => expire(door, link));
  socket.on('disconnect', () => {
    unwatch?.();
    leave(door, link);
  });
  socket.use((event) => heard(door, link, event));
  // The unmodified page waits for this event (contract, section 4).
  member.send(eventFrame(GREETING, [{ status: 'connected' }]));
  door.record.link(link, { outcome: 'allowed', mode, findings: link.denials });
};

/** The event that a server says to each socket by itself. */
export const GREETING = 'connected';

const EXPIRED: Denial = { would: 'deny', reason: 'authority-expired', detail: 'the token of an open socket' };

/** Without its authority a socket is somebody unknown's, where that may go on listening. */
const expire = (door: Door, link: Link): void => {
  const mode = door.modeOf(undefined);
  link.denials = [...link.denials, EXPIRED];
  if (mode === 'enforce' || door.modeOf(link.principal) === 'enforce') {
    turnOut(door, link);
    return;
  }
  door.record.link(link, { outcome: 'allowed', mode, findings: [EXPIRED] });
  if (link.seat === undefined || link.peer === undefined) return;
  door.channels.remove(link.seat);
  link.principal = undefined;
  link.seat = door.channels.add(link.peer, undefined, mode);
};

const rejudge = (door: Door, link: Link): void => {
  if (link.seat === undefined || link.ended) return;
  const mode = door.modeOf(link.principal);
  if (link.principal === undefined && mode === 'enforce') turnOut(door, link);
  else door.channels.move(link.seat, mode);
};

/** Ends a socket for the reason that it would have been refused for, so that its client comes back, with a token or not. */
const turnOut = (door: Door, link: Link): void => {
  const { reason = 'token-missing', detail = 'no token in the handshake' } = link.denials.at(-1) ?? {};
  door.record.link(link, { outcome: 'refused', reason, detail });
  leave(door, link);
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
  if (link.seat !== undefined) door.channels.remove(link.seat);
  endLink(link);
};

const cut = (door: Door, link: Link, note: LinkNote): void => {
  if (link.duplex.destroyed) return;
  door.record.link(link, note);
  if (link.seat !== undefined) door.channels.remove(link.seat);
  cutLink(link);
};
