/**
 * What an agent is about to open, read from the arguments of its calls while it still says them. The prompt makes the
 * model choose them, and the upstream opens whatever they name (contract, section 6). Texts of one call are joined, of
 * which only so much is kept as a name may need; each character is looked at once.
 */
import type { OpensRule, UpstreamEvent } from '../model/event.ts';
import { valuesAt } from '../model/field-path.ts';
import type { FieldPath, JsonValue } from '../model/json.ts';
import { type ResourceKind, type ResourceRef, resourceKey } from '../model/resource.ts';
import { isHostPath, MAX_PATH_LENGTH } from './host-path.ts';
import { type JsonStrings, jsonStrings } from './json-strings.ts';
import { type Readings, readings } from './readings.ts';

export interface Opening {
  /** Names of the kind anywhere in the text, each once for a call: somebody's, nobody's or invented. */
  readonly refs: readonly ResourceRef[];
  /** Paths of the host. */
  readonly paths: readonly string[];
  /** True when not all that the run said could be looked at: there was too much of it. */
  readonly unread: boolean;
}

export interface Opens {
  /** Reads the text of an event of a run, which is known by the resource that owns its events. */
  read(run: ResourceRef, rule: OpensRule, event: { readonly type: string } & Pick<UpstreamEvent, 'payload'>): Opening;
  /**
   * A run is over. Another one of the same resource may be in the middle of a call, and its owner chooses the moment: what
   * was said a while ago at most is kept, and every name counts anew.
   */
  ended(run: ResourceRef): void;
  held(): { readonly runs: number; readonly characters: number };
}

export interface OpensOptions {
  /** Of one call: more than a model says in one. */
  readonly maxTextLength?: number;
  /** In one call. */
  readonly maxNames?: number;
  /** In one run. */
  readonly maxCalls?: number;
  /** Those beyond push out the one that was silent for the longest. */
  readonly maxRuns?: number;
  /** Of all runs, with what a call costs besides. The run that has the most of too much is not looked at any further. */
  readonly maxCharacters?: number;
  /** Without a word, after which nothing more of a call, or of a run, is awaited. */
  readonly maxAgeMillis?: number;
  readonly now?: () => number;
}

/** An id may set no bound of its own. */
const MAX_ID_LENGTH = 256;
/** A call is known by its type and its id. */
const MAX_KEY_LENGTH = 1024;
/** A list may be written as a text that holds it. */
const NESTED = 1;
/** What a call costs of which nothing is kept, in characters: measured, and rounded up. */
const CALL_LENGTH = 2_500;

interface Call {
  /** Returns false for what was too much. */
  read(text: string, found: Found): boolean;
  /** From now on every name counts again, and so does each character. */
  again(): void;
  held(): number;
}

interface Heard {
  readonly call: Call;
  /** As it is counted in its run. */
  held: number;
  heardMillis: number;
}

interface Run {
  /** The one that was silent for the longest first. */
  readonly calls: Map<string, Heard>;
  held: number;
  /** False: something of it was given up. */
  whole: boolean;
  /** True: and so it was said. */
  told: boolean;
  heardMillis: number;
}

interface Found {
  readonly refs: ResourceRef[];
  readonly paths: string[];
}

type Bounds = Required<Omit<OpensOptions, 'now'>>;

const BOUNDS: Bounds = {
  maxTextLength: 1 << 20,
  maxNames: 4_000,
  maxCalls: 500,
  maxRuns: 10_000,
  maxCharacters: 64 << 20,
  // A model's next word is awaited for so long (contract, section 3, chat).
  maxAgeMillis: 300_000,
};

/** Returns the reader of all runs, or throws a TypeError for a bound below 1. */
export const opens = ({ now = Date.now, ...options }: OpensOptions = {}): Opens => {
  const bounds: Bounds = { ...BOUNDS, ...options };
  for (const [name, value] of Object.entries(bounds)) {
    if (!(value >= 1)) throw new TypeError(`${name} must be at least 1`);
  }
  const kept = runsKept(bounds);

  return {
    read(ref, rule, { type, payload }) {
      const found: Found = { refs: [], paths: [] };
      const run = kept.of(resourceKey(ref), now());
      if (!run.whole) return unread(run, found);
      const heard = rule.call && callIn(kept, run, { key: keyOf(type, payload, rule.call), rule });
      if (heard === undefined && rule.call !== undefined) run.whole = false;
      const call = heard?.call ?? callOf(rule.kind, bounds);
      for (const value of valuesAt(payload, rule.text)) if (!call.read(textOf(value), found)) run.whole = false;
      if (heard !== undefined) kept.count(run, heard);
      return run.whole ? { ...found, unread: false } : unread(run, found);
    },
    ended: (ref) => kept.ended(resourceKey(ref)),
    held: kept.held,
  };
};

const unread = (run: Run, found: Found): Opening => {
  run.told = true;
  return { ...found, unread: true };
};

type Kept = ReturnType<typeof runsKept>;

