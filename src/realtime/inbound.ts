/**
 * What a client may say on a socket: a few events that the gateway answers itself, at a bounded pace, in packets that
 * are judged before any parser sees them. Nothing that a client emits is ever forwarded.
 */
import type { AcceptedEvents } from '../model/event.ts';
import type { JsonValue } from '../model/json.ts';

/** An event of a client, complete. */
export interface ClientEvent {
  /** The name and the arguments; a placeholder (`{ _placeholder, num }`) stands for each attachment. */
  readonly args: readonly JsonValue[];
  readonly attachments: readonly Buffer[];
  /** The number under which the client waits for an acknowledgement. */
  readonly id: number | undefined;
}

/** `fine`: for Socket.IO itself, or for the transport; `part`: of an event whose attachments are still to come. */
export type PacketVerdict = 'fine' | 'part' | 'malformed' | 'too-fast' | ClientEvent;

export type EventVerdict =
  | { readonly accepted: true; readonly reply: string; readonly payload: readonly JsonValue[] }
  | {
      readonly accepted: false;
      readonly reason: 'event-refused' | 'packet-invalid';
      readonly detail: string;
      /** The client has been refused so often that its connection should end. */
      readonly final: boolean;
    };

export interface InboundJudge {
  /** Judges a Socket.IO packet, text or binary; undefined stands for a packet of the transport's own. */
  packet(data: unknown, nowMillis: number): PacketVerdict;
  /** Judges the name and the arguments of an event. */
  event(args: readonly unknown[]): EventVerdict;
}

export interface InboundOptions {
  /** Asked at each event: a connection may outlive the policy under which it was opened. */
  readonly accept: Pick<AcceptedEvents, 'get'>;
  /** Packets of any kind, sustained; an attachment is one. */
  readonly packetsPerSecond?: number;
  readonly burst?: number;
  readonly maxDepth?: number;
  readonly maxRefused?: number;
  /** Of one event. */
  readonly maxAttachments?: number;
  /** Of one event, all together. */
  readonly maxAttachedBytes?: number;
}

/** Returns a function that makes the judge of one connection; a judge remembers pace, refusals and half an event. */
export const inbound = (options: InboundOptions): (() => InboundJudge) => {
  const { accept, packetsPerSecond = 50, burst = 100, maxDepth = 64, maxRefused = 20 } = options;
  const { maxAttachments = 10, maxAttachedBytes = 100_000 } = options;
  if (!(packetsPerSecond > 0) || !(burst >= 1)) throw new TypeError('packetsPerSecond and burst must be positive');
  const gapMillis = 1000 / packetsPerSecond;
  const leadMillis = gapMillis * (burst - 1);

  return () => {
    let dueMillis = 0;
    let refused = 0;
    let connecting = false;
    const parts = assembly({ maxAttachments, maxAttachedBytes });

    const tooFast = (nowMillis: number): boolean => {
      // Generic cell rate: each packet moves the due time on, and it may run ahead of the clock by a burst only.
      const due = Math.min(Math.max(dueMillis, nowMillis), nowMillis + leadMillis + gapMillis);
      dueMillis = due + gapMillis;
      return due - nowMillis > leadMillis;
    };

    const text = (data: string): PacketVerdict => {
      // Attachments follow their event at once (Socket.IO protocol 5); nothing else may come between.
      const read = parts.isOpen() ? undefined : readPacket(data, maxDepth);
      if (read === undefined) return 'malformed';
      if (read.kind === 'event') return parts.begin(read);
      if (read.kind === 'disconnect') return 'fine';
      // A second CONNECT would make a second socket behind one transport.
      if (read.isRoot && connecting) return 'malformed';
      if (read.isRoot) connecting = true;
      else refused += 1;
      return refused > maxRefused ? 'malformed' : 'fine';
    };

    const refuse = (reason: 'event-refused' | 'packet-invalid', detail: string): EventVerdict => {
      refused += 1;
      return { accepted: false, reason, detail, final: refused >= maxRefused };
    };

    return {
      packet(data, nowMillis) {
        if (tooFast(nowMillis)) return 'too-fast';
        if (data === undefined) return 'fine';
        if (typeof data === 'string') return text(data);
        return Buffer.isBuffer(data) ? parts.add(data) : 'malformed';
      },
      event([name, ...payload]) {
        if (typeof name !== 'string') return refuse('packet-invalid', 'the event has no name');
        const reply = accept.get(name);
        if (reply === undefined) return refuse('event-refused', `event ${JSON.stringify(name.slice(0, 64))}`);
        if (payload.length > 1) return refuse('packet-invalid', `${payload.length} arguments`);
        return { accepted: true, reply, payload: payload as JsonValue[] };
      },
    };
  };
};

