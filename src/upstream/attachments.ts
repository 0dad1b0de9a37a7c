/**
 * The binary parts of events, taken out of them: in their places stand placeholders, as in Socket.IO's own packets, so that
 * every stage reads plain JSON. An event without such parts is not searched for them.
 */

/** The part of socket.io-client's packet decoder that is used here. */
export interface Decoder {
  readonly opts: { maxAttachments: number };
  /** Takes what came: a text, or a binary part of the text before. Throws for what it cannot read. */
  add(data: unknown): void;
  on(event: 'decoded', listener: (packet: { readonly data?: unknown }) => void): unknown;
}

export interface AttachmentBounds {
  /** Events with more are not read: the connection ends, as it does for a message that is too large. */
  readonly maxRead: number;
  readonly maxBytes: number;
}

/** Returns a function that says whether an event's payload has binary parts. It says so once. */
export const binaryPayloads = (decoder: Decoder, { maxRead, maxBytes }: AttachmentBounds) => {
  const payloads = new WeakSet<object>();
  let isBinary = false;
  let hasBeen = false;
  let bytes = 0;
  const add = decoder.add.bind(decoder);
  decoder.opts.maxAttachments = maxRead;
  decoder.add = (data) => {
    isBinary = Buffer.isBuffer(data);
    bytes = Buffer.isBuffer(data) ? bytes + data.length : 0;
    if (bytes > maxBytes) throw new RangeError(`${bytes} bytes of attachments`);
    add(data);
  };
  // A packet is complete with its last binary part, and nothing in it tells of them after that.
  decoder.on('decoded', ({ data }) => {
    const payload: unknown = isBinary && Array.isArray(data) ? data[1] : undefined;
    if (typeof payload !== 'object' || payload === null) return;
    hasBeen = true;
    payloads.add(payload);
  });
  return (payload: object): boolean => hasBeen && payloads.delete(payload);
};

/** Puts a placeholder in the place of each binary part of a payload, and returns the parts by the placeholders' numbers. */
export const takeAttachments = (payload: object): readonly Buffer[] => {
  const attachments: Buffer[] = [];
  const open = [payload];
  for (let holder = open.pop(); holder !== undefined; holder = open.pop()) {
    for (const [key, value] of Object.entries(holder)) {
      if (typeof value !== 'object' || value === null) continue;
      if (Buffer.isBuffer(value)) put(holder, key, { _placeholder: true, num: attachments.push(value) - 1 });
      else open.push(value);
    }
  }
  return attachments;
};

/** A key such as `__proto__` is a key like any other. */
const put = (holder: object, key: string, value: object): void => {
  Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true });
};
