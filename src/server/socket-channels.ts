/**
 * The open sockets by owner. An event is encoded once for all of them, costs what its owner has open, and a socket that
 * does not read is cut off before it fills the memory.
 */
import type { JsonValue } from '../model/json.ts';
import type { Owner } from '../model/principal.ts';
import type { Channels } from '../realtime/channels.ts';

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

export interface OwnerChannels extends Channels {
  add(owner: Owner, member: Peer): void;
  remove(owner: Owner, member: Peer): void;
  /** The number of sockets of all owners. */
  readonly size: number;
  /** Owners that have a channel. */
  readonly owners: number;
}

export const ownerChannels = (): OwnerChannels => {
  const channels = new Map<Owner, Set<Peer>>();
  let size = 0;
  return {
    add(owner, member) {
      const members = channels.get(owner);
      if (members === undefined) channels.set(owner, new Set([member]));
      else members.add(member);
      size += 1;
    },
    remove(owner, member) {
      const members = channels.get(owner);
      if (!members?.delete(member)) return;
      size -= 1;
      if (members.size === 0) channels.delete(owner);
    },
    send(owner, eventName, payload) {
      const members = channels.get(owner);
      if (members === undefined) return 0;
      const frame = eventFrame(eventName, [payload]);
      const receivers = [...members];
      for (const member of receivers) member.send(frame);
      return receivers.length;
    },
    get size() {
      return size;
    },
    get owners() {
      return channels.size;
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
