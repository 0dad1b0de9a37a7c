/** One look at the policy files: every byte that a policy is made of is read once, and has a digest. */
import { hash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import type { ReadFile } from './document.ts';
import { loadPolicy, type PolicyOrFaults } from './load.ts';

export interface PolicyFile {
  readonly file: string;
  /** Of its bytes, in hex; undefined where it could not be read. */
  readonly sha256: string | undefined;
}

export interface Snapshot {
  /** All that were asked for, whether they could be read or not. */
  readonly files: readonly PolicyFile[];
  /** What `sha256sum FILES | sha256sum` says of them. */
  readonly sha256: string;
  readonly loaded: PolicyOrFaults;
}

/** Reads through `read`; `files` may name more, such as what is no file and was not read. */
export type Load = (
  files: readonly string[],
  read: ReadFile,
) => PolicyOrFaults & { readonly files?: readonly string[] };

/** Loads the files. What goes wrong while they are loaded is a fault of theirs. */
export const takeSnapshot = (files: readonly string[], load: Load = loadPolicy): Snapshot => {
  const contents = new Map<string, Buffer | undefined>();
  const read: ReadFile = (file) => {
    const known = contents.get(file);
    if (known !== undefined) return known;
    contents.set(file, undefined);
    const bytes = readFileSync(file);
    contents.set(file, bytes);
    return bytes;
  };
  const loaded = attempt(() => load(files, read), files[0] ?? '');
  const names = new Set([...contents.keys(), ...(loaded.files ?? [])]);
  const seen = [...names].map((file) => ({ file, sha256: digest(contents.get(file)) }));
  const list = seen.map(({ file, sha256 }) => `${sha256 ?? 'unreadable'}  ${file}\n`);
  return { files: seen, sha256: hash('sha256', list.join('')), loaded };
};

/** Returns whether every file still holds what it held; then loading them again would tell nothing new. */
export const isUnchanged = ({ files }: Pick<Snapshot, 'files'>): boolean =>
  files.every(({ file, sha256 }) => digestOf(file) === sha256);

const digestOf = (file: string): string | undefined => {
  try {
    // A pipe would be read without end.
    return statSync(file).isFile() ? digest(readFileSync(file)) : undefined;
  } catch {
    // Missing or not to be read: that is what the digest says by not being there.
    return undefined;
  }
};

const digest = (bytes: Buffer | undefined): string | undefined =>
  bytes === undefined ? undefined : hash('sha256', bytes);

const attempt = (load: () => ReturnType<Load>, file: string): ReturnType<Load> => {
  try {
    return load();
  } catch (error) {
    const message = `the policy cannot be loaded: ${String(error)}`;
    return { faults: [{ file, line: 0, column: 0, message }] };
  }
};
