/**
 * Finds the rows of a JSON list while its bytes arrive, without parsing them: strings are passed over by native search.
 * Of each row it learns one thing, the value of one key; the bytes of a row stay as they came.
 */

/** A row that has ended. */
export interface Row {
  /** The value of the key, when it is a string; undefined for everything else. */
  readonly id: string | undefined;
  /** Undefined when the row was larger than it may be: then it was not kept. */
  readonly bytes: readonly Buffer[] | undefined;
}

export interface SplitOptions {
  /** The key at the top of each row. */
  readonly key: string;
  readonly maxRowBytes: number;
}

/** What stands at the top of a list or of a row, and what may come next there. */
type Expected =
  | 'list'
  | 'row-or-end'
  | 'row'
  | 'comma-or-end'
  | 'key-or-end'
  | 'key'
  | 'colon'
  | 'value'
  | 'next'
  | 'end';

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN_ROW = 0x7b;
const CLOSE_ROW = 0x7d;
const MAX_DEPTH = 512;
/** Longer keys and ids are nobody's. */
const MAX_TEXT_BYTES = 1_024;

const isSpace = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

/** What is not the expected shape: thrown by `push` and `end`, and then nothing more may be read. */
export class ShapeError extends Error {}

export class RowSplitter {
  readonly #options: SplitOptions;
  #expected: Expected = 'list';
  /** The closing bytes that are awaited inside a value of a row. */
  readonly #open: number[] = [];
  #inString = false;
  /** An odd number of backslashes stands at the end of what was read of the string. */
  #escaped = false;
  /** The string under way, while it is a key or the wanted value and short enough. */
  #text: Buffer[] | undefined;
  #textBytes = 0;
  #wanted = false;
  #row: Buffer[] | undefined;
  #rowBytes = 0;
  #id: string | undefined;
  #idSeen = false;
  /** Where the row, or the string, goes on in the chunk under way. */
  #rowFrom = 0;

  constructor(options: SplitOptions) {
    this.#options = options;
  }

