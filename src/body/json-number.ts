/**
 * Numbers after the grammar of RFC 8259, section 6. Python keeps integers of any size and tells 1.0 from 1; what JavaScript
 * would write differently is therefore kept as it was written.
 */
import type { RawNumber } from '../model/json.ts';
import { Rejection } from '../model/rejection.ts';
import { malformed } from './json-text.ts';
import { rawNumber } from './raw-number.ts';

const dot = 0x2e;
const minus = 0x2d;
const plus = 0x2b;
const zero = 0x30;
const lowerE = 0x65;

/** Returns where the number that begins at `start` ends, or throws `body-malformed` when none does. */
export function numberEnd(bytes: Buffer, start: number): number {
  const first = bytes[start] === minus ? start + 1 : start;
  let at = bytes[first] === zero ? first + 1 : digitsEnd(bytes, first);
  if (bytes[at] === dot) at = digitsEnd(bytes, at + 1);
  if (((bytes[at] ?? 0) | 0x20) !== lowerE) return at;
  return digitsEnd(bytes, bytes[at + 1] === plus || bytes[at + 1] === minus ? at + 2 : at + 1);
}

function digitsEnd(bytes: Buffer, from: number): number {
  let at = from;
  while (isDigit(bytes[at])) at += 1;
  if (at === from) throw malformed('an unexpected byte', from);
  return at;
}

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= zero && byte <= 0x39;

/** A whole number of no more digits is exact, and is written as it came. */
const safeDigits = 15;

/** Returns the number in a range that `numberEnd` gave, or throws `body-number` when it is out of range. */
export function numberAt(bytes: Buffer, start: number, end: number): number | RawNumber {
  if (end - start <= safeDigits) {
    let whole = 0;
    let at = start;
    while (at < end && isDigit(bytes[at])) {
      whole = whole * 10 + (bytes[at] as number) - zero;
      at += 1;
    }
    if (at === end) return whole;
  }
  const text = bytes.toString('latin1', start, end);
  const number = Number(text);
  if (!Number.isFinite(number)) throw new Rejection('body-number', `out of range, at ${start}`);
  return String(number) === text ? number : rawNumber(text);
}
