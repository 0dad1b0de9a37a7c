/**
 * JSON as Python's `json` module reads and writes it: more lenient than JSON.parse, and lenient in just the ways that a
 * proxy in front must know of (contract section 8, "JSON bodies").
 */

export type Json = null | boolean | number | bigint | string | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}

/** Python's scanner recurses; 900 levels were measured to pass and 100,000 to fail. */
const MAX_DEPTH = 990;
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

/** Returns the value in a body of any Unicode encoding, or throws a SyntaxError (which the server answers with a 500). */
export function loads(bytes: Uint8Array): Json {
  return parse(decode(bytes));
}

/** Returns the value in a text, or throws a SyntaxError. Duplicate keys: the last wins. */
export function parse(text: string): Json {
  return new Scanner(text).document();
}

/** Returns true for a JSON object, as opposed to a list or a scalar. */
export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

class Scanner {
  readonly #text: string;
  #at = 0;
  readonly #space = /[ \t\n\r]*/y;
  readonly #number = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?/y;
  readonly #special = /["\\\u0000-\u001f]/g;
  readonly #hex = /[0-9a-fA-F]{4}/y;

  constructor(text: string) {
    this.#text = text;
  }

  document(): Json {
    this.#skipSpace();
    const value = this.#value(0);
    this.#skipSpace();
    if (this.#at !== this.#text.length) throw this.#fault('extra data');
    return value;
  }

  #value(depth: number): Json {
    if (depth > MAX_DEPTH) throw this.#fault('maximum recursion depth exceeded');
    const first = this.#text[this.#at];
    if (first === '"') return this.#string();
    if (first === '{') return this.#object(depth);
    if (first === '[') return this.#list(depth);
    for (const [word, value] of WORDS) {
      if (this.#text.startsWith(word, this.#at)) {
        this.#at += word.length;
        return value;
      }
    }
    return this.#numeral();
  }

