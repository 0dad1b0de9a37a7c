/**
 * A strict JSON reader. Python's takes UTF-16, a BOM, NaN, and the last of two equal keys (contract, section 8); a gateway
 * that reads the first key while the upstream reads the last has checked the wrong id. So whatever two parsers could read
 * differently is refused here, and what was read is written anew.
 */
import { isUtf8 } from 'node:buffer';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { JsonObject, JsonValue } from '../model/json.ts';
import { Rejection } from '../model/rejection.ts';
import { numberAt, numberEnd } from './json-number.ts';
import { type LongText, malformed, readWindow } from './json-text.ts';

export interface JsonLimits {
  /** How many arrays and objects may stand inside one another; 64 unless told. */
  readonly maxDepth?: number;
  /** How many values there may be, an array or object counting as four; six million unless told. */
  readonly maxValues?: number;
  /** How many keys one object may have; 16,384 unless told. */
  readonly maxKeys?: number;
}

/** Returns the value of a whole body, or throws `body-malformed`, `-duplicate-key`, `-too-deep`, `-too-large` or `-number`. */
export function parseStrictJson(bytes: Buffer, limits: JsonLimits = {}): JsonValue {
  const reader = open(bytes, limits);
  advance(reader, bytes.length);
  return close(reader);
}

/** As parseStrictJson, but lets others run every few milliseconds. */
export async function readStrictJson(bytes: Buffer, limits: JsonLimits = {}): Promise<JsonValue> {
  const reader = open(bytes, limits);
  for (;;) {
    const pauseAt = performance.now() + sliceMillis;
    do advance(reader, reader.at + sliceBytes);
    while (reader.at < bytes.length && performance.now() < pauseAt);
    if (reader.at >= bytes.length) return close(reader);
    await nextTurn();
  }
}

const sliceMillis = 4;
const sliceBytes = 32_768;

/** What may come next. */
const value = 0;
const firstElement = 1;
const firstKey = 2;
const key = 3;
const colon = 4;
const commaOrEnd = 5;
const nothing = 6;

/** At most this many short strings are remembered, for one body: keys and words come again in every element. */
const rememberedStrings = 256;
const rememberedLength = 32;
const shortLength = 128;

interface Reader {
  readonly bytes: Buffer;
  readonly maxDepth: number;
  /** A body of 64 MB could otherwise become gigabytes of empty objects. */
  valuesLeft: number;
  /** Objects of very many keys are what takes a runtime longest to grow and to list, and that cannot be sliced. */
  readonly maxKeys: number;
  readonly outer: (JsonObject | JsonValue[])[];
  /** The numbers of keys of the outer ones. */
  readonly outerKeys: number[];
  readonly remembered: (string | undefined)[];
  at: number;
  expected: number;
  list: JsonValue[] | undefined;
  record: JsonObject | undefined;
  name: string;
  /** How many keys the open object has. */
  keys: number;
  root: JsonValue | undefined;
  text: LongText | undefined;
}

function open(bytes: Buffer, limits: JsonLimits): Reader {
  if (!isUtf8(bytes)) throw malformed('not UTF-8', 0);
  return {
    bytes,
    maxDepth: limits.maxDepth ?? 64,
    valuesLeft: limits.maxValues ?? 6_000_000,
    maxKeys: limits.maxKeys ?? 16_384,
    outer: [],
    outerKeys: [],
    remembered: new Array<string | undefined>(rememberedStrings).fill(undefined),
    at: 0,
    expected: value,
    list: undefined,
    record: undefined,
    name: '',
    keys: 0,
    root: undefined,
    text: undefined,
  };
}

function close(reader: Reader): JsonValue {
  if (reader.expected !== nothing || reader.root === undefined) throw malformed('the end came too early', reader.at);
  return reader.root;
}

/** Reads tokens until the position `until` is reached. No recursion: nesting costs no stack. */
function advance(reader: Reader, until: number): void {
  const { bytes } = reader;
  const end = Math.min(until, bytes.length);
  while (reader.at < end) {
    if (reader.text !== undefined) {
      continueText(reader, reader.text);
      continue;
    }
    const byte = bytes[reader.at] as number;
    if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) {
      reader.at += 1;
      continue;
    }
    switch (reader.expected) {
      case commaOrEnd:
        readCommaOrEnd(reader, byte);
        break;
      case colon:
        if (byte !== 0x3a) throw unexpected(reader);
        reader.at += 1;
        reader.expected = value;
        break;
      case value:
        readValue(reader, byte);
        break;
      case firstElement:
        if (byte === 0x5d) leave(reader);
        else readValue(reader, byte);
        break;
      case firstKey:
        if (byte === 0x7d) leave(reader);
        else readKey(reader, byte);
        break;
      case key:
        readKey(reader, byte);
        break;
      default:
        throw unexpected(reader);
    }
  }
}

function readCommaOrEnd(reader: Reader, byte: number): void {
  if (byte === 0x2c) {
    reader.at += 1;
    reader.expected = reader.list === undefined ? key : value;
  } else if (byte === (reader.list === undefined ? 0x7d : 0x5d)) {
    leave(reader);
  } else {
    throw unexpected(reader);
  }
}