/** Puts the attachments of one event after another together. */
const assembly = ({ maxAttachments, maxAttachedBytes }: Required<Pick<InboundOptions, Bounds>>) => {
  let partial: { readonly event: ClientEvent; readonly parts: Buffer[]; readonly announced: number } | undefined;
  let bytes = 0;
  return {
    isOpen: () => partial !== undefined,
    begin({ args, id, announced }: ReadEvent): PacketVerdict {
      const parts: Buffer[] = [];
      const event: ClientEvent = { args, id, attachments: parts };
      if (announced === 0) return event;
      if (announced > maxAttachments || !hasPlaces(args, announced)) return 'malformed';
      partial = { event, parts, announced };
      bytes = 0;
      return 'part';
    },
    add(data: Buffer): PacketVerdict {
      if (partial === undefined) return 'malformed';
      bytes += data.length;
      if (bytes > maxAttachedBytes) return 'malformed';
      const { event, parts, announced } = partial;
      if (parts.push(data) < announced) return 'part';
      partial = undefined;
      return event;
    },
  };
};

type Bounds = 'maxAttachments' | 'maxAttachedBytes';

interface ReadEvent {
  readonly kind: 'event';
  readonly args: readonly JsonValue[];
  readonly id: number | undefined;
  readonly announced: number;
}

type Read = { readonly kind: 'connect'; readonly isRoot: boolean } | { readonly kind: 'disconnect' } | ReadEvent;

/**
 * CONNECT, DISCONNECT, EVENT or BINARY_EVENT with the number of its attachments (Socket.IO protocol 5): namespace,
 * acknowledgement id, and how the JSON begins.
 */
const PACKET = /^(?:([012])|5([1-9]\d{0,2})-)(\/[\w./~-]{0,127}(?:,|$))?(\d{0,15})($|[[{])/;

const CONNECT = '0';
const DISCONNECT = '1';

/** Returns what a packet says, or undefined for one that no client has a reason to send. */
const readPacket = (data: string, maxDepth: number): Read | undefined => {
  const match = PACKET.exec(data);
  if (match === null) return undefined;
  const [head, type, announced = '0', namespace = '/', id = '', opening = ''] = match;
  const isRoot = namespace === '/' || namespace === '/,';
  if (type === DISCONNECT) return head === data && id === '' ? { kind: 'disconnect' } : undefined;
  const from = head.length - opening.length;
  if (type === CONNECT) {
    if (opening === '[' || id !== '') return undefined;
    const isRead = opening === '' ? data.length === from : readJson(data, from, maxDepth) !== undefined;
    return isRead ? { kind: 'connect', isRoot } : undefined;
  }
  if (opening !== '[' || !isRoot) return undefined;
  const args = readJson(data, from, maxDepth);
  if (!Array.isArray(args)) return undefined;
  return { kind: 'event', args, id: id === '' ? undefined : Number(id), announced: Number(announced) };
};

const readJson = (text: string, from: number, maxDepth: number): JsonValue | undefined => {
  if (!isShallow(text, from, maxDepth)) return undefined;
  try {
    return JSON.parse(text.slice(from));
  } catch {
    return undefined;
  }
};

/** True when each of so many attachments has its place, and has it once. */
const hasPlaces = (args: readonly JsonValue[], announced: number): boolean => {
  const found = new Set<unknown>();
  let places = 0;
  const look = (value: JsonValue | undefined): void => {
    if (typeof value !== 'object' || value === null) return;
    if ('_placeholder' in value && value._placeholder === true) {
      places += 1;
      found.add(value.num);
      return;
    }
    for (const inner of Object.values(value)) look(inner);
  };
  look(args as JsonValue[]);
  const isMissing = Array.from({ length: announced }, (_, num) => found.has(num)).includes(false);
  return places === announced && !isMissing;
};

/** True when no more than `maxDepth` brackets are open at once; brackets inside strings do not count. */
const isShallow = (text: string, from: number, maxDepth: number): boolean => {
  let depth = 0;
  let inString = false;
  for (let i = from; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (inString) {
      if (code === 0x5c) i += 1;
      else if (code === 0x22) inString = false;
    } else if (code === 0x22) inString = true;
    else if (code === 0x5b || code === 0x7b) {
      depth += 1;
      if (depth > maxDepth) return false;
    } else if (code === 0x5d || code === 0x7d) depth -= 1;
  }
  return true;
};
