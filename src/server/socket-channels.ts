/**
 * The open sockets by owner, and those that the policy is not in effect for. An event is encoded once for all of them,
 * costs what its owner has open, and a socket that does not read is cut off before it fills the memory.
 */
import type { JsonObject, JsonValue } from '../model/json.ts';
import type { Mode } from '../model/mode.ts';
import type { Owner } from '../model/principal.ts';
import type { Channels, Unfiltered } from '../realtime/channels.ts';

/** The part of an Engine.IO connection that is used here. */
export interface Wire {
  write(data: string, options: object, sent: () => void): unknown;
}

export interface Peer {
  send(frame: Frame): void;
}

/** A Socket.IO event, ready for the wire. */
export interface Frame {
  readonly text: string;
  readonly bytes: number;
  readonly options: object;
}

export interface PeerOptions {
  readonly wire: Wire;
  readonly maxWaitingBytes: number;
  readonly maxWaitingPackets: number;
  /** Called instead of sending when too much waits already. */
  readonly slow: (waitingBytes: number) => void;
}

/** Returns the frame of an event. Throws a RangeError when the arguments are nested too deeply to be written. */
export const eventFrame = (name: string, args: readonly JsonValue[]): Frame => {
  const text = `2${JSON.stringify([name, ...args])}`;
  const data = Buffer.from(`4${text}`);
  return { text, bytes: data.length, options: { compress: false, wsPreEncodedFrame: [textHeader(data.length), data] } };
};

/** Returns the sending side of one connection. */
export const peer = ({ wire, maxWaitingBytes, maxWaitingPackets, slow }: PeerOptions): Peer => {
  let waitingBytes = 0;
  let waitingPackets = 0;
  return {
    send(frame) {
      // What waited before counts, not this one: a single message larger than the bound still gets through.
      if (waitingBytes > maxWaitingBytes || waitingPackets >= maxWaitingPackets) return slow(waitingBytes);
      waitingBytes += frame.bytes;
      waitingPackets += 1;
      wire.write(frame.text, frame.options, () => {
        waitingBytes -= frame.bytes;
        waitingPackets -= 1;
      });
    },
  };
};

/** A socket's place among the others. */
export interface Seat {
  readonly peer: Peer;
  /** Undefined for somebody unknown, who has no channel. */
  readonly owner: Owner | undefined;
  readonly mode: Mode;
}

export interface OwnerChannels extends Channels, Unfiltered {
  add(member: Peer, owner: Owner | undefined, mode: Mode): Seat;
  remove(seat: Seat): void;
  /** Changes the mode in which a socket that stays open is judged. */
  move(seat: Seat, mode: Mode): void;
  /** The number of sockets of all owners, and of the unknown. */
  readonly size: number;
  /** Owners that have a channel. */
  readonly owners: number;
}

/** Where a broadcast was heard is remembered by its number: a socket hears those after `from`, up to `to`. */
interface Place extends Seat {
  mode: Mode;
  from: number;
  to: number;
}

export const ownerChannels = (): OwnerChannels => {
  const places = new Map<Seat, Place>();
  const channels = new Map<Owner, Set<Place>>();
  const unfiltered = unfilteredPlaces();
  return {
    add(member, owner, mode) {
      const place: Place = { peer: member, owner, mode: 'enforce', from: 0, to: 0 };
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
    },
    move(seat, mode) {
      const place = places.get(seat);
      if (place !== undefined) unfiltered.move(place, mode);
    },
    send(owner, eventName, payload) {
      const members = channels.get(owner);
      return members === undefined ? 0 : sendTo(unfiltered.without([...members], payload), eventName, payload);
    },
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

/** The sockets that the policy is not in effect for. */
const unfilteredPlaces = () => {
  const places = new Set<Place>();
  const shadows = counter();
  /** The broadcasts by their payload: no other mark of an event lives until its owner is known. */
  const numbers = new WeakMap<JsonObject, number>();
  let last = 0;
  return {
    move(place: Place, mode: Mode): void {
      if (place.mode === 'shadow') shadows.change(place.owner, -1);
      if (mode === 'shadow') shadows.change(place.owner, 1);
      if (mode === 'enforce') {
        if (places.delete(place)) place.to = last;
      } else if (!places.has(place)) {
        places.add(place);
        place.from = last;
        place.to = Number.POSITIVE_INFINITY;
      }
      place.mode = mode;
    },
    broadcast(eventName: string, payload: JsonObject): number {
      if (places.size === 0) return 0;
      last += 1;
      numbers.set(payload, last);
      return sendTo([...places], eventName, payload);
    },
    /** Those that have not heard the payload yet. */
    without(receivers: readonly Place[], payload: JsonObject): readonly Place[] {
      const number = numbers.get(payload);
      if (number === undefined) return receivers;
      return receivers.filter(({ from, to }) => number <= from || number > to);
    },
    inShadow: (owner: Owner | undefined) => ({ all: shadows.all(), others: shadows.all() - shadows.of(owner) }),
  };
};

const sendTo = (receivers: readonly Place[], eventName: string, payload: JsonObject): number => {
  if (receivers.length === 0) return 0;
  const frame = eventFrame(eventName, [payload]);
  for (const { peer: member } of receivers) member.send(frame);
  return receivers.length;
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

/** Sockets by owner, without a walk through them. */
const counter = () => {
  const counts = new Map<Owner | undefined, number>();
  let all = 0;
  return {
    all: () => all,
    /** Nobody's event is no unknown caller's own. */
    of: (owner: Owner | undefined): number => (owner === undefined ? 0 : (counts.get(owner) ?? 0)),
    change(owner: Owner | undefined, by: 1 | -1): void {
      const count = (counts.get(owner) ?? 0) + by;
      if (count === 0) counts.delete(owner);
      else counts.set(owner, count);
      all += by;
    },
  };
};

/** The header of an unmasked, final text frame (RFC 6455, section 5.2). */
const textHeader = (length: number): Buffer => {
  if (length < 126) return Buffer.of(0x81, length);
  if (length < 65_536) return Buffer.of(0x81, 126, length >> 8, length & 0xff);
  const header = Buffer.alloc(10);
  header[0] = 0x81;
  header[1] = 127;
  header.writeBigUInt64BE(BigInt(length), 2);
  return header;
};
