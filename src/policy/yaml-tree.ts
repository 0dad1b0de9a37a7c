/**
 * From the text of a YAML file to a tree of plain values in which every key and value knows its place. The bounds hold
 * while the text is being read, so a hostile file costs a fault and not the process.
 */
import {
  Composer,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type ParsedNode,
  Parser,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import type { Position } from './fault.ts';

export interface Entry {
  readonly key: Position;
  readonly place: Place;
}

/** A value with its place; the entries or items below it keep theirs. */
export interface Place {
  readonly value: unknown;
  readonly position: Position;
  readonly entries: ReadonlyMap<string, Entry> | undefined;
  readonly items: readonly Place[] | undefined;
  /** The number of values in it, with aliases counted as what they stand for. */
  readonly size: number;
}

export interface Problem extends Position {
  readonly message: string;
  readonly found?: string;
  readonly expected?: string;
}

type Tree = { readonly root: Place } | { readonly problems: readonly Problem[] };

export const MAX_BYTES = 2 * 1024 * 1024;
const MAX_DEPTH = 64;
const MAX_ALIASES = 100;
const MAX_VALUES = 50_000;
const MAX_TOKENS = 300_000;
const MAX_PROBLEMS = 100;

const CORE_TAGS = new Set(['str', 'int', 'float', 'bool', 'null', 'map', 'seq'].map((n) => `tag:yaml.org,2002:${n}`));
const COMPOSE_OPTIONS = {
  version: '1.2',
  schema: 'core',
  merge: false,
  resolveKnownTags: false,
  strict: true,
  prettyErrors: false,
  // The composer compares every key with every other. Here they are looked up in a map instead.
  uniqueKeys: false,
} as const;

/** Stops the reading; carries the reason. */
class Refusal extends Error {
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(problem.message);
    this.problem = problem;
  }
}

/** Returns the tree of a text that holds one YAML 1.2 document of the core schema, or everything wrong with its form. */
export function readTree(text: string): Tree {
  const lines = new LineCounter();
  const positionAt = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  try {
    const { contents, problems } = compose(text, { lines, positionAt });
    if (problems.length > 0) return { problems };
    const reader = placeReader(positionAt);
    const root = reader.read(contents);
    return reader.problems.length > 0 ? { problems: reader.problems } : { root };
  } catch (error) {
    if (error instanceof Refusal) return { problems: [error.problem] };
    throw error;
  }
}

interface Lines {
  readonly lines: LineCounter;
  positionAt(offset: number): Position;
}

function compose(text: string, { lines, positionAt }: Lines): { contents: ParsedNode | null; problems: Problem[] } {
  const composer = new Composer(COMPOSE_OPTIONS);
  const documents = composer.compose(tokens(text, { lines, positionAt }), true, text.length);
  // Asked for two at most: the rest of a text of many documents is not read.
  const first = documents.next().value ?? undefined;
  const second = documents.next().value ?? undefined;
  const problems = [...(first?.errors ?? []), ...(first?.warnings ?? [])]
    .slice(0, MAX_PROBLEMS)
    .map((error) => ({ ...positionAt(error.pos[0]), ...malformed(error.message) }));
  if (second !== undefined) {
    problems.push({
      ...positionAt(second.range[0]),
      message: 'a second document begins here, and one file is one document',
    });
  }
  return { contents: first?.contents ?? null, problems };
}

/** Yields the parser's tokens and watches the nesting, because the composer behind it recurses. */
function* tokens(text: string, { lines, positionAt }: Lines) {
  const parser = new Parser(lines.addNewLine);
  lines.addNewLine(0);
  let seen = 0;
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) {
      if (token.type === 'directive') {
        throw new Refusal({ ...positionAt(token.offset), message: 'directives are not accepted', found: '%' });
      }
      if (token.type === 'error') throw new Refusal({ ...positionAt(token.offset), ...malformed(token.message) });
      yield token;
    }
    if (++seen > MAX_TOKENS) throw new Refusal({ ...positionAt(parser.offset), message: 'there is too much in it' });
    // The document and the scalar that is being read stand on the stack as well.
    if (parser.stack.length > MAX_DEPTH + 2) {
      const message = 'the nesting is too deep';
      throw new Refusal({ ...positionAt(parser.offset), message, expected: `at most ${MAX_DEPTH} levels` });
    }
  }
  yield* parser.end();
}

const empty = (position: Position): Place => ({
  value: null,
  position,
  entries: undefined,
  items: undefined,
  size: 1,
});

/** Reads nodes in the order of the document, which is the order in which anchors come to hold. */
interface Reader {
  readonly problems: Problem[];
  readonly anchors: Map<string, Place>;
  positionOf(node: ParsedNode): Position;
  /** Counts values; throws a Refusal when there are too many. */
  count(added: number, position: Position): void;
  countAlias(position: Position): void;
  report(problem: Problem): void;
  read(node: ParsedNode | null): Place;
}

