/** Writes what the strict reader understood: the only form in which a body that was read leaves the gateway. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { JsonObject, JsonValue } from '../model/json.ts';
import { isRawNumber } from './raw-number.ts';

/** Returns the value as compact JSON in UTF-8. Numbers that were kept verbatim are written as they came. */
export function writeJson(value: JsonValue): Buffer {
  return Buffer.from(JSON.stringify(value), 'utf8');
}

/** As writeJson, in pieces to be sent one after the other; lets others run every few milliseconds. */
export async function writeJsonInSlices(value: JsonValue): Promise<Buffer[]> {
  const pieces: Buffer[] = [];
  let text = '';
  let pauseAt = performance.now() + sliceMillis;
  for (const fragment of fragments(value)) {
    text += fragment;
    if (text.length < pieceLength) continue;
    pieces.push(Buffer.from(text, 'utf8'));
    text = '';
    if (performance.now() < pauseAt) continue;
    await nextTurn();
    pauseAt = performance.now() + sliceMillis;
  }
  if (text !== '') pieces.push(Buffer.from(text, 'utf8'));
  return pieces;
}

const sliceMillis = 4;
const pieceLength = 65_536;
/** A value of about this weight is written natively, at one go; heavier ones are taken apart. */
const nativeWeight = 4096;

/** What is left of a container: its items or entries, and the place in them. */
interface Frame {
  readonly keys: readonly string[] | undefined;
  readonly items: readonly JsonValue[];
  next: number;
}

/** The text in order, in fragments of a bounded length. */
function* fragments(root: JsonValue): Generator<string, void, undefined> {
  const frames: Frame[] = [];
  let item = root;
  for (;;) {
    if (isSmall(item)) {
      yield JSON.stringify(item);
    } else if (typeof item === 'string') {
      yield* stringFragments(item);
    } else {
      const frame = openFrame(item as JsonObject | readonly JsonValue[]);
      frames.push(frame);
      yield frame.keys === undefined ? '[' : '{';
    }
    let frame = frames.at(-1);
    while (frame !== undefined && frame.next === frame.items.length) {
      yield frame.keys === undefined ? ']' : '}';
      frames.pop();
      frame = frames.at(-1);
    }
    if (frame === undefined) return;
    if (frame.next > 0) yield ',';
    if (frame.keys !== undefined) {
      yield* stringFragments(frame.keys[frame.next] as string);
      yield ':';
    }
    item = frame.items[frame.next] as JsonValue;
    frame.next += 1;
  }
}

function openFrame(container: JsonObject | readonly JsonValue[]): Frame {
  if (Array.isArray(container)) return { keys: undefined, items: container, next: 0 };
  return { keys: Object.keys(container), items: Object.values(container), next: 0 };
}

/** A long string is escaped piece by piece, never between the halves of a surrogate pair. */
function* stringFragments(text: string): Generator<string, void, undefined> {
  if (text.length <= nativeWeight) {
    yield JSON.stringify(text);
    return;
  }
  yield '"';
  for (let at = 0; at < text.length; ) {
    let end = Math.min(at + pieceLength, text.length);
    const last = text.charCodeAt(end - 1);
    if (last >= 0xd800 && last <= 0xdbff && end < text.length) end -= 1;
    yield JSON.stringify(text.slice(at, end)).slice(1, -1);
    at = end;
  }
  yield '"';
}

/** Returns whether a value can be written at one go, without looking at more than it has to. */
function isSmall(value: JsonValue): boolean {
  return weigh(value, nativeWeight) > 0 || isRawNumber(value);
}

/** Returns what is left of the allowance once the value has been weighed, nothing or less when it is too heavy. */
function weigh(value: JsonValue, allowance: number): number {
  if (typeof value === 'string') return allowance - value.length - 2;
  if (typeof value !== 'object' || value === null) return allowance - 8;
  let left = allowance - 2;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length && left > 0; index += 1) left = weigh(value[index] as JsonValue, left);
    return left;
  }
  for (const key in value) {
    left = weigh((value as JsonObject)[key] as JsonValue, left - key.length - 4);
    if (left <= 0) break;
  }
  return left;
}
