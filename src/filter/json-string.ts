/** Strings in JSON that nobody has parsed: where one ends, and what one says. Most are long and nobody needs their text. */

export const QUOTE = 0x22;
export const BACKSLASH = 0x5c;
/** Longer texts are nobody's id. */
export const MAX_TEXT_BYTES = 1_024;
/** Up to here a loop is faster than the call of a native search. */
const NEAR_BYTES = 48;

/** Returns where the quote stands that ends the string; the chunk's length, or one more after a backslash, if not here. */
export const stringEnd = (chunk: Buffer, from: number): number => {
  const { length } = chunk;
  let at = from;
  for (;;) {
    const near = Math.min(at + NEAR_BYTES, length);
    while (at < near) {
      const byte = chunk[at];
      if (byte === QUOTE) return at;
      at += byte === BACKSLASH ? 2 : 1;
    }
    if (at >= length) return at;
    const quote = chunk.indexOf(QUOTE, at);
    const end = quote < 0 ? length : quote;
    let slash = end;
    while (slash > at && chunk[slash - 1] === BACKSLASH) slash -= 1;
    const isEscaped = (end - slash) % 2 === 1;
    if (quote < 0 || !isEscaped) return isEscaped ? end + 1 : end;
    at = quote + 1;
  }
};

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Returns the text between two quotes; undefined when it is none, or too long. */
export const textBetween = (bytes: Buffer, from: number, to: number): string | undefined => {
  if (to - from > MAX_TEXT_BYTES) return undefined;
  let at = from;
  while (at < to && isPlain(bytes[at] ?? 0)) at += 1;
  if (at === to) return bytes.toString('latin1', from, to);
  try {
    const text: unknown = JSON.parse(`"${utf8.decode(bytes.subarray(from, to))}"`);
    return typeof text === 'string' ? text : undefined;
  } catch {
    return undefined;
  }
};

/** ASCII that means itself. */
const isPlain = (byte: number): boolean => byte >= 0x20 && byte < 0x7f && byte !== BACKSLASH;
