/**
 * The open sockets by owner, and those that the policy is not in effect for. An event is encoded once for all of them,
 * costs what its owner has open, and is kept for those of the owner's clients that are away and can come back for it.
 */
import type { UpstreamEvent } from '../model/event.ts';
import type { Mode } from '../model/mode.ts';
import type { Owner } from '../model/principal.ts';
import type { ResourceRef } from '../model/resource.ts';
import type { Announcements, Channels, MissedEvents, MissedLog, Remembered, Unfiltered } from '../realtime/channels.ts';
import { eventFrame, type Frame } from './socket-frame.ts';
import type { Peer } from './socket-peer.ts';
import { type Hearers, hasHeard, sendTo, type UnfilteredPlace, unfilteredPlaces } from './socket-unfiltered.ts';

/** A socket's place among the others. */
export interface Seat {
  readonly peer: Peer;
  /** Undefined for somebody unknown, who has no channel. */
  readonly owner: Owner | undefined;
  readonly mode: Mode;
}

/** What is kept of a frame. */
export type KeptFrame = Pick<Frame, 'text' | 'bytes' | 'attachments'>;

/** What lets a client that was away have what it missed. */
export interface History {
  readonly missed: MissedEvents<KeptFrame>;
  /** Returns the owner of each; throws or rejects when that cannot be known now. */
  readonly ownersOf: (refs: readonly ResourceRef[]) => Owners | Promise<Owners>;
  /** For how long a client waits for a ledger that cannot be read; its history is lost then. */
  readonly patienceMillis?: number;
  /** Called for each client that came back. */
  readonly returned?: (outcome: Returned) => void;
}

export type Owners = ReadonlyArray<Owner | undefined>;

export interface Returned {
  readonly recovered: boolean;
  /** Events that it got, and those that it did not get because they are not its owner's any more. */
  readonly missed: number;
  readonly refused: number;
}

/** The place of a socket that is not at the head of its log yet. */
export interface Reader {
  /** False after the socket has left, or has stopped to take part. */
  readonly open: boolean;
  readonly offset: number;
  /** Goes on to an offset, and sends what is there, if it may be sent. */
  pass(offset: number, frame?: Frame): void;
  /** From now on it hears what is sent. What is in the log and was not passed is never sent to it. */
  goLive(): void;
}

export interface OwnerChannels extends Channels, Unfiltered, Announcements {
  readonly history: History | undefined;
  add(member: Peer, owner: Owner | undefined, mode: Mode): Seat;
  remove(seat: Seat): void;
  /** Changes the mode in which a socket that stays open is judged. */
  move(seat: Seat, mode: Mode): void;
  /**
   * From now on the socket gets events with their offsets in the log of its owner, and none before it has gone live.
   * Returns undefined when the log is over, or the policy is not in effect for the socket.
   */
  follow(seat: Seat, log: MissedLog, offset: number): Reader | undefined;
  /** Sends what is for this socket alone, at the place where it stands in its log, if it has one. */
  say(seat: Seat, frame: Frame): void;
  /** The number of sockets of all owners, and of the unknown. */
  readonly size: number;
  /** Owners that have a channel. */
  readonly owners: number;
}

/** The event by which the gateway says something of its own. */
export const NOTICE = 'gateway';

interface Place extends Seat, UnfilteredPlace {
  mode: Mode;
  /** Undefined for a socket that gets no offsets. */
  log: MissedLog | undefined;
  /** Where it reads in the log; undefined when it hears what is sent. */
  cursor: number | undefined;
}

export const ownerChannels = (history?: History): OwnerChannels => {
  const missed = history?.missed;
  const places = new Map<Seat, Place>();
  const channels = new Map<Owner, Set<Place>>();
  const unfiltered = unfilteredPlaces();
  return {
    history,
    add(member, owner, mode) {
      const place: Place = { peer: member, owner, mode: 'enforce', from: 0, to: 0, log: undefined, cursor: undefined };
      places.set(place, place);
      if (owner !== undefined) join(channels, owner, place);
      unfiltered.move(place, mode);
      return place;
    },
    remove(seat) {
      const place = places.get(seat);
      if (place === undefined) return;
      places.delete(seat);
      unfiltered.move(place, 'enforce');
      if (place.owner !== undefined) part(channels, place.owner, place);
      unfollow(missed, place);
    },
    move(seat, mode) {
      const place = places.get(seat);
      if (place === undefined) return;
      unfiltered.move(place, mode);
      if (mode !== 'enforce' && place.log !== undefined) spoil(missed, place);
    },
    follow(seat, log, offset) {
      const place = places.get(seat);
      if (place?.mode !== 'enforce' || place.log !== undefined || missed?.enter(log) !== true) return undefined;
      place.log = log;
      place.cursor = offset;
      return readerOf(place, log);
    },
    say(seat, frame) {
      const place = places.get(seat);
      place?.peer.send(place.log === undefined ? frame : frame.withOffset(String(place.cursor ?? place.log.head)));
    },
    send(owner, event, refs) {
      const hearers: Hearers<Place> = {
        members: channels.get(owner) ?? NOBODY,
        number: unfiltered.numberOf(event.payload),
      };
      const log = missed?.of(owner);
      if (missed === undefined || log === undefined) return sendTo(hearers, event);
      return sendAndKeep(hearers, event, { missed, log, refs });
    },
    announce: (notice) => announce(places.values(), missed, eventFrame(NOTICE, [notice])),
    broadcast: unfiltered.broadcast,
    inShadow: unfiltered.inShadow,
    get size() {
      return places.size;
    },
    get owners() {
      return channels.size;
    },
  };
};

