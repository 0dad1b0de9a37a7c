/**
 * The one way in which YAML files of the operator's are read: within bounds, against a strict schema, and with every
 * fault at its place.
 */
import { readFileSync } from 'node:fs';
import type { Fault, Position } from './fault.ts';
import { type Issue, type SchemaFault, schemaFaults, takeNotes } from './schema-faults.ts';
import type { Path } from './schema-words.ts';
import { MAX_BYTES, type Place, type Problem, readTree } from './yaml-tree.ts';

declare const content: unique symbol;

/** A file that is well formed. What it says is not checked yet. */
export interface YamlDocument {
  readonly file: string;
  readonly [content]: true;
}

interface OpenDocument {
  readonly file: string;
  readonly root: Place;
}

export type DocumentResult =
  | { readonly document: YamlDocument }
  | { readonly faults: readonly Fault[] }
  /** `unreadable`: why, in words. */
  | { readonly faults: readonly Fault[]; readonly unreadable: string };

/** A schema: anything that checks a value in the manner of zod. */
export interface Schema<T> {
  safeParse(
    value: unknown,
    options: { readonly error: (issue: unknown) => string },
  ):
    | { readonly success: true; readonly data: T }
    | { readonly success: false; readonly error: { readonly issues: readonly Issue[] } };
}

export interface CheckOptions {
  /** Says of which values nothing may be told, because they are or hold secrets. */
  readonly conceal?: (path: Path, value: unknown) => boolean;
}

const MAX_FAULTS = 100;

/** Returns the bytes of a file, or throws the system's error. */
export type ReadFile = (file: string) => Buffer;

/** Returns the document of a file, or its faults: unreadable, too large, not UTF-8, not YAML, hostile. */
export function readDocument(file: string, read: ReadFile = readFileSync): DocumentResult {
  const start = { line: 1, column: 1 };
  let bytes: Buffer;
  try {
    bytes = read(file);
  } catch (error) {
    const unreadable = `the file cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}`;
    return { faults: [{ file, ...start, message: unreadable }], unreadable };
  }
  if (bytes.length > MAX_BYTES) return { faults: [tooLarge(file, bytes.length)] };
  try {
    return parseDocument({ file, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return { faults: [{ file, ...start, message: 'the file is not UTF-8 text' }] };
  }
}

/** Returns the document of a text, or its faults. `file` is only the name under which they are reported. */
export function parseDocument(options: { readonly file: string; readonly text: string }): DocumentResult {
  const { file, text } = options;
  if (text.length > MAX_BYTES) return { faults: [tooLarge(file, text.length)] };
  const tree = readTree(text);
  if ('problems' in tree) return { faults: tree.problems.map((problem: Problem) => ({ file, ...problem })) };
  const document: OpenDocument = { file, root: tree.root };
  return { document: document as unknown as YamlDocument };
}

/** Returns the value as the schema gives it, or every fault, in the order of the file. */
export function checkDocument<T>(
  document: YamlDocument,
  schema: Schema<T>,
  options: CheckOptions = {},
): { readonly value: T } | { readonly faults: readonly Fault[] } {
  const { root } = open(document);
  const notes = takeNotes();
  const result = schema.safeParse(root.value, { error: notes.note });
  if (result.success) return { value: result.data };
  const faults = schemaFaults(result.error.issues, root.value, notes)
    .slice(0, MAX_FAULTS)
    .map((fault) => locate(document, fault, options));
  return { faults: faults.sort((a, b) => a.line - b.line || a.column - b.column) };
}

/** Returns where the value at a path begins, or its key; the nearest mapping or list around it when it is not there. */
export function positionOf(document: YamlDocument, path: Path, at: 'value' | 'key' = 'value'): Position {
  let place = open(document).root;
  let position = place.position;
  for (const step of path) {
    const entry = place.entries?.get(String(step));
    const next = entry?.place ?? place.items?.[Number(step)];
    if (next === undefined) return place.position;
    position = at === 'key' && entry !== undefined ? entry.key : next.position;
    place = next;
  }
  return position;
}

/** Returns a fault at a path: for what only a look at the whole file, or beyond it, can tell. */
export function faultAt(
  document: YamlDocument,
  path: Path,
  fault: {
    readonly message: string;
    readonly found?: string;
    readonly expected?: string;
    readonly at?: 'value' | 'key';
  },
): Fault {
  const { at, ...words } = fault;
  return { file: document.file, ...positionOf(document, path, at), ...words };
}

function locate(document: YamlDocument, fault: SchemaFault, { conceal }: CheckOptions): Fault {
  const { path, found, ...words } = fault;
  const told = found === undefined || conceal?.(path, valueAt(document, path)) === true ? {} : { found };
  return faultAt(document, path, { ...words, ...told });
}

function valueAt(document: YamlDocument, path: Path): unknown {
  let place: Place | undefined = open(document).root;
  for (const step of path) place = place?.entries?.get(String(step))?.place ?? place?.items?.[Number(step)];
  return place?.value;
}

const open = (document: YamlDocument): OpenDocument => document as unknown as OpenDocument;

const tooLarge = (file: string, found: number): Fault => ({
  file,
  line: 1,
  column: 1,
  message: 'the file is too large',
  found: `${found} bytes`,
  expected: `at most ${MAX_BYTES} bytes`,
});
