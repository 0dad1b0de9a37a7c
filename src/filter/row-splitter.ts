/**
 * Finds the rows of a JSON list while its bytes arrive, without parsing them: a table says what may come next, long
 * strings are passed over by native search, and nothing is copied. Of each row it learns one thing, the value of one
 * key; the bytes of a row stay as they came.
 */

import { BACKSLASH, MAX_TEXT_BYTES, QUOTE, stringEnd, textBetween } from './json-string.ts';

/** A row that has ended; `copyRow` gives its bytes. It keeps alive the chunks in which it lies. */
export interface Row {
  /** The value of the key, when it is a string; undefined for everything else. */
  readonly id: string | undefined;
  readonly bytes: number;
  /** Its parts in earlier chunks; undefined when the row was larger than it may be: then it was not kept. */
  readonly before: readonly Buffer[] | undefined;
  /** The chunk in which it ends, and its part there. */
  readonly chunk: Buffer;
  readonly from: number;
  readonly to: number;
}

export interface SplitOptions {
  /** The key at the top of each row. */
  readonly key: string;
  readonly maxRowBytes: number;
}

const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_ROW = 0x7b;
const CLOSE_ROW = 0x7d;
const MAX_DEPTH = 512;
const NONE: Buffer[] = [];

/** What stands at the top of the list or of a row, named by what may come next. */
const LIST = 1;
const ROW_OR_END = 2;
const ROW = 3;
const COMMA_OR_END = 4;
const KEY_OR_END = 5;
const KEY = 6;
const COLON = 7;
const VALUE = 8;
const SCALAR = 9;
const NEXT = 10;
const END = 11;
const EXPECTED = [
  '',
  '[',
  '{ or ]',
  '{',
  ', or ]',
  'a key or }',
  'a key',
  ':',
  'a value',
  ', or }',
  ', or }',
  'the end',
];
/** No states: what is to be done on the way to one. */
const BEGIN_ROW = 12;
const END_ROW = 13;
const BEGIN_KEY = 14;
const BEGIN_TEXT = 15;
const DESCEND = 16;
const FAULT = 0;

const SPACES = ' \n\r\t';
/** What numbers and words are made of. Whether they are any is asked of rows that are shown: others may hold a NaN. */
const SCALARS = '+-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

const STEPS: ReadonlyArray<readonly [state: number, bytes: string, step: number]> = [
  [LIST, '[', ROW_OR_END],
  [ROW_OR_END, '{', BEGIN_ROW],
  [ROW_OR_END, ']', END],
  [ROW, '{', BEGIN_ROW],
  [COMMA_OR_END, ',', ROW],
  [COMMA_OR_END, ']', END],
  [KEY_OR_END, '"', BEGIN_KEY],
  [KEY_OR_END, '}', END_ROW],
  [KEY, '"', BEGIN_KEY],
  [COLON, ':', VALUE],
  [VALUE, '"', BEGIN_TEXT],
  [VALUE, '[{', DESCEND],
  [VALUE, SCALARS, SCALAR],
  [SCALAR, SCALARS, SCALAR],
  [SCALAR, SPACES, NEXT],
  [SCALAR, ',', KEY],
  [SCALAR, '}', END_ROW],
  [NEXT, ',', KEY],
  [NEXT, '}', END_ROW],
];

/** The step for each state and byte; what is not listed is a fault, and space is passed over. */
const TABLE = new Uint8Array(BEGIN_ROW << 8);
for (let state = LIST; state <= END; state += 1)
  for (const byte of Buffer.from(SPACES)) TABLE[(state << 8) | byte] = state;
for (const [state, bytes, step] of STEPS) for (const byte of Buffer.from(bytes)) TABLE[(state << 8) | byte] = step;

/** What is not the expected shape: thrown by `push` and `end`, and then nothing more may be read. */
export class ShapeError extends Error {}

/** What the string under way is. */
type Meaning = 'key' | 'id' | 'other';

export class RowSplitter {
  readonly #key: string;
  readonly #keyBytes: Buffer;
  readonly #maxRowBytes: number;
  #state = LIST;
  /** The closing bytes that are awaited inside a value of a row. */
  readonly #open: number[] = [];
  /** Of a string that goes on in the next chunk. */
  #unended: Meaning | undefined;
  /** 1 when the next chunk begins with a byte that a backslash escapes. */
  #escaped = 0;
  /** What came of it before, where its text matters. */
  #text: Buffer[] = [];
  #inRow = false;
  #before = NONE;
  #beforeBytes = 0;
  /** Where the row begins, or goes on, in the chunk under way. */
  #from = 0;
  #wanted = false;
  #id: string | undefined;
  #idSeen = false;

  constructor({ key, maxRowBytes }: SplitOptions) {
    this.#key = key;
    this.#keyBytes = Buffer.from(key);
    this.#maxRowBytes = maxRowBytes;
  }

