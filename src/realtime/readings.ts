/**
 * The ways in which a text may be meant: as it stands, with its JSON escapes undone once or twice, and with those of an
 * URL undone too. The pieces of one text follow one another, and an escape may begin in one and end in the next.
 */

/** Is given the next piece and returns what it means; the beginning of an escape is held back until it is whole. */
export type Decode = (piece: string) => string;

export interface Readings {
  /** Tells each way to read what came so far: its end, of which all but what follows `fresh` was told before. */
  read(piece: string, tell: (end: string, fresh: number) => void): void;
  /** The characters that are kept. */
  held(): number;
}

interface Way {
  readonly of: Way | undefined;
  readonly decode: Decode;
  kept: string;
  /** Of this piece; empty between two. */
  meant: string;
  end: string;
}

/** Returns the reader of one text. Of what came before it keeps `reach` characters. */
export const readings = (reach: number): Readings => {
  const plain = way(undefined, (piece) => piece);
  const once = way(plain, jsonUnescaped());
  const ways = [plain, once, way(once, jsonUnescaped()), way(once, percentDecoded())];

  return {
    read(piece, tell) {
      for (const one of ways) {
        one.meant = one.decode(one.of?.meant ?? piece);
        one.end = one.kept + one.meant;
        if (one.end !== one.of?.end) tell(one.end, one.kept.length);
      }
      for (const one of ways) {
        one.kept = last(one.end, reach);
        one.meant = '';
        one.end = '';
      }
    },
    held: () => ways.reduce((sum, { kept }) => sum + kept.length, 0),
  };
};

const way = (of: Way | undefined, decode: Decode): Way => ({ of, decode, kept: '', meant: '', end: '' });

/** A slice keeps the whole of a long text alive, so its end is copied. */
const last = (text: string, length: number): string => {
  const end = text.slice(-length);
  return text.length < 4 * length ? end : Buffer.from(end, 'utf16le').toString('utf16le');
};

/** Each has a group for one that is not whole yet. */
const JSON_ESCAPE = /\\(?:u[0-9A-Fa-f]{4}|(u[0-9A-Fa-f]{0,3}$|$)|.)/gs;
const PERCENT_ESCAPE = /%(?:[0-9A-Fa-f]{2}|([0-9A-Fa-f]?$))/g;

const CONTROLS: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

/** Undoes the escapes of JSON strings (RFC 8259, section 7); any other character behind a backslash is itself. */
export const jsonUnescaped = (): Decode =>
  decoding(JSON_ESCAPE, (written) => {
    if (written.length === 6) return characterOf(written.slice(2));
    const letter = written.slice(1);
    return CONTROLS[letter] ?? letter;
  });

/** Undoes the escapes of URLs (RFC 3986, section 2.1), each octet as one character. */
const percentDecoded = (): Decode => decoding(PERCENT_ESCAPE, (written) => characterOf(written.slice(1)));

const characterOf = (hexadecimal: string): string => String.fromCharCode(Number.parseInt(hexadecimal, 16));

const decoding = (escapes: RegExp, meaning: (written: string) => string): Decode => {
  let begun = '';
  return (piece) => {
    const text = begun + piece;
    begun = '';
    return text.replace(escapes, (written: string, unfinished: string | undefined) => {
      if (unfinished === undefined) return meaning(written);
      begun = written;
      return '';
    });
  };
};
