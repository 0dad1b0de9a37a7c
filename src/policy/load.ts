/** Policy files, and those that they include -> one policy, or all their faults at once. */
import { realpathSync, statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import type { Policy } from '../model/policy.ts';
import { compile } from './compile.ts';
import { checkDocument, type DocumentResult, faultAt, parseDocument, type ReadFile, readDocument } from './document.ts';
import { type Fault, formatFault } from './fault.ts';
import { type ParsedPolicy, policySchema, type WrittenPolicy } from './schema.ts';
import type { Source } from './scope.ts';

export type PolicyOrFaults = { readonly policy: Policy } | { readonly faults: readonly Fault[] };

/** `files` are all that the policy is made of, those included that could not be read. */
export type LoadResult = PolicyOrFaults & { readonly files: readonly string[] };

/** Includes of includes: more is a mistake. */
const MAX_DEPTH = 8;
const MAX_FILES = 100;

interface Reading {
  readonly read: ReadFile | undefined;
  /** By what a file really is, so that two names of one file are seen. */
  readonly files: Map<string, string>;
  readonly sources: Source[];
  readonly faults: Fault[];
}

/** A file on the way down from the one that gateway.yaml names. */
interface Step {
  readonly file: string;
  readonly read: DocumentResult;
  /** What the files above are, the outermost first, and this one's own. */
  readonly way: readonly string[];
  readonly above: Source | undefined;
}

/** Reads, checks and compiles the files. Every file is read through `read`, those that cannot be read included. */
export const loadPolicy = (files: readonly string[], read?: ReadFile): LoadResult => finish(readAll(files, read));

/** Reads and checks the files without compiling them: what is written, for those who look at that. */
export const readSources = (
  files: readonly string[],
): { readonly sources: readonly Source[] } | { readonly faults: readonly Fault[] } => {
  const { sources, faults } = readAll(files, undefined);
  return faults.length > 0 ? { faults } : { sources };
};

const readAll = (files: readonly string[], read: ReadFile | undefined): Reading => {
  const reading: Reading = { read, files: new Map(), sources: [], faults: [] };
  for (const file of files) {
    const identity = identityOf(file);
    if (reading.files.has(identity)) {
      reading.faults.push({ file, line: 1, column: 1, message: 'this file is a part of the policy already' });
      continue;
    }
    reading.files.set(identity, file);
    collect(reading, { file, read: readPart(file, read), way: [identity], above: undefined });
  }
  return reading;
};

/** The same as `loadPolicy` for a text; `file` is the name under which its faults are reported, and to which includes are relative. */
export const parsePolicy = (options: { readonly file: string; readonly text: string }): LoadResult => {
  const identity = identityOf(options.file);
  const reading: Reading = { read: undefined, files: new Map([[identity, options.file]]), sources: [], faults: [] };
  collect(reading, { file: options.file, read: parseDocument(options), way: [identity], above: undefined });
  return finish(reading);
};

const finish = ({ files, sources, faults }: Reading): LoadResult => ({
  ...distinct(faults.length > 0 ? { faults } : compile(sources)),
  files: [...files.values()],
});

/** What stands at an anchor is wrong as often as it is used, and is told of once. */
const distinct = (result: PolicyOrFaults): PolicyOrFaults =>
  'policy' in result
    ? result
    : { faults: [...new Map(result.faults.map((fault) => [formatFault(fault), fault])).values()] };

const identityOf = (file: string): string => {
  try {
    return realpathSync(file);
  } catch {
    return resolve(file);
  }
};

/** A device or a pipe would be read without end. */
const readPart = (file: string, read: ReadFile | undefined): DocumentResult => {
  if (!isNoFile(file)) return readDocument(file, read);
  const message = 'this is not a file';
  return { faults: [{ file, line: 1, column: 1, message }], unreadable: message };
};

const isNoFile = (file: string): boolean => {
  try {
    return statSync(file, { throwIfNoEntry: false })?.isFile() === false;
  } catch {
    // What cannot be looked at cannot be read either, and then the reading says why.
    return false;
  }
};

const collect = (reading: Reading, step: Step): void => {
  const { read, above } = step;
  if ('faults' in read) {
    reading.faults.push(...read.faults);
    return;
  }
  const { document } = read;
  const checked = checkDocument(document, policySchema);
  if ('faults' in checked) {
    reading.faults.push(...checked.faults);
    return;
  }
  const source = { document, policy: withMode(checked.value, above?.policy), included: above !== undefined };
  reading.sources.push(source);
  for (const [index, written] of source.policy.include.entries()) {
    // Nobody reads more, and a list of includes may be as long as a file.
    if (reading.faults.length >= MAX_FILES) return;
    include(reading, step, { source, index, written });
  }
};

/** What says nothing of modes goes as far as the file that includes it: a roll-out is steered at one place. */
const withMode = (written: WrittenPolicy, above: ParsedPolicy | undefined): ParsedPolicy => {
  const silent = written.mode === undefined && written.cohorts === undefined;
  const mode = (silent ? above?.mode : written.mode) ?? 'enforce';
  return { ...written, mode, cohorts: (silent ? above?.cohorts : written.cohorts) ?? {} };
};

interface Include {
  readonly source: Source;
  readonly index: number;
  readonly written: string;
}

const include = (reading: Reading, { file: from, way }: Step, { source, index, written }: Include): void => {
  const file = resolve(dirname(from), written);
  const identity = identityOf(file);
  const read = openInclude(reading, { file, identity, way });
  if ('message' in read) reading.faults.push(faultAt(source.document, ['include', index], { found: written, ...read }));
  else collect(reading, { file, read, way: [...way, identity], above: source });
};

type Refused = Pick<Fault, 'message' | 'found' | 'expected'>;

/** Returns what is read of a file, or why it is no part of the policy. */
const openInclude = (
  reading: Reading,
  { file, identity, way }: Pick<Step, 'file' | 'way'> & { readonly identity: string },
): DocumentResult | Refused => {
  if (way.includes(identity)) {
    const circle = [...way.slice(way.indexOf(identity)), identity].map((path) => basename(path));
    return { message: 'this file includes itself', found: circle.join(' -> ') };
  }
  if (reading.files.has(identity)) return { message: 'this file is a part of the policy already' };
  if (reading.files.size >= MAX_FILES) return { message: 'too many files', expected: `at most ${MAX_FILES}` };
  if (way.length > MAX_DEPTH) return { message: 'the includes are too deep', expected: `at most ${MAX_DEPTH} levels` };
  reading.files.set(identity, file);
  const read = readPart(file, reading.read);
  return 'unreadable' in read ? { message: read.unreadable } : read;
};