function placeReader(positionAt: (offset: number) => Position): Reader {
  let aliases = 0;
  let values = 0;
  const reader: Reader = {
    problems: [],
    anchors: new Map(),
    positionOf: (node) => positionAt(node.range?.[0] ?? 0),
    count(added, position) {
      values += added;
      if (values <= MAX_VALUES) return;
      throw new Refusal({ ...position, message: 'there are too many values', expected: `at most ${MAX_VALUES}` });
    },
    countAlias(position) {
      aliases++;
      if (aliases <= MAX_ALIASES) return;
      throw new Refusal({ ...position, message: 'there are too many aliases', expected: `at most ${MAX_ALIASES}` });
    },
    report(problem) {
      reader.problems.push(problem);
      if (reader.problems.length < MAX_PROBLEMS) return;
      throw new Refusal({ ...problem, message: `${problem.message} (and more)` });
    },
    read: (node) => (node === null ? empty(positionAt(0)) : readNode(node, reader)),
  };
  return reader;
}

function readNode(node: ParsedNode, reader: Reader): Place {
  const position = reader.positionOf(node);
  if (isAlias(node)) return readAlias(node.source, position, reader);
  reader.count(1, position);
  if (node.tag !== undefined && !CORE_TAGS.has(node.tag)) {
    reader.report({ ...position, message: 'this tag is not accepted', found: node.tag, expected: 'no tag' });
  }
  const place = isMap(node)
    ? readMap(node, position, reader)
    : isSeq(node)
      ? readSeq(node, position, reader)
      : { ...empty(position), value: isScalar(node) ? node.value : null };
  if (node.anchor !== undefined) reader.anchors.set(node.anchor, place);
  return place;
}

function readAlias(name: string, position: Position, reader: Reader): Place {
  reader.countAlias(position);
  const target = reader.anchors.get(name);
  if (target === undefined) {
    reader.report({ ...position, message: `the alias *${name} has no complete anchor before it`, expected: ANCHORED });
    return empty(position);
  }
  reader.count(target.size, position);
  return { ...target, position };
}

function readMap(node: YAMLMap<unknown, unknown>, position: Position, reader: Reader): Place {
  // No prototype: a key can then never be mistaken for something inherited.
  const value: Record<string, unknown> = Object.create(null);
  const entries = new Map<string, Entry>();
  let size = 1;
  for (const pair of node.items as readonly { key: ParsedNode; value: ParsedNode | null }[]) {
    const keyAt = reader.positionOf(pair.key);
    const place = pair.value === null ? empty(keyAt) : reader.read(pair.value);
    size += place.size;
    const key = isScalar(pair.key) && pair.key.tag === undefined ? pair.key.value : undefined;
    const fault = keyFault(key, entries);
    if (fault !== undefined) reader.report({ ...keyAt, ...fault });
    if (typeof key !== 'string' || fault !== undefined) continue;
    value[key] = place.value;
    entries.set(key, { key: keyAt, place });
  }
  return { value, position, entries, items: undefined, size };
}

function readSeq(node: YAMLSeq<unknown>, position: Position, reader: Reader): Place {
  const items = (node.items as readonly (ParsedNode | null)[]).map((item) => reader.read(item));
  const size = items.reduce((sum, item) => sum + item.size, 1);
  return { value: items.map((item) => item.value), position, entries: undefined, items, size };
}

function keyFault(key: unknown, entries: ReadonlyMap<string, Entry>): Omit<Problem, keyof Position> | undefined {
  if (typeof key !== 'string') {
    return { message: 'a key must be plain text', expected: 'a word, or the value in quotes' };
  }
  // Libraries skip this key in silence, and silence would be a setting that the operator believes in.
  if (key === '__proto__') return { message: 'the key __proto__ is not accepted' };
  const earlier = entries.get(key);
  if (earlier === undefined) return undefined;
  return { message: `the key "${key}" is already in line ${earlier.key.line}` };
}

/** What stands unquoted is the commonest mistake, and the library tells of what comes after it. */
const QUOTED = 'quotes around a text that has { } or [ ] in it, or a sign in front';
const ANCHORED = 'an anchor before it, or quotes around a text that begins with *';
const UNQUOTED = /^Unexpected [a-z-]+ token|^Alias cannot be|reserved character/;

const malformed = (message: string): Pick<Problem, 'message' | 'expected'> => ({
  message: sentence(message),
  ...(UNQUOTED.test(message) && { expected: QUOTED }),
});

/** The library's messages begin with a capital and some end with a full stop. */
function sentence(message: string): string {
  return `the YAML is not well formed: ${message.slice(0, 200).replaceAll(/\s+/g, ' ').replace(/[.]$/, '')}`;
}