function readValue(reader: Reader, byte: number): void {
  if (byte === 0x22) {
    const text = readText(reader);
    if (text !== undefined) place(reader, text);
  } else if (byte === 0x7b) enter(reader, undefined, {});
  else if (byte === 0x5b) enter(reader, [], undefined);
  else if (byte === 0x74) readWord(reader, 'true', true);
  else if (byte === 0x66) readWord(reader, 'false', false);
  else if (byte === 0x6e) readWord(reader, 'null', null);
  else readNumber(reader);
}

function readKey(reader: Reader, byte: number): void {
  if (byte !== 0x22) throw unexpected(reader);
  const text = readText(reader);
  if (text !== undefined) acceptKey(reader, text);
}

function acceptKey(reader: Reader, name: string): void {
  if (Object.hasOwn(reader.record as JsonObject, name)) {
    throw new Rejection('body-duplicate-key', `a key is there twice, before ${reader.at}`);
  }
  reader.keys += 1;
  if (reader.keys > reader.maxKeys) throw new Rejection('body-too-large', `too many keys, before ${reader.at}`);
  reader.name = name;
  reader.expected = colon;
}

/** Puts a value where it belongs: into the open array, under the key just read, or at the root. */
function place(reader: Reader, item: JsonValue): void {
  reader.valuesLeft -= 1;
  if (reader.valuesLeft < 0) throw new Rejection('body-too-large', `too many values, at ${reader.at}`);
  if (reader.list !== undefined) reader.list.push(item);
  else if (reader.record === undefined) reader.root = item;
  // An assignment would change the prototype instead.
  else if (reader.name === '__proto__') Object.defineProperty(reader.record, '__proto__', { ...plain, value: item });
  else reader.record[reader.name] = item;
  reader.expected = reader.list === undefined && reader.record === undefined ? nothing : commaOrEnd;
}

const plain = { writable: true, enumerable: true, configurable: true } as const;

function enter(reader: Reader, list: JsonValue[] | undefined, record: JsonObject | undefined): void {
  const outer = reader.list ?? reader.record;
  if (reader.outer.length + (outer === undefined ? 0 : 1) >= reader.maxDepth) {
    throw new Rejection('body-too-deep', `deeper than ${reader.maxDepth}, at ${reader.at}`);
  }
  place(reader, list ?? (record as JsonObject));
  reader.valuesLeft -= 3;
  if (outer !== undefined) reader.outer.push(outer);
  reader.outerKeys.push(reader.keys);
  reader.keys = 0;
  reader.list = list;
  reader.record = record;
  reader.expected = list === undefined ? firstKey : firstElement;
  reader.at += 1;
}

function leave(reader: Reader): void {
  const outer = reader.outer.pop();
  reader.keys = reader.outerKeys.pop() ?? 0;
  reader.list = Array.isArray(outer) ? outer : undefined;
  reader.record = Array.isArray(outer) ? undefined : outer;
  reader.expected = outer === undefined ? nothing : commaOrEnd;
  reader.at += 1;
}

function readWord(reader: Reader, word: string, meaning: boolean | null): void {
  for (let index = 0; index < word.length; index += 1) {
    if (reader.bytes[reader.at + index] !== word.charCodeAt(index)) throw unexpected(reader);
  }
  reader.at += word.length;
  place(reader, meaning);
}

function readNumber(reader: Reader): void {
  const start = reader.at;
  reader.at = numberEnd(reader.bytes, start);
  place(reader, numberAt(reader.bytes, start, reader.at));
}

/** Returns the string that begins here, or undefined when it is long and the next rounds go on with it. */
function readText(reader: Reader): string | undefined {
  const { bytes } = reader;
  const start = reader.at + 1;
  const limit = start + shortLength;
  let hash = 0;
  let seen = 0;
  for (let at = start; at < limit; at += 1) {
    const byte = bytes[at] as number;
    if (byte === 0x22) {
      reader.at = at + 1;
      if (seen < 0x80 && at - start <= rememberedLength) return recall(reader, { start, end: at, hash });
      return bytes.toString('utf8', start, at);
    }
    if (byte === 0x5c || !(byte >= 0x20)) break;
    seen |= byte;
    hash = (Math.imul(hash, 31) + byte) | 0;
  }
  reader.text = { pieces: [], at: start, done: false };
  reader.at = start;
  return undefined;
}

/** Returns a short ASCII string, the same object as before when this body had it already. */
function recall(
  reader: Reader,
  found: { readonly start: number; readonly end: number; readonly hash: number },
): string {
  const { bytes, remembered } = reader;
  const { start, end } = found;
  const slot = (found.hash ^ (found.hash >>> 8)) & (rememberedStrings - 1);
  const known = remembered[slot];
  if (known !== undefined && known.length === end - start) {
    let index = 0;
    while (index < known.length && known.charCodeAt(index) === bytes[start + index]) index += 1;
    if (index === known.length) return known;
  }
  const text = bytes.toString('latin1', start, end);
  remembered[slot] = text;
  return text;
}

function continueText(reader: Reader, text: LongText): void {
  readWindow(reader.bytes, text);
  reader.at = text.at;
  if (!text.done) return;
  reader.text = undefined;
  const whole = text.pieces.join('');
  if (reader.expected === key || reader.expected === firstKey) acceptKey(reader, whole);
  else place(reader, whole);
}

const unexpected = (reader: Reader): Rejection => malformed('an unexpected byte', reader.at);
