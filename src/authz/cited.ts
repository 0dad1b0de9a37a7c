/**
 * Finds ids inside free text. An agent opens whatever file a prompt names (contract, section 6), so a prompt may cite
 * the caller's own files only, and may not hold the name of another's in any way that a machine can see.
 */
import type { JsonValue } from '../model/json.ts';
import { Rejection } from '../model/rejection.ts';
import type { ReadBody } from '../model/request.ts';
import { type ResourceKind, type ResourceRef, resourceKey } from '../model/resource.ts';
import type { ReferenceScan } from '../model/route.ts';
import { isId } from './locate.ts';

/** More citations than this in one body are refused rather than looked up. One name may be read in several ways. */
const MAX_CITATIONS = 4000;

/** A whole data URL holds base64 only; no name can be read out of it, and it may be megabytes long. */
const DATA_URL = /^data:[a-z]+\/[a-z0-9+-]+;base64,[A-Za-z0-9+/]*={0,2}$/;

/** What surrounds a citation in prose, in markup, in code and in a JSON text inside a text. */
const QUOTES = '"\'“”‘’`\\\\';
const STOPS = new Set('.,;:!?…');
const BACKSLASH = new Set('\\');

interface Citations {
  readonly mustOwn: Map<string, ResourceRef>;
  readonly mustNotBeForeign: Map<string, ResourceRef>;
}

type TextScan = (text: string, found: Citations) => void;

interface KindScan {
  /** `file_id`: as a key its value is a citation, and so is `file_id="…"` in a text. */
  readonly key: string;
  readonly kind: ResourceKind;
  readonly scanText: TextScan;
}

/** Returns a scan of whole bodies, keys included, for citations of these kinds; it throws `reference-foreign`. */
export const referenceScan = (kinds: readonly ResourceKind[]): ReferenceScan => {
  const scans = kinds.map(kindScan);
  return (body: ReadBody) => {
    const found: Citations = { mustOwn: new Map(), mustNotBeForeign: new Map() };
    if (body.kind === 'json') scanValue(scans, body.value, found);
    for (const key of found.mustOwn.keys()) found.mustNotBeForeign.delete(key);
    return { mustOwn: [...found.mustOwn.values()], mustNotBeForeign: [...found.mustNotBeForeign.values()] };
  };
};

const kindScan = (kind: ResourceKind): KindScan => {
  const key = `${kind.name}_id`;
  const cited = [new RegExp(`${key}\\s*=\\s*[${QUOTES}]*([^${QUOTES}<>\\s]*)`, 'gi')];
  // As the agent reads it: everything up to the next double quote is the name, spaces and other quotes included.
  const quoted = new RegExp(`${key}\\s*=\\s*\\\\*"([^"]*)`, 'gi');
  if (kind.url !== undefined) cited.push(new RegExp(`${RegExp.escape(kind.url)}([^${QUOTES}<>()\\[\\]{}\\s]*)`, 'gi'));
  // Not anchored: the name counts wherever it stands, glued to other letters too.
  const bare = new RegExp(kind.pattern.source.replace(/^\^/, '').replace(/\$$/, ''), 'g');
  const scanText: TextScan = (text, found) => {
    if (text.startsWith('data:') && DATA_URL.test(text)) return;
    for (const pattern of cited) {
      for (const [, word = ''] of text.matchAll(pattern)) cite(kind, without(STOPS, word), found);
    }
    for (const [, name = ''] of text.matchAll(quoted)) cite(kind, without(BACKSLASH, name), found);
    bare.lastIndex = 0;
    for (let match = bare.exec(text); match !== null; match = bare.exec(text)) {
      // One name may begin inside another, and letters after a name may look like the rest of it.
      bare.lastIndex = match.index + 1;
      for (let id = match[0]; id !== ''; id = id.slice(0, -1)) {
        if (kind.pattern.test(id)) add(found, found.mustNotBeForeign, { kind: kind.name, id });
      }
    }
  };
  return { key, kind, scanText };
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

/** The depth is bounded by the JSON reader (64). */
const scanValue = (scans: readonly KindScan[], value: JsonValue, found: Citations): void => {
  if (typeof value === 'string') {
    for (const scan of scans) scan.scanText(value, found);
  } else if (Array.isArray(value)) {
    for (const element of value) scanValue(scans, element, found);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, member] of Object.entries(value)) {
      for (const scan of scans) {
        scan.scanText(key, found);
        if (key === scan.key && typeof member === 'string') cite(scan.kind, member, found);
      }
      scanValue(scans, member, found);
    }
  }
};
