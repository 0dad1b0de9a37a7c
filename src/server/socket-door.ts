/** What every step of a socket's life is given, and the ways in which a socket ends. */
import type { Socket } from 'socket.io';
import type { SocketRule } from '../model/event.ts';
import type { Mode, Rollout } from '../model/mode.ts';
import type { Principal } from '../model/principal.ts';
import type { ReasonCode } from '../model/reason.ts';
import type { OwnerChannels } from './socket-channels.ts';
import { type ClientJudge, cutLink, type Decisions, endLink, type Link, type LinkNote } from './socket-link.ts';
import type { Backlog } from './socket-peer.ts';
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
  /** What may wait for one socket that does not read. */
  readonly maxWaitingBytes?: number;
  readonly maxWaitingPackets?: number;
  /** Told of what waits for all of them. */
  readonly backlog?: Backlog;
}

/** Calls back when an authority ends, unless it is taken back before. */
export interface Expiry {
  watch(untilMillis: number, ended: () => void): () => void;
}

export interface Parts {
  readonly record: Decisions;
  readonly channels: OwnerChannels;
  readonly byOwner: Tally;
}

export interface Door extends Parts {
  readonly options: SocketLifeOptions;
  readonly now: () => number;
  /** The mode that holds for a caller now. */
  readonly modeOf: (principal: Principal | undefined) => Mode;
}

export interface Arrival {
  readonly link: Link | undefined;
  readonly socket: Socket;
}

/** Takes the socket out of its channel and ends its transport, and says why. */
export const leave = (door: Door, link: Link, reason?: ReasonCode): void => {
  if (link.seat !== undefined) door.channels.remove(link.seat);
  endLink(link, reason);
};

/** Ends a socket at once, for abuse: what waits is thrown away. */
export const cut = (door: Door, link: Link, note: LinkNote): void => {
  if (!link.ended) door.record.link(link, note);
  if (link.seat !== undefined) door.channels.remove(link.seat);
  cutLink(link, note.reason);
};
