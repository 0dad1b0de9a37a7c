/** What every step of a socket's life is given, whom it lets in, and the ways in which a socket ends. */
import type { Socket } from 'socket.io';
import { endOf } from '../model/authority.ts';
import type { SocketRule } from '../model/event.ts';
import type { Mode, Rollout } from '../model/mode.ts';
import type { Principal } from '../model/principal.ts';
import type { ReasonCode } from '../model/reason.ts';
import { Rejection } from '../model/rejection.ts';
import type { CanonicalRequest } from '../model/request.ts';
import type { OwnerChannels } from './socket-channels.ts';
import { checkTime, type Identify, identified } from './socket-handshake.ts';
import { type ClientJudge, cutLink, type Decisions, endLink, type Link, type LinkNote } from './socket-link.ts';
import type { Backlog } from './socket-peer.ts';
import type { Tally } from './socket-tally.ts';

export interface SocketLifeOptions {
  readonly rule: SocketRule;
  readonly identify: Identify;
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

/** Knows what becomes of those who were let in. */
export interface Expiry {
  /** Tells what becomes of an authority until it has ended, unless that is taken back before. */
  watch(principal: Principal, authorised: Authorised): () => void;
  /** Resolves with the principal as it is by now; undefined where its authority is over, or nobody can say. */
  current(principal: Principal): Promise<Principal | undefined>;
}

export interface Authorised {
  /** It goes on: this is the principal from now on, of the same owner. */
  prolonged(principal: Principal): void;
  ended(reason: ReasonCode): void;
}

export interface Door {
  readonly record: Decisions;
  readonly channels: OwnerChannels;
  readonly byOwner: Tally;
  readonly options: SocketLifeOptions;
  readonly now: () => number;
  /** The mode that holds for a caller now. */
  readonly modeOf: (principal: Principal | undefined) => Mode;
  /** Whether an authority was taken back: what is judged takes its time, and a revocation ends only what it finds. */
  isRevoked: (principal: Principal) => boolean;
}

export interface Arrival {
  readonly link: Link | undefined;
  readonly socket: Socket;
}

/** Resolves with whose a request is, or rejects with a Rejection. */
export const whoIs = (
  { options: { identify }, now }: Door,
  request: CanonicalRequest,
  token: string | undefined,
): Promise<Principal> => identified({ identify, now }, request, token);

/** Throws when an authority that was found good is over by now. */
export const checkStill = ({ now, isRevoked }: Door, principal: Principal): void => {
  checkTime(principal, now());
  if (isRevoked(principal)) throw new Rejection(endOf(principal, 'revoked'), 'meanwhile');
};

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