  /** Returns the rows that end in this chunk, or throws a ShapeError. */
  push(chunk: Buffer): Row[] {
    const rows: Row[] = [];
    this.#from = 0;
    let at = this.#unended === undefined ? 0 : this.#endString(chunk, this.#unended);
    while (at < chunk.length) at = this.#open.length > 0 ? this.#inside(chunk, at) : this.#top(chunk, at, rows);
    if (this.#inRow) this.#hold(chunk);
    return rows;
  }

  /** Throws a ShapeError unless the list has ended. */
  end(): void {
    if (this.#state !== END) throw new ShapeError('the list does not end');
  }

  /** Reads on at the top of the list or of a row, up to a nested value or the chunk's end; returns where to go on. */
  #top(chunk: Buffer, from: number, rows: Row[]): number {
    let at = from;
    let state = this.#state;
    const { length } = chunk;
    while (at < length) {
      const byte = chunk[at] ?? 0;
      const step = TABLE[(state << 8) | byte] ?? FAULT;
      at += 1;
      if (step < BEGIN_ROW) {
        if (step === FAULT) throw new ShapeError(`byte ${byte} where ${EXPECTED[state]} was expected`);
        state = step;
      } else if (step === BEGIN_KEY) {
        state = COLON;
        const end = stringEnd(chunk, at);
        if (end >= length) this.#breakString(chunk.subarray(at), end - length, 'key');
        else this.#learnKey(chunk, at, end);
        at = end + 1;
      } else if (step === BEGIN_TEXT) {
        state = NEXT;
        const end = stringEnd(chunk, at);
        if (end >= length) this.#breakString(chunk.subarray(at), end - length, this.#wanted ? 'id' : 'other');
        else if (this.#wanted) this.#id = textBetween(chunk, at, end);
        at = end + 1;
      } else if (step === BEGIN_ROW) {
        state = KEY_OR_END;
        this.#beginRow(at - 1);
      } else if (step === END_ROW) {
        state = COMMA_OR_END;
        rows.push(this.#endRow(chunk, at));
      } else {
        this.#state = NEXT;
        return this.#inside(chunk, at - 1);
      }
    }
    this.#state = state;
    return at;
  }

  /** Reads on in a nested value, up to its end or the chunk's; returns where to go on. */
  #inside(chunk: Buffer, from: number): number {
    let at = from;
    while (at < chunk.length) {
      const byte = chunk[at];
      at += 1;
      if (byte === QUOTE) {
        const end = stringEnd(chunk, at);
        if (end >= chunk.length) this.#breakString(chunk.subarray(at), end - chunk.length, 'other');
        at = end + 1;
      } else if (byte === OPEN_ROW || byte === OPEN_LIST) {
        const depth = this.#open.push(byte === OPEN_ROW ? CLOSE_ROW : CLOSE_LIST);
        if (depth > MAX_DEPTH) throw new ShapeError('a row is nested too deeply');
      } else if (byte === CLOSE_ROW || byte === CLOSE_LIST) {
        if (this.#open.pop() !== byte) throw new ShapeError('brackets do not match');
        if (this.#open.length === 0) break;
      }
    }
    return at;
  }

  /** A string goes on in the next chunk; `escaped` is by how much its search went beyond this one. */
  #breakString(part: Buffer, escaped: number, meaning: Meaning): void {
    this.#escaped = escaped;
    this.#unended = this.#keepText(part, meaning);
  }

  /** Passes over the rest of a string from an earlier chunk; returns where to go on. */
  #endString(chunk: Buffer, meaning: Meaning): number {
    const end = stringEnd(chunk, this.#escaped);
    if (end >= chunk.length) {
      this.#breakString(chunk, end - chunk.length, meaning);
      return end;
    }
    this.#unended = undefined;
    if (meaning !== 'other') {
      const text = Buffer.concat([...this.#text, chunk.subarray(0, end)]);
      this.#text = [];
      if (meaning === 'key') this.#learnKey(text, 0, text.length);
      else this.#id = textBetween(text, 0, text.length);
    }
    return end + 1;
  }

  /** Keeps a part of a string, and returns what the string still means: nothing when it is too long. */
  #keepText(part: Buffer, meaning: Meaning): Meaning {
    if (meaning === 'other') return meaning;
    this.#text.push(part);
    if (this.#text.reduce((sum, { length }) => sum + length, 0) <= MAX_TEXT_BYTES) return meaning;
    this.#text = [];
    this.#wanted = false;
    return 'other';
  }

  #learnKey(text: Buffer, from: number, to: number): void {
    this.#wanted = this.#isKey(text, from, to);
    if (!this.#wanted) return;
    if (this.#idSeen) throw new ShapeError('a row names its key twice');
    this.#idSeen = true;
  }

  /** True when the bytes between two quotes are the key, in whichever form. */
  #isKey(text: Buffer, from: number, to: number): boolean {
    const key = this.#keyBytes;
    for (let at = from; at < to; at += 1) {
      const byte = text[at];
      if (byte === BACKSLASH) return textBetween(text, from, to) === this.#key;
      if (byte !== key[at - from]) return false;
    }
    return to - from === key.length;
  }

  #beginRow(from: number): void {
    this.#inRow = true;
    this.#from = from;
    this.#before = NONE;
    this.#beforeBytes = 0;
    this.#wanted = false;
    this.#id = undefined;
    this.#idSeen = false;
  }

  #hold(chunk: Buffer): void {
    this.#beforeBytes += chunk.length - this.#from;
    if (this.#beforeBytes > this.#maxRowBytes) this.#before = NONE;
    else if (this.#before === NONE) this.#before = [chunk.subarray(this.#from)];
    else this.#before.push(chunk);
  }

  #endRow(chunk: Buffer, to: number): Row {
    this.#inRow = false;
    const bytes = this.#beforeBytes + to - this.#from;
    const before = bytes > this.#maxRowBytes ? undefined : this.#before;
    return { id: this.#id, bytes, before, chunk, from: this.#from, to };
  }
}

/** Copies a row, unless it was not kept, and returns where the copy ends. */
export const copyRow = ({ before, chunk, from, to }: Row, target: Buffer, at: number): number => {
  if (before === undefined) return at;
  let end = at;
  for (const part of before) end += part.copy(target, end);
  return end + chunk.copy(target, end, from, to);
};
