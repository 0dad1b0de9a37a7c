/**
 * The strings of a JSON text that arrives in pieces, before it is whole and whether it ever becomes whole: all that stands
 * between two quotes. What is outside of strings in such a text looks like nothing else, and to tell the two apart one
 * would have to know that nothing before was left open.
 */
import { type Decode, jsonUnescaped } from './readings.ts';

export interface JsonStrings {
  /** Tells each string that ends in this piece, and the one that does not end in it as far as it is known. */
  read(piece: string): void;
  /** The characters that are kept. */
  held(): number;
}

export interface JsonStringsOptions {
  readonly tell: (value: string) => void;
  /** A string that is longer is not told. */
  readonly maxLength: number;
  /** How many times a string may itself be the JSON text of a list or an object, whose strings are told then. */
  readonly nested: number;
}

interface Open {
  readonly decode: Decode;
  /** Undefined: too long. */
  value: string | undefined;
  inner: JsonStrings | undefined;
}

/** A text in quotes inside of prose is no value of anything. */
const LIST_OR_OBJECT = /^\s*[[{]/;

/** Returns the reader of one text. */
export const jsonStrings = (options: JsonStringsOptions): JsonStrings => {
  const { tell, maxLength, nested } = options;
  let open = begun();
  let escaped = false;

  const add = (to: Open, piece: string): void => {
    const meant = to.decode(piece);
    if (to.value !== undefined) {
      const value = to.value + meant;
      if (nested > 0 && LIST_OR_OBJECT.test(value)) to.inner ??= jsonStrings({ ...options, nested: nested - 1 });
      to.value = value.length > maxLength ? undefined : value;
    }
    to.inner?.read(meant);
    if (to.value !== undefined && to.value !== '') tell(to.value);
  };

  /** Returns where the quote is that ends the string, or the end of the piece. */
  const endIn = (piece: string, from: number): number => {
    const special = /["\\]/g;
    special.lastIndex = escaped ? from + 1 : from;
    escaped = false;
    for (let found = special.exec(piece); found !== null; found = special.exec(piece)) {
      if (found[0] === '"') return found.index;
      special.lastIndex = found.index + 2;
      escaped = special.lastIndex > piece.length;
    }
    return piece.length;
  };

  return {
    read(piece) {
      for (let at = 0; at < piece.length; ) {
        const end = endIn(piece, at);
        add(open, piece.slice(at, end));
        if (end < piece.length) open = begun();
        at = end + 1;
      }
    },
    held: () => (open.value?.length ?? 0) + (open.inner?.held() ?? 0),
  };
};

const begun = (): Open => ({ decode: jsonUnescaped(), value: '', inner: undefined });