/** Undefined for one too many, and for one whose id is none. */
const callIn = (
  { bounds, silence }: Kept,
  run: Run,
  { key, rule }: { readonly key: string; readonly rule: OpensRule },
): Heard | undefined => {
  silence(run);
  const known = run.calls.get(key);
  if (known === undefined && (run.calls.size >= bounds.maxCalls || key.length > MAX_KEY_LENGTH)) return undefined;
  const heard = known ?? { call: callOf(rule.kind, bounds), held: 0, heardMillis: 0 };
  heard.heardMillis = run.heardMillis;
  run.calls.delete(key);
  run.calls.set(key, heard);
  return heard;
};

const keyOf = (type: string, payload: JsonValue, call: FieldPath): string =>
  JSON.stringify([type, ...valuesAt(payload, call)]);

/** Arguments that are no text are looked at as the text that they would be. */
const textOf = (value: JsonValue): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** What is remembered of runs, the one that was silent for the longest first. */
const runsKept = (bounds: Bounds) => {
  const { maxRuns, maxCharacters, maxAgeMillis } = bounds;
  const runs = new Map<string, Run>();
  let characters = 0;

  const grow = (run: Run, by: number): void => {
    run.held += by;
    characters += by;
  };

  const clear = (run: Run): void => {
    grow(run, -run.held);
    run.calls.clear();
  };

  const forget = (key: string): void => {
    clear(runs.get(key) ?? begun());
    runs.delete(key);
  };

  return {
    bounds,
    of(key: string, nowMillis: number): Run {
      const run = runs.get(key) ?? begun();
      run.heardMillis = nowMillis;
      runs.delete(key);
      runs.set(key, run);
      for (const [oldest, { heardMillis }] of runs) {
        if (runs.size <= maxRuns && nowMillis - heardMillis <= maxAgeMillis) break;
        forget(oldest);
      }
      return run;
    },
    /** Forgets its calls of which nothing more is awaited. */
    silence(run: Run): void {
      for (const [key, { held, heardMillis }] of run.calls) {
        if (run.heardMillis - heardMillis <= maxAgeMillis) return;
        run.calls.delete(key);
        grow(run, -held);
      }
    },
    count(run: Run, heard: Heard): void {
      const held = CALL_LENGTH + heard.call.held();
      grow(run, held - heard.held);
      heard.held = held;
      while (characters > maxCharacters) {
        const most = heaviest(runs.values());
        most.whole = false;
        clear(most);
      }
    },
    ended(key: string): void {
      const run = runs.get(key);
      if (run === undefined) return;
      if (run.told) forget(key);
      else for (const { call } of run.calls.values()) call.again();
    },
    held: () => ({ runs: runs.size, characters }),
  };
};

const begun = (): Run => ({ calls: new Map(), held: 0, whole: true, told: false, heardMillis: 0 });

const heaviest = (runs: Iterable<Run>): Run => [...runs].reduce((most, run) => (run.held > most.held ? run : most));

const callOf = (kind: ResourceKind, { maxTextLength, maxNames }: Bounds): Call => {
  const bare = scanOf(kind);
  const names = new Set<string>();
  const ways: Readings = readings(MAX_ID_LENGTH);
  let found: Found = { refs: [], paths: [] };
  let length = 0;
  let nameLength = 0;

  const strings: JsonStrings = jsonStrings({
    tell: (value) => void (isHostPath(value, kind.url) && found.paths.push(value)),
    maxLength: MAX_PATH_LENGTH,
    nested: NESTED,
  });
  const name = (id: string): void => {
    if (names.has(id) || names.size > maxNames || !kind.pattern.test(id) || kind.reserved.has(id)) return;
    names.add(id);
    nameLength += id.length;
    found.refs.push({ kind: kind.name, id });
  };

  return {
    read(text, to) {
      length += text.length;
      if (length > maxTextLength) return false;
      found = to;
      ways.read(text, (end, fresh) => scan(bare, { end, fresh }, name));
      strings.read(text);
      return names.size <= maxNames;
    },
    again() {
      names.clear();
      nameLength = 0;
      length = 0;
    },
    held: () => ways.held() + strings.held() + nameLength,
  };
};

const scans = new WeakMap<ResourceKind, RegExp>();

const scanOf = (kind: ResourceKind): RegExp => {
  const known = scans.get(kind);
  if (known !== undefined) return known;
  // Not anchored: the name counts wherever it stands, glued to other letters too.
  const bare = new RegExp(kind.pattern.source.replace(/^\^/, '').replace(/\$$/, ''), 'g');
  scans.set(kind, bare);
  return bare;
};

interface End {
  readonly end: string;
  readonly fresh: number;
}

/** Tells what ends behind `fresh`; the rest was told when it came. */
const scan = (bare: RegExp, { end, fresh }: End, tell: (id: string) => void): void => {
  bare.lastIndex = 0;
  for (let match = bare.exec(end); match !== null; match = bare.exec(end)) {
    const [whole] = match;
    // One name may begin inside another, and letters after a name may look like the rest of it.
    bare.lastIndex = match.index + 1;
    const shortest = Math.max(fresh - match.index + 1, 1);
    for (let length = Math.min(whole.length, MAX_ID_LENGTH); length >= shortest; length -= 1) {
      tell(whole.slice(0, length));
    }
  }
};
