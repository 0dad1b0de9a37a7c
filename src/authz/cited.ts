/**
 * Finds ids inside free text. An agent opens whatever file a prompt names (contract, section 6), so a prompt may cite
 * the caller's own files only, and may not hold the name of another's in any way that a machine can see.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { JsonObject, JsonValue } from '../model/json.ts';
import { Rejection } from '../model/rejection.ts';
import type { ReadBody } from '../model/request.ts';
import { type ResourceKind, type ResourceRef, resourceKey } from '../model/resource.ts';
import type { CitedIds, ReferenceScan } from '../model/route.ts';
import { isId, MAX_ID_LENGTH } from './locate.ts';

/** More citations than this in one body are refused rather than looked up. One name may be read in several ways. */
const MAX_CITATIONS = 4000;

/** Nobody means a citation that is longer, blanks and full stops included; where it would end is not looked for. */
const MAX_CITATION_LENGTH = 65_536;

/** What is scanned in one piece. A name needs nearly nothing of the next one to be read to its end. */
const SLICE_LENGTH = 4096;
/** Base64 alone is passed over much faster than text is read. */
const DATA_SLICE_LENGTH = 65_536;
/** So much is scanned without a promise. */
const AT_ONCE_LENGTH = 65_536;
/** Then others get their turn after so many milliseconds. */
const TURN_MILLIS = 4;

/** A whole data URL holds base64 only; no name can be read out of it, and it may be megabytes long. */
const DATA_URL_HEAD = /^data:[a-z]{1,127}\/[a-z0-9+-]{1,127};base64,/;
const DATA_URL_HEAD_LENGTH = 300;
const BASE64 = /^[A-Za-z0-9+/]*$/;

/** What surrounds a citation in prose, in markup, in code and in a JSON text inside a text. */
const QUOTES = '"\'“”‘’`\\\\';
const STOPS = new Set('.,;:!?…');
const BACKSLASH = new Set('\\');

/** A text of nothing but letters that names are made of is tried in each of its parts. No name is said so often. */
const MAX_TRIES = 1_000_000;

interface Citations {
  tries: number;
  readonly mustOwn: Map<string, ResourceRef>;
  readonly mustNotBeForeign: Map<string, ResourceRef>;
}

/** One way to cite: a fixed word, and what follows it up to the end of the name. */
interface Form {
  readonly head: RegExp;
  readonly headLength: number;
  /** Matches up to the end of the text too where that comes before the name does. */
  readonly tail: RegExp;
  /** What may end a name without being part of it. */
  readonly endings: ReadonlySet<string>;
}

interface KindScan {
  /** `file_id`: as a key its value is a citation, and so is `file_id="…"` in a text. */
  readonly key: string;
  readonly kind: ResourceKind;
  readonly forms: readonly Form[];
  readonly bare: RegExp;
}

/** Work in pieces: each step yields how much it was, in characters. Nothing is kept in the expressions between two. */
type Steps<T = void> = Generator<number, T, undefined>;

/**
 * Returns a scan of whole bodies, keys included, for citations of these kinds; it throws `reference-foreign`. Of a large
 * body it returns a promise, and lets others run every few milliseconds.
 */
export const referenceScan = (kinds: readonly ResourceKind[]): ReferenceScan => {
  const scans = kinds.map(kindScan);
  return (body: ReadBody) => {
    const found: Citations = { tries: 0, mustOwn: new Map(), mustNotBeForeign: new Map() };
    if (body.kind !== 'json') return listed(found);
    const steps = scanBody(scans, body.value, found);
    let left = AT_ONCE_LENGTH;
    for (let step = steps.next(); step.done !== true; step = steps.next()) {
      left -= step.value;
      if (left < 0) return inTurns(steps).then(() => listed(found));
    }
    return listed(found);
  };
};

const listed = ({ mustOwn, mustNotBeForeign }: Citations): CitedIds => {
  for (const key of mustOwn.keys()) mustNotBeForeign.delete(key);
  return { mustOwn: [...mustOwn.values()], mustNotBeForeign: [...mustNotBeForeign.values()] };
};

const inTurns = async (steps: Steps): Promise<void> => {
  let pauseAt = 0;
  do {
    if (performance.now() < pauseAt) continue;
    await nextTurn();
    pauseAt = performance.now() + TURN_MILLIS;
  } while (steps.next().done !== true);
};

const kindScan = (kind: ResourceKind): KindScan => {
  const key = `${kind.name}_id`;
  const forms = [
    form(key, `\\s*(?:$|=\\s*[${QUOTES}]*([^${QUOTES}<>\\s]*))`, STOPS),
    // As the agent reads it: everything up to the next double quote is the name, spaces and other quotes included.
    form(key, '\\s*(?:$|=\\s*\\\\*(?:$|"([^"]*)))', BACKSLASH),
  ];
  if (kind.url !== undefined) forms.push(form(kind.url, `([^${QUOTES}<>()\\[\\]{}\\s]*)`, STOPS));
  // Not anchored: the name counts wherever it stands, glued to other letters too.
  const bare = new RegExp(kind.pattern.source.replace(/^\^/, '').replace(/\$$/, ''), 'g');
  return { key, kind, forms, bare };
};

const form = (head: string, tail: string, endings: ReadonlySet<string>): Form => ({
  head: new RegExp(RegExp.escape(head), 'gi'),
  headLength: head.length,
  tail: new RegExp(tail, 'y'),
  endings,
});

/** What is left of a container: its items or entries, and the place in them. */
interface Frame {
  readonly keys: readonly string[] | undefined;
  readonly items: readonly JsonValue[];
  next: number;
}

