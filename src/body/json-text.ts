/**
 * Reads the long strings of a JSON body, those with escapes included, a window at a time: a picture of 30 MB inside one
 * string must not hold up everybody else. Where nothing is escaped the search is native.
 */
import { Rejection } from '../model/rejection.ts';

const windowBytes = 65_536;
const quote = 0x22;
const backslash = 0x5c;
const control = /[\u0000-\u001f]/;

/** Takes one window's unescaped text. Reused: it is emptied before anything else can run. */
const scratch = Buffer.allocUnsafeSlow(windowBytes + 16);

/** A string that is being read. `at` is the next byte; `done` once the closing quote is behind it. */
export interface LongText {
  readonly pieces: string[];
  at: number;
  done: boolean;
}

/** Reads one window of a string, or throws `body-malformed`. The bytes must be known to be valid UTF-8. */
export function readWindow(bytes: Buffer, text: LongText): void {
  const window = bytes.subarray(text.at, text.at + windowBytes);
  const found = window.indexOf(quote);
  const plain = found === -1 ? window : window.subarray(0, found);
  if (plain.includes(backslash)) unescapeWindow(bytes, text);
  else copyWindow(bytes, text, { end: text.at + plain.length, closed: found !== -1 });
}

function copyWindow(bytes: Buffer, text: LongText, plain: { readonly end: number; readonly closed: boolean }): void {
  let { end } = plain;
  if (!plain.closed) {
    if (end === bytes.length) throw malformed('a string does not end', end);
    while (isContinuation(bytes[end])) end -= 1;
  }
  const piece = bytes.toString('utf8', text.at, end);
  if (control.test(piece)) throw malformed('a control character in a string', text.at);
  text.pieces.push(piece);
  text.at = plain.closed ? end + 1 : end;
  text.done = plain.closed;
}

function unescapeWindow(bytes: Buffer, text: LongText): void {
  const limit = Math.min(text.at + windowBytes, bytes.length);
  let at = text.at;
  let length = 0;
  while (at < limit || isContinuation(bytes[at])) {
    const byte = bytes[at] as number;
    if (byte === quote) {
      text.done = true;
      at += 1;
      break;
    }
    if (byte < 0x20) throw malformed('a control character in a string', at);
    if (byte === backslash) {
      const unit = bytes[at + 1] === 0x75 ? unicodeEscape(bytes, at) : shortEscape(bytes[at + 1], at);
      length += encode(unit, length);
      at += bytes[at + 1] !== 0x75 ? 2 : unit > 0xffff ? 12 : 6;
    } else {
      scratch[length] = byte;
      length += 1;
      at += 1;
    }
  }
  if (!text.done && at >= bytes.length) throw malformed('a string does not end', at);
  text.pieces.push(scratch.toString('utf8', 0, length));
  text.at = at;
}

const shortEscapes: ReadonlyMap<number | undefined, number> = new Map([
  [quote, quote],
  [backslash, backslash],
  [0x2f, 0x2f],
  [0x62, 0x08],
  [0x66, 0x0c],
  [0x6e, 0x0a],
  [0x72, 0x0d],
  [0x74, 0x09],
]);

function shortEscape(byte: number | undefined, at: number): number {
  const unit = shortEscapes.get(byte);
  if (unit === undefined) throw malformed('an unknown escape', at);
  return unit;
}

/** Python keeps half a surrogate pair and fails on writing it out, for every later reader (contract, section 3). */
function unicodeEscape(bytes: Buffer, at: number): number {
  const high = hexUnit(bytes, at + 2);
  if (high < 0xd800 || high > 0xdfff) return high;
  if (high > 0xdbff || bytes[at + 6] !== backslash || bytes[at + 7] !== 0x75) throw malformed('half a surrogate', at);
  const low = hexUnit(bytes, at + 8);
  if (low < 0xdc00 || low > 0xdfff) throw malformed('half a surrogate', at);
  return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}

function hexUnit(bytes: Buffer, at: number): number {
  let unit = 0;
  for (let index = at; index < at + 4; index += 1) {
    const byte = bytes[index] ?? 0;
    const lower = byte | 0x20;
    if (byte >= 0x30 && byte <= 0x39) unit = unit * 16 + byte - 0x30;
    else if (lower >= 0x61 && lower <= 0x66) unit = unit * 16 + lower - 0x57;
    else throw malformed('an unknown escape', index);
  }
  return unit;
}

/** Writes a code point to the scratch as UTF-8, and returns its length in bytes. */
function encode(point: number, at: number): number {
  if (point < 0x80) {
    scratch[at] = point;
    return 1;
  }
  if (point < 0x800) {
    scratch[at] = 0xc0 | (point >> 6);
    scratch[at + 1] = 0x80 | (point & 0x3f);
    return 2;
  }
  if (point < 0x10000) {
    scratch[at] = 0xe0 | (point >> 12);
    scratch[at + 1] = 0x80 | ((point >> 6) & 0x3f);
    scratch[at + 2] = 0x80 | (point & 0x3f);
    return 3;
  }
  scratch[at] = 0xf0 | (point >> 18);
  scratch[at + 1] = 0x80 | ((point >> 12) & 0x3f);
  scratch[at + 2] = 0x80 | ((point >> 6) & 0x3f);
  scratch[at + 3] = 0x80 | (point & 0x3f);
  return 4;
}

const isContinuation = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80;

/** Returns the Rejection for bytes that are not JSON, with the place and never the content. */
export const malformed = (what: string, at: number): Rejection => new Rejection('body-malformed', `${what}, at ${at}`);
