/** A test file, with the policy that it tests, ready to be run; or every fault of both. */
import { dirname, resolve } from 'node:path';
import type { Policy } from '../../model/policy.ts';
import { readDocument, type YamlDocument } from '../../policy/document.ts';
import type { Fault } from '../../policy/fault.ts';
import { loadPolicy, readSources } from '../../policy/load.ts';
import { type RoutePlace, routePlaces } from '../../policy/places.ts';
import { checkTestFile, type TestFile, testFileFaults } from '../../policy/test-document.ts';

export interface LoadedTests {
  readonly file: string;
  readonly document: YamlDocument;
  readonly written: TestFile;
  readonly policy: Policy;
  readonly places: ReadonlyMap<string, RoutePlace>;
}

/** Returns the tests of a file, or its faults and those of the policy. */
export const loadTests = (file: string): LoadedTests | { readonly faults: readonly Fault[] } => {
  const read = readDocument(file);
  if ('faults' in read) return read;
  const { document } = read;
  const checked = checkTestFile(document);
  if ('faults' in checked) return checked;
  const written = checked.value;
  const files = [written.policy].flat().map((name) => resolve(dirname(file), name));
  const loaded = loadPolicy(files);
  if ('faults' in loaded) return loaded;
  const { policy } = loaded;
  const faults = testFileFaults(document, written, policy);
  if (faults.length > 0) return { faults };
  const sources = readSources(files);
  return 'faults' in sources ? sources : { file, document, written, policy, places: routePlaces(sources.sources) };
};