function* scanBody(scans: readonly KindScan[], root: JsonValue, found: Citations): Steps {
  const frames: Frame[] = [{ keys: undefined, items: [root], next: 0 }];
  let passed = 0;
  for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
    if (frame.next === frame.items.length) {
      frames.pop();
      continue;
    }
    const item = frame.items[frame.next] as JsonValue;
    const key = frame.keys?.[frame.next];
    frame.next += 1;
    if (key !== undefined) {
      yield* scanText(scans, key, found);
      for (const scan of scans) if (key === scan.key && typeof item === 'string') cite(scan.kind, item, found);
    }
    if (typeof item === 'string') yield* scanText(scans, item, found);
    else if (typeof item === 'object' && item !== null) frames.push(frameOf(item as JsonObject | readonly JsonValue[]));
    passed += 1;
    if (passed % SLICE_LENGTH === 0) yield SLICE_LENGTH;
  }
}

const frameOf = (container: JsonObject | readonly JsonValue[]): Frame =>
  Array.isArray(container)
    ? { keys: undefined, items: container, next: 0 }
    : { keys: Object.keys(container), items: Object.values(container), next: 0 };

function* scanText(scans: readonly KindScan[], text: string, found: Citations): Steps {
  if (text.startsWith('data:') && (yield* isDataUrl(text))) return;
  for (const { kind, forms, bare } of scans) {
    // A name may be longer than a slice; the next one begins behind it.
    const next = forms.map(() => 0);
    for (let start = 0; start < text.length; start += SLICE_LENGTH) {
      const end = Math.min(start + SLICE_LENGTH, text.length);
      for (const [index, one] of forms.entries()) {
        next[index] = scanForm(one, { text, start: next[index] ?? 0, end }, (word) => cite(kind, word, found));
      }
      scanBare(bare, { text, start, end }, (id) => {
        found.tries += 1;
        if (found.tries > MAX_TRIES) {
          throw new Rejection('reference-foreign', `the body holds what a ${kind.name} could be called too often`);
        }
        if (kind.pattern.test(id)) add(found, found.mustNotBeForeign, { kind: kind.name, id });
      });
      yield end - start;
    }
  }
}

/** True when all of it is a data URL. */
function* isDataUrl(text: string): Steps<boolean> {
  const head = DATA_URL_HEAD.exec(text.slice(0, DATA_URL_HEAD_LENGTH))?.[0];
  if (head === undefined) return false;
  const end = text.length - (text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0);
  for (let at = head.length; at < end; at += DATA_SLICE_LENGTH) {
    if (!BASE64.test(text.slice(at, Math.min(at + DATA_SLICE_LENGTH, end)))) return false;
    yield SLICE_LENGTH;
  }
  return true;
}

/** Those that begin from `start` on, and before `end`, belong to the slice; they may reach beyond it. */
interface Slice {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** Returns where the next one may begin. */
const scanForm = (one: Form, { text, start, end }: Slice, tell: (word: string) => void): number => {
  const { head, headLength, tail, endings } = one;
  if (start >= end) return start;
  const part = text.slice(start, end + headLength - 1);
  head.lastIndex = 0;
  for (let hit = head.exec(part); hit !== null; hit = head.exec(part)) {
    const from = start + hit.index + headLength;
    const rest = text.slice(from, from + MAX_CITATION_LENGTH);
    tail.lastIndex = 0;
    const [whole = '', word] = tail.exec(rest) ?? [];
    if (whole.length === MAX_CITATION_LENGTH) {
      throw new Rejection('reference-foreign', `the body holds a citation of ${MAX_CITATION_LENGTH} letters or more`);
    }
    if (word === undefined) {
      head.lastIndex = hit.index + 1;
      continue;
    }
    tell(without(endings, word));
    const behind = from + whole.length;
    if (behind >= end) return behind;
    head.lastIndex = behind - start;
  }
  return end;
};

const scanBare = (bare: RegExp, { text, start, end }: Slice, tell: (id: string) => void): void => {
  // One character more on either side, for a grammar that looks at word boundaries.
  const from = Math.max(start - 1, 0);
  const part = text.slice(from, end + MAX_ID_LENGTH + 1);
  bare.lastIndex = start - from;
  for (let match = bare.exec(part); match !== null && match.index < end - from; match = bare.exec(part)) {
    // One name may begin inside another, and letters after a name may look like the rest of it.
    bare.lastIndex = match.index + 1;
    for (let id = match[0].slice(0, MAX_ID_LENGTH); id !== ''; id = id.slice(0, -1)) tell(id);
  }
};

/** An expression anchored at the end would begin anew at each of a million full stops. */
const without = (ending: ReadonlySet<string>, word: string): string => {
  let end = word.length;
  while (end > 0 && ending.has(word.charAt(end - 1))) end -= 1;
  return word.slice(0, end);
};

const cite = (kind: ResourceKind, id: string, found: Citations): void => {
  if (id === '') return;
  if (!isId(kind, id))
    throw new Rejection('reference-foreign', `the body cites a ${kind.name} in a form that no id has`);
  add(found, found.mustOwn, { kind: kind.name, id });
};

const add = (found: Citations, list: Map<string, ResourceRef>, ref: ResourceRef): void => {
  list.set(resourceKey(ref), ref);
  if (found.mustOwn.size + found.mustNotBeForeign.size > MAX_CITATIONS) {
    throw new Rejection('reference-foreign', `the body cites more than ${MAX_CITATIONS} names`);
  }
};
