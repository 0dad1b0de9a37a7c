/**
 * The sending side of one connection. What the client has not read waits here, not in a library's buffers: it is counted,
 * it can be thrown away at once, and who does not read is cut off before the memory is full.
 */
import type { Frame } from './socket-frame.ts';

/** The part of an Engine.IO connection that is used here. */
export interface Wire {
  readonly readyState?: string;
  /** What was written and not given to the transport yet. */
  readonly writeBuffer?: readonly unknown[];
  readonly upgrading?: boolean;
  readonly transport: { readonly name: string; readonly socket?: object };
  /** `sent` is called when the system has taken it; never, when the connection ends before. */
  write(data: string | Buffer, options: object, sent?: () => void): unknown;
}

export interface Peer {
  send(frame: Frame): void;
}

export interface Outbox extends Peer {
  /** Counts what the client itself has asked for; false when it asks for more than it reads. */
  mayReply(bytes: number): boolean;
  /** Throws away what waits, and takes nothing any more. */
  drop(): void;
  /** Takes nothing any more, and calls back when the wire was given all that waits. */
  finish(given: () => void): void;
}

export interface PeerOptions {
  readonly wire: Wire;
  readonly maxWaitingBytes: number;
  readonly maxWaitingPackets: number;
  /** Told of each change of what waits. */
  readonly backlog?: Backlog | undefined;
  /** Called instead of sending when too much would wait; nothing waits any more then, and nothing is taken. */
  readonly slow: (waitingBytes: number) => void;
}

export interface Backlog {
  /** More bytes wait, or fewer. */
  add(bytes: number): void;
}

/** The wire is given one frame, or as many as these bytes hold, before the system has taken them. */
const AHEAD_BYTES = 1 << 20;

const SPENT_SLOTS = 64;

/** Events are shared by all who hear them, but replies are this client's alone: it could fill the memory by itself. */
const MAX_UNREAD_REPLIES = 1 << 20;

/** Returns the sending side of one connection. */
export const peer = (options: PeerOptions): Outbox => new Waiting(options);