const NOBODY: ReadonlySet<Place> = new Set();

interface Keeping {
  readonly missed: MissedEvents<KeptFrame>;
  readonly log: MissedLog;
  readonly refs: readonly ResourceRef[];
}

/** Those who are away, or still read, find it in the log. */
const sendAndKeep = (
  { members, number }: Hearers<Place>,
  event: UpstreamEvent,
  { missed, log, refs }: Keeping,
): number => {
  const { name, payload, attachments } = event;
  const offset = String(log.head + 1);
  const plain = members.size > log.sockets ? eventFrame(name, [payload], attachments) : undefined;
  const marked = plain?.withOffset(offset) ?? eventFrame(name, [payload, offset], attachments);
  missed.keep(log, remembered(marked, refs));
  let count = 0;
  for (const place of members) {
    if (place.cursor !== undefined || hasHeard(place, number)) continue;
    place.peer.send(place.log === undefined ? (plain ?? eventFrame(name, [payload], attachments)) : marked);
    count += 1;
  }
  return count;
};

/** Kept as a text: a small Buffer is a part of a large one, which would all be held with it. */
const remembered = ({ text, bytes, attachments }: Frame, refs: readonly ResourceRef[]): Remembered<KeptFrame> => {
  let [binary, held] = [0, 0];
  for (const { data } of attachments) {
    binary += data.length;
    held += data.buffer.byteLength;
  }
  const isAscii = bytes - binary - 1 === text.length;
  return { kept: { text, bytes, attachments }, bytes: held + (isAscii ? 1 : 2) * text.length, refs };
};

const NO_REFS: readonly ResourceRef[] = [];

const announce = (places: Iterable<Place>, missed: MissedEvents<KeptFrame> | undefined, frame: Frame): number => {
  for (const log of missed?.logs() ?? []) {
    missed?.keep(log, remembered(frame.withOffset(String(log.head + 1)), NO_REFS));
  }
  let count = 0;
  for (const { peer, owner, mode, log, cursor } of places) {
    if (owner === undefined || mode !== 'enforce' || cursor !== undefined) continue;
    peer.send(log === undefined ? frame : frame.withOffset(String(log.head)));
    count += 1;
  }
  return count;
};

const readerOf = (place: Place, log: MissedLog): Reader => ({
  get open() {
    return place.log !== undefined;
  },
  get offset() {
    return place.cursor ?? log.head;
  },
  pass(offset, frame) {
    place.cursor = offset;
    if (frame !== undefined) place.peer.send(frame);
  },
  goLive() {
    place.cursor = undefined;
  },
});

const unfollow = (missed: MissedEvents<KeptFrame> | undefined, place: Place): void => {
  if (place.log !== undefined) missed?.leave(place.log);
  place.log = undefined;
  place.cursor = undefined;
};

const join = (channels: Map<Owner, Set<Place>>, owner: Owner, place: Place): void => {
  const members = channels.get(owner);
  if (members === undefined) channels.set(owner, new Set([place]));
  else members.add(place);
};

const part = (channels: Map<Owner, Set<Place>>, owner: Owner, place: Place): void => {
  const members = channels.get(owner);
  members?.delete(place);
  if (members?.size === 0) channels.delete(owner);
};

/** What it hears from now on has no offsets: by its last one it would get all of that again. */
const spoil = (missed: MissedEvents<KeptFrame> | undefined, place: Place): void => {
  unfollow(missed, place);
  place.peer.send(eventFrame(NOTICE, [{ type: 'history', recovered: false }, '']));
};