  #object(depth: number): JsonObject {
    // Without a prototype `__proto__` is a key like any other, as in a Python dict.
    const object: JsonObject = Object.create(null);
    this.#at += 1;
    this.#skipSpace();
    if (this.#take('}')) return object;
    for (;;) {
      if (this.#text[this.#at] !== '"') throw this.#fault('expecting property name');
      const key = this.#string();
      this.#skipSpace();
      if (!this.#take(':')) throw this.#fault("expecting ':'");
      this.#skipSpace();
      object[key] = this.#value(depth + 1);
      this.#skipSpace();
      if (this.#take('}')) return object;
      if (!this.#take(',')) throw this.#fault("expecting ','");
      this.#skipSpace();
    }
  }

  #list(depth: number): Json[] {
    const list: Json[] = [];
    this.#at += 1;
    this.#skipSpace();
    if (this.#take(']')) return list;
    for (;;) {
      list.push(this.#value(depth + 1));
      this.#skipSpace();
      if (this.#take(']')) return list;
      if (!this.#take(',')) throw this.#fault("expecting ','");
      this.#skipSpace();
    }
  }

  #string(): string {
    let result = '';
    let from = this.#at + 1;
    for (;;) {
      this.#special.lastIndex = from;
      const found = this.#special.exec(this.#text);
      if (found === null) throw this.#fault('unterminated string');
      result += this.#text.slice(from, found.index);
      this.#at = found.index + 1;
      if (found[0] === '"') return result;
      if (found[0] !== '\\') throw this.#fault('invalid control character');
      result += this.#escape();
      from = this.#at;
    }
  }

  #escape(): string {
    const letter = this.#text[this.#at] ?? '';
    this.#at += 1;
    if (letter === 'u') {
      this.#hex.lastIndex = this.#at;
      const digits = this.#hex.exec(this.#text)?.[0];
      if (digits === undefined) throw this.#fault('invalid \\uXXXX escape');
      this.#at += 4;
      // A lone surrogate passes here and only fails when it is written out as UTF-8.
      return String.fromCharCode(Number.parseInt(digits, 16));
    }
    const plain = ESCAPES[letter];
    if (plain === undefined) throw this.#fault('invalid escape');
    return plain;
  }

  #numeral(): number | bigint {
    this.#number.lastIndex = this.#at;
    const found = this.#number.exec(this.#text);
    if (found === null) throw this.#fault('expecting value');
    this.#at += found[0].length;
    const number = Number(found[0]);
    const whole = found[1] === undefined && found[2] === undefined;
    return whole && !Number.isSafeInteger(number) ? BigInt(found[0]) : number;
  }

  #skipSpace(): void {
    this.#space.lastIndex = this.#at;
    this.#space.exec(this.#text);
    this.#at = this.#space.lastIndex;
  }

  #take(mark: string): boolean {
    if (this.#text[this.#at] !== mark) return false;
    this.#at += 1;
    return true;
  }

  #fault(what: string): SyntaxError {
    return new SyntaxError(`${what} at character ${this.#at}`);
  }
}

const WORDS: ReadonlyArray<readonly [string, null | boolean | number]> = [
  ['null', null],
  ['true', true],
  ['false', false],
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
];

/** Python looks at byte-order marks, then at the pattern of zero bytes; the declared charset plays no part. */
function decode(bytes: Uint8Array): string {
  const [a = 1, b = 1, c = 1, d = 1] = bytes;
  const size = bytes.length;
  if (size >= 4 && a === 0xff && b === 0xfe && c === 0 && d === 0) return utf32(bytes.subarray(4), true);
  if (size >= 4 && a === 0 && b === 0 && c === 0xfe && d === 0xff) return utf32(bytes.subarray(4), false);
  if (a === 0xff && b === 0xfe) return text('utf-16le', bytes);
  if (a === 0xfe && b === 0xff) return text('utf-16be', bytes);
  if (size >= 4 && a === 0) return b === 0 ? utf32(bytes, false) : text('utf-16be', bytes);
  if (size >= 4 && b === 0) return c === 0 && d === 0 ? utf32(bytes, true) : text('utf-16le', bytes);
  if (size === 2 && a === 0) return text('utf-16be', bytes);
  if (size === 2 && b === 0) return text('utf-16le', bytes);
  return text('utf-8', bytes);
}

function text(encoding: string, bytes: Uint8Array): string {
  return new TextDecoder(encoding, { fatal: true }).decode(bytes);
}

function utf32(bytes: Uint8Array, littleEndian: boolean): string {
  if (bytes.length % 4 !== 0) throw new SyntaxError('truncated UTF-32');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let result = '';
  for (let at = 0; at < bytes.length; at += 4) result += String.fromCodePoint(view.getUint32(at, littleEndian));
  return result;
}

interface Style {
  readonly comma: string;
  readonly colon: string;
  readonly quote: (text: string) => string;
  readonly number: (value: number) => string;
}

const stored: Style = { comma: ', ', colon: ': ', quote: quoteAscii, number: lenientNumber };
const frame: Style = { comma: ',', colon: ':', quote: quoteAscii, number: lenientNumber };
const answer: Style = { comma: ',', colon: ':', quote: quoteUtf8, number: strictNumber };

/** Returns the text that the database keeps: ASCII, spaced, NaN and Infinity as words. */
export function dumpsStored(value: Json): string {
  return write(value, stored);
}

/** Returns the text of a Socket.IO frame: ASCII, compact (contract section 1). */
export function dumpsFrame(value: Json): string {
  return write(value, frame);
}

/** Returns the text of an HTTP answer: raw UTF-8, compact; throws on NaN, Infinity and lone surrogates (section 3, save). */
export function dumpsAnswer(value: Json): string {
  return write(value, answer);
}

function write(value: Json, style: Style): string {
  if (typeof value === 'string') return style.quote(value);
  if (typeof value === 'number') return style.number(value);
  if (value === null || typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return `[${value.map((item) => write(item, style)).join(style.comma)}]`;
  const members = Object.keys(value).map((key) => style.quote(key) + style.colon + write(value[key] ?? null, style));
  return `{${members.join(style.comma)}}`;
}

function quoteAscii(value: string): string {
  const quoted = JSON.stringify(value);
  if (!/[\u007f-\uffff]/.test(quoted)) return quoted;
  return quoted.replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function quoteUtf8(value: string): string {
  if (!value.isWellFormed()) throw new RangeError('surrogates not allowed');
  return JSON.stringify(value);
}

function lenientNumber(value: number): string {
  return String(value);
}

function strictNumber(value: number): string {
  if (!Number.isFinite(value)) throw new RangeError('out of range float values are not JSON compliant');
  return String(value);
}
