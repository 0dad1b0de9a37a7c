/** An event as it goes over the wire: encoded once, however many sockets hear it, in whichever form they hear it. */
import type { JsonValue } from '../model/json.ts';

/** A Socket.IO packet, ready for the wire. */
export interface Frame {
  readonly text: string;
  /** For the write of the text: what goes over a WebSocket for it. */
  readonly options: object;
  /** Of the text and all attachments. */
  readonly bytes: number;
  /** The binary parts, which must follow the text at once. */
  readonly attachments: readonly Attachment[];
  /** The same event with its place in the log of missed events as the last argument, as Socket.IO's recovery has it. */
  withOffset(offset: string): Frame;
}

export interface Attachment {
  readonly data: Buffer;
  readonly options: object;
}

/**
 * Returns the frame of an event. The attachments are those of the placeholders in the arguments; one whose placeholder is
 * gone is not sent. Throws a RangeError when the arguments are nested too deeply to be written, or when a placeholder
 * stands for nothing.
 */
export const eventFrame = (
  name: string,
  args: readonly JsonValue[],
  attachments: readonly Buffer[] = NO_BUFFERS,
): Frame => {
  if (attachments.length === 0) return frame(`2${JSON.stringify([name, ...args])}`, NONE);
  const kept = keeper(attachments);
  const json = JSON.stringify([name, ...args], kept.renumbered);
  return kept.parts.length === 0 ? frame(`2${json}`, NONE) : frame(`5${kept.parts.length}-${json}`, kept.parts);
};

/** Returns the acknowledgement of a client's event. */
export const acknowledgementFrame = (id: number, args: readonly JsonValue[]): Frame =>
  frame(`3${id}${JSON.stringify(args)}`, NONE);

const NO_BUFFERS: readonly Buffer[] = [];
const NONE: readonly Attachment[] = [];
const TEXT = 0x81;
const BINARY = 0x82;

/** Returns the frame of a packet's text, as it was encoded before, and of its binary parts. */
export const frame = (source: string, attachments: readonly Attachment[]): Frame => {
  let bytes = Buffer.byteLength(source) + 1;
  for (const { data } of attachments) bytes += data.length;
  let held: string | Encoded = source;
  let derived: { readonly offset: string; readonly frame: Frame } | undefined;
  const text = (): string => (typeof held === 'string' ? held : held.data.toString('utf8', 1));
  return {
    bytes,
    attachments,
    get text() {
      return text();
    },
    get options() {
      // Megabytes that wait are held once: the text is made again for the few who poll beside one with a WebSocket.
      if (typeof held === 'string') held = encoded(held);
      return held.options;
    },
    withOffset(offset) {
      if (derived?.offset !== offset) {
        const open = text().slice(0, -1);
        const last = `${open.endsWith('[') ? '' : ','}${JSON.stringify(offset)}]`;
        derived = { offset, frame: frame(open + last, attachments) };
      }
      return derived.frame;
    },
  };
};

interface Encoded {
  readonly data: Buffer;
  readonly options: object;
}

const encoded = (text: string): Encoded => {
  const data = Buffer.from(`4${text}`);
  return { data, options: preEncoded(TEXT, data) };
};

/** Keeps the attachments whose placeholders are met, numbered in the order in which they are. */
const keeper = (attachments: readonly Buffer[]) => {
  const parts: Attachment[] = [];
  const numbers = new Map<unknown, number>();
  const renumbered = (_key: string, value: unknown): unknown => {
    if (!isPlaceholder(value)) return value;
    let num = numbers.get(value.num);
    if (num === undefined) {
      const data = typeof value.num === 'number' ? attachments[value.num] : undefined;
      if (data === undefined) throw new RangeError(`placeholder ${value.num} of ${attachments.length} attachments`);
      num = parts.push({ data, options: preEncoded(BINARY, data) }) - 1;
      numbers.set(value.num, num);
    }
    return { _placeholder: true, num };
  };
  return { parts, renumbered };
};

const isPlaceholder = (value: unknown): value is { readonly num?: unknown } =>
  typeof value === 'object' && value !== null && '_placeholder' in value && value._placeholder === true;

/** `ws` writes these parts as they are, whoever hears them. */
const preEncoded = (opcode: number, data: Buffer): object => ({
  compress: false,
  wsPreEncodedFrame: [header(opcode, data.length), data],
});

/** The header of an unmasked, final frame (RFC 6455, section 5.2). */
const header = (opcode: number, length: number): Buffer => {
  if (length < 126) return Buffer.of(opcode, length);
  if (length < 65_536) return Buffer.of(opcode, 126, length >> 8, length & 0xff);
  const bytes = Buffer.alloc(10);
  bytes[0] = opcode;
  bytes[1] = 127;
  bytes.writeBigUInt64BE(BigInt(length), 2);
  return bytes;
};