  /** Returns the rows that end in this chunk, or throws a ShapeError. */
  push(chunk: Buffer): Row[] {
    const rows: Row[] = [];
    this.#rowFrom = 0;
    let index = 0;
    while (index < chunk.length) {
      if (this.#inString) {
        index = this.#string(chunk, index);
        continue;
      }
      const byte = chunk[index] ?? 0;
      index += 1;
      if (this.#open.length > 0) this.#inside(byte);
      else if (!isSpace(byte)) this.#top(byte, index, { chunk, rows });
      if (byte === QUOTE) this.#beginString();
    }
    if (this.#inRow()) this.#hold(chunk, chunk.length);
    return rows;
  }

  /** Throws a ShapeError unless the list has ended. */
  end(): void {
    if (this.#expected !== 'end') throw new ShapeError('the list does not end');
  }

  #inRow(): boolean {
    return this.#row !== undefined || this.#rowBytes > 0;
  }

  /** Passes over the string up to its end or the chunk's, and returns where to go on. */
  #string(chunk: Buffer, from: number): number {
    let at = from;
    for (;;) {
      const quote = chunk.indexOf(QUOTE, at);
      const end = quote < 0 ? chunk.length : quote;
      let before = end;
      while (before > from && chunk[before - 1] === BACKSLASH) before -= 1;
      const slashes = end - before + (before === from && this.#escaped ? 1 : 0);
      if (quote < 0) {
        this.#take(chunk.subarray(from, end));
        this.#escaped = slashes % 2 === 1;
        return end;
      }
      if (slashes % 2 === 0) {
        this.#take(chunk.subarray(from, end));
        this.#endString();
        return end + 1;
      }
      at = quote + 1;
    }
  }

  #beginString(): void {
    this.#inString = true;
    this.#escaped = false;
    const wanted =
      this.#open.length === 0 && (this.#expected === 'colon' || (this.#expected === 'next' && this.#wanted));
    this.#text = wanted ? [] : undefined;
    this.#textBytes = 0;
  }

  #take(bytes: Buffer): void {
    if (this.#text === undefined) return;
    this.#textBytes += bytes.length;
    if (this.#textBytes > MAX_TEXT_BYTES) this.#text = undefined;
    else this.#text.push(bytes);
  }

  #endString(): void {
    this.#inString = false;
    if (this.#open.length > 0) return;
    const text = this.#text === undefined ? undefined : unquoted(Buffer.concat(this.#text));
    this.#text = undefined;
    if (this.#expected === 'colon') {
      this.#wanted = text === this.#options.key;
      if (this.#wanted && this.#idSeen) throw new ShapeError('a row names its key twice');
      if (this.#wanted) this.#idSeen = true;
    } else if (this.#expected === 'next' && this.#wanted) {
      this.#id = text;
    }
  }

  /** A byte of a value below the top of a row. */
  #inside(byte: number): void {
    if (byte === OPEN_ROW) this.#descend(CLOSE_ROW);
    else if (byte === OPEN_LIST) this.#descend(CLOSE_LIST);
    else if (byte === CLOSE_ROW || byte === CLOSE_LIST) {
      if (this.#open.pop() !== byte) throw new ShapeError('brackets do not match');
    }
  }

  #descend(closing: number): void {
    if (this.#open.push(closing) > MAX_DEPTH) throw new ShapeError('a row is nested too deeply');
  }

  /** A byte at the top of the list or of a row; `next` is the index behind it. */
  #top(byte: number, next: number, { chunk, rows }: { chunk: Buffer; rows: Row[] }): void {
    const expected = this.#expected;
    if (expected === 'list' && byte === OPEN_LIST) this.#expected = 'row-or-end';
    else if ((expected === 'row-or-end' || expected === 'row') && byte === OPEN_ROW) this.#beginRow(next - 1);
    else if ((expected === 'row-or-end' || expected === 'comma-or-end') && byte === CLOSE_LIST) this.#expected = 'end';
    else if (expected === 'comma-or-end' && byte === COMMA) this.#expected = 'row';
    else if ((expected === 'key-or-end' || expected === 'key') && byte === QUOTE) this.#expected = 'colon';
    else if (expected === 'colon' && byte === COLON) this.#expected = 'value';
    else if (expected === 'next' && byte === COMMA) this.#expected = 'key';
    else if ((expected === 'next' || expected === 'key-or-end') && byte === CLOSE_ROW) {
      this.#hold(chunk, next);
      rows.push(this.#endRow());
    } else if (expected === 'value' && isValueStart(byte)) {
      this.#expected = 'next';
      this.#inside(byte);
    } else if (expected !== 'next' || !isScalar(byte))
      throw new ShapeError(`byte ${byte} where ${expected} was expected`);
  }

  #beginRow(from: number): void {
    this.#expected = 'key-or-end';
    this.#row = [];
    this.#rowBytes = 0;
    this.#rowFrom = from;
    this.#id = undefined;
    this.#idSeen = false;
    this.#wanted = false;
  }

  #hold(chunk: Buffer, end: number): void {
    const part = chunk.subarray(this.#rowFrom, end);
    this.#rowBytes += part.length;
    if (this.#rowBytes > this.#options.maxRowBytes) this.#row = undefined;
    else this.#row?.push(part);
  }

  #endRow(): Row {
    const row = { id: this.#id, bytes: this.#row };
    this.#expected = 'comma-or-end';
    this.#row = undefined;
    this.#rowBytes = 0;
    return row;
  }
}

/** A string, a bracket, or the first byte of a number or of true, false, null, NaN, Infinity. */
const isValueStart = (byte: number): boolean =>
  byte === QUOTE || byte === OPEN_ROW || byte === OPEN_LIST || isScalar(byte);

/** Letters, digits, `+`, `-` and `.`: what numbers and words are made of. */
const isScalar = (byte: number): boolean =>
  (byte >= 0x30 && byte <= 0x39) ||
  (byte >= 0x61 && byte <= 0x7a) ||
  (byte >= 0x41 && byte <= 0x5a) ||
  byte === 0x2b ||
  byte === 0x2d ||
  byte === 0x2e;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text between two quotes; undefined when it is none. */
const unquoted = (bytes: Buffer): string | undefined => {
  try {
    const text: unknown = JSON.parse(`"${utf8.decode(bytes)}"`);
    return typeof text === 'string' ? text : undefined;
  } catch {
    return undefined;
  }
};