/** Frames wait by reference, and each is told of as taken by the same function: an event costs no closure. */
class Waiting implements Outbox {
  readonly #options: PeerOptions;
  /** Those that the system has not taken: from `first` to `next` the wire has them, from `next` to the end it has not. */
  #frames: Array<Frame | undefined> = [];
  #first = 0;
  #next = 0;
  #bytes = 0;
  #packets = 0;
  #aheadBytes = 0;
  /** Since nothing waited. */
  #replied = 0;
  #isGiving = false;
  #isOver = false;
  #given: (() => void) | undefined;
  readonly #taken = (error?: unknown): void => {
    // Of a connection that is over the rest is thrown away when that is known.
    if (!(error instanceof Error)) this.#take();
  };

  constructor(options: PeerOptions) {
    this.#options = options;
  }

  send(frame: Frame): void {
    if (this.#isOver) return;
    const { maxWaitingBytes, maxWaitingPackets, backlog, slow } = this.#options;
    const bytes = this.#bytes + frame.bytes;
    const packets = this.#packets + packetsOf(frame);
    if (bytes > maxWaitingBytes || packets > maxWaitingPackets) {
      this.drop();
      slow(bytes);
      return;
    }
    this.#frames.push(frame);
    this.#bytes = bytes;
    this.#packets = packets;
    backlog?.add(frame.bytes);
    this.#give();
  }

  mayReply(bytes: number): boolean {
    this.#replied = this.#bytes === 0 ? 0 : this.#replied + bytes;
    return this.#replied <= MAX_UNREAD_REPLIES;
  }

  drop(): void {
    this.#options.backlog?.add(-this.#bytes);
    this.#isOver = true;
    this.#given = undefined;
    this.#frames = [];
    this.#first = this.#next = this.#bytes = this.#packets = this.#aheadBytes = 0;
  }

  finish(given: () => void): void {
    this.#isOver = true;
    if (this.#next === this.#frames.length) given();
    else this.#given = given;
  }

  #give(): void {
    // A wire may have taken a frame before it returns from the write.
    if (this.#isGiving) return;
    this.#isGiving = true;
    for (let frame = this.#frames[this.#next]; frame !== undefined; frame = this.#frames[this.#next]) {
      if (this.#aheadBytes > 0 && this.#aheadBytes + frame.bytes > AHEAD_BYTES) break;
      this.#next += 1;
      this.#aheadBytes += frame.bytes;
      write(this.#options.wire, frame, this.#taken);
    }
    this.#isGiving = false;
    if (this.#next < this.#frames.length) return;
    this.#given?.();
    this.#given = undefined;
  }

  #take(): void {
    const frame = this.#frames[this.#first];
    // The wire still reports what was thrown away.
    if (frame === undefined) return;
    this.#frames[this.#first] = undefined;
    this.#first += 1;
    this.#bytes -= frame.bytes;
    this.#packets -= packetsOf(frame);
    this.#aheadBytes -= frame.bytes;
    this.#options.backlog?.add(-frame.bytes);
    const isEmpty = this.#first === this.#frames.length;
    // An idle socket keeps no room, and one that is always a little behind does not keep that of what was taken.
    if (isEmpty || this.#first >= Math.max(SPENT_SLOTS, this.#frames.length / 2)) {
      if (isEmpty) this.#frames.length = 0;
      else this.#frames.splice(0, this.#first);
      this.#next -= this.#first;
      this.#first = 0;
    }
    if (!isEmpty) this.#give();
  }
}

const packetsOf = ({ attachments }: Frame): number => 1 + attachments.length;

/** Beside a frame that is written as it is, `ws` needs no text. */
const NO_TEXT = '';
const PLAIN = { compress: false };

const write = (wire: Wire, frame: Frame, taken: (error?: unknown) => void): void => {
  const sender = directSender(wire);
  if (sender === undefined) writeThrough(wire, frame, taken);
  else sendFrames(sender, frame, taken);
};

/** What engine.io's own transport hands an encoded frame to. */
interface FrameSender {
  sendFrame(parts: readonly Buffer[], sent?: (error?: Error) => void): void;
}

const OPEN = 1;

/**
 * Undefined where engine.io has something to say first, or is about to change the transport. Its queue makes three lists for
 * each packet, which outlive a young generation and cost a fifth of the CPU of thousands of sockets.
 */
const directSender = ({ readyState, writeBuffer, upgrading, transport }: Wire): FrameSender | undefined => {
  if (readyState !== 'open' || upgrading === true || writeBuffer?.length !== 0) return undefined;
  const socket = transport.socket as { readyState?: number; _sender?: FrameSender } | undefined;
  return socket?.readyState === OPEN ? socket._sender : undefined;
};

const sendFrames = (sender: FrameSender, { options, attachments }: Frame, taken: (error?: unknown) => void): void => {
  const last = attachments.at(-1);
  sender.sendFrame(partsOf(options), last === undefined ? taken : undefined);
  for (const part of attachments) sender.sendFrame(partsOf(part.options), part === last ? taken : undefined);
};

const partsOf = (options: object): readonly Buffer[] =>
  (options as { readonly wsPreEncodedFrame: readonly Buffer[] }).wsPreEncodedFrame;

const writeThrough = (wire: Wire, frame: Frame, taken: (error?: unknown) => void): void => {
  const isFramed = wire.transport.name === 'websocket';
  const last = frame.attachments.at(-1);
  const text = isFramed ? NO_TEXT : frame.text;
  wire.write(text, isFramed ? frame.options : PLAIN, last === undefined ? taken : undefined);
  if (last === undefined) return;
  for (const part of frame.attachments) {
    wire.write(part.data, isFramed ? part.options : PLAIN, part === last ? taken : undefined);
  }
};
