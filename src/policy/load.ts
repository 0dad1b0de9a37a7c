/** Policy files -> one policy, or all their faults at once. */
import type { Policy } from '../model/policy.ts';
import { compile } from './compile.ts';
import { checkDocument, parseDocument, readDocument, type YamlDocument } from './document.ts';
import type { Fault } from './fault.ts';
import { policySchema } from './schema.ts';
import type { Source } from './scope.ts';

export type LoadResult = { readonly policy: Policy } | { readonly faults: readonly Fault[] };

/** Reads, checks and compiles the files. */
export const loadPolicy = (files: readonly string[]): LoadResult => {
  const faults: Fault[] = [];
  const sources: Source[] = [];
  for (const file of files) collect(readDocument(file), sources, faults);
  return faults.length > 0 ? { faults } : compile(sources);
};

/** The same for a text; `file` is the name under which its faults are reported. */
export const parsePolicy = (options: { readonly file: string; readonly text: string }): LoadResult => {
  const faults: Fault[] = [];
  const sources: Source[] = [];
  collect(parseDocument(options), sources, faults);
  return faults.length > 0 ? { faults } : compile(sources);
};

const collect = (read: ReturnType<typeof readDocument>, sources: Source[], faults: Fault[]): void => {
  if ('faults' in read) {
    faults.push(...read.faults);
    return;
  }
  const { document }: { document: YamlDocument } = read;
  const checked = checkDocument(document, policySchema);
  if ('faults' in checked) faults.push(...checked.faults);
  else sources.push({ document, policy: checked.value });
};
