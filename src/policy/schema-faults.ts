/** From what a schema says about a value to what an operator can act on: one fault a mistake, in plain words. */
import { nearestWord } from './fault.ts';
import {
  definitionOf,
  describePath,
  describeSchema,
  describeValue,
  oneOf,
  type Path,
  typeWord,
} from './schema-words.ts';

/** A mistake at a path: in the value there, or in its key. */
export interface SchemaFault {
  readonly path: Path;
  readonly at: 'value' | 'key';
  readonly message: string;
  readonly found?: string;
  readonly expected?: string;
}

/** An issue as the schema library reports it; its other fields depend on the code. */
export interface Issue {
  readonly code?: string | undefined;
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

interface AnyIssue extends Issue {
  readonly expected?: unknown;
  readonly keys?: readonly string[];
  readonly values?: readonly unknown[];
  readonly options?: readonly unknown[];
  readonly errors?: ReadonlyArray<readonly AnyIssue[]>;
  readonly issues?: readonly AnyIssue[];
  readonly origin?: string;
  readonly minimum?: number | bigint;
  readonly maximum?: number | bigint;
  readonly inclusive?: boolean;
  readonly divisor?: number;
  readonly format?: string;
  readonly pattern?: string;
  readonly params?: { readonly expected?: unknown; readonly found?: unknown };
}

/** What the running schema tells about its issues and the finished issues no longer do. */
export interface Notes {
  /** The schema's error map. Its empty answer marks an issue for which the schema has no words of its own. */
  note(issue: unknown): string;
  /** By the issue's `keys`: the keys that its mapping knows. */
  readonly known: WeakMap<object, readonly string[]>;
  /** By the issue's `errors`: the forms that its union allows. */
  readonly forms: WeakMap<object, readonly string[]>;
}

export function takeNotes(): Notes {
  const known = new WeakMap<object, readonly string[]>();
  const forms = new WeakMap<object, readonly string[]>();
  function note(issue: unknown): string {
    const { keys, errors, inst } = issue as { keys?: object; errors?: object; inst?: unknown };
    const definition = definitionOf(inst);
    if (keys !== undefined) known.set(keys, Object.keys(definition.shape ?? {}));
    if (errors !== undefined) forms.set(errors, [...new Set((definition.options ?? []).map(describeSchema))]);
    return '';
  }
  return { note, known, forms };
}

interface Context {
  readonly root: unknown;
  readonly notes: Notes;
  /** The path of the value to which an issue's own path is relative. */
  readonly base: Path;
}

/** Returns the faults that issues stand for. `root` is the value that was checked, `notes` were taken meanwhile. */
export function schemaFaults(issues: readonly Issue[], root: unknown, notes: Notes): SchemaFault[] {
  return issues.flatMap((issue) => faultsOf(issue, { root, notes, base: [] }));
}

function faultsOf(issue: AnyIssue, context: Context): SchemaFault[] {
  const path = [...context.base, ...issue.path.map((step) => (typeof step === 'number' ? step : String(step)))];
  if (issue.code === 'unrecognized_keys') return unknownKeys(issue, path, context.notes);
  if (issue.code === 'invalid_key') return [invalidKey(issue, path)];
  const missing = missingKey(issue, path, context);
  if (missing !== undefined) return [missing];
  if (issue.message === '' && issue.code === 'invalid_union') return unionFaults(issue, path, context);
  return [valueFault(issue, path, context)];
}

function unknownKeys(issue: AnyIssue, path: Path, notes: Notes): SchemaFault[] {
  const keys = issue.keys ?? [];
  return keys.map((key) => unknownKey([...path, key], notes.known.get(keys) ?? []));
}

function unknownKey(path: Path, known: readonly string[]): SchemaFault {
  const key = String(path.at(-1));
  const nearest = nearestWord(key, known);
  const message = `unknown key ${describeValue(key)}`;
  if (nearest !== undefined) return { path, at: 'key', message: `${message}, did you mean "${nearest}"?` };
  return { path, at: 'key', message, ...(known.length > 0 && { expected: oneOf(known) }) };
}

function invalidKey(issue: AnyIssue, path: Path): SchemaFault {
  const [inner] = issue.issues ?? [];
  const own = issue.message || (inner?.code === 'invalid_format' ? '' : inner?.message) || '';
  const message = own || `${describePath(path.slice(0, -1))} has a key of the wrong form`;
  const expected = own === '' && inner !== undefined ? expectation(inner) : undefined;
  return { path, at: 'key', message, found: describeValue(path.at(-1)), ...(expected !== undefined && { expected }) };
}

/** A key that is not there is reported where its mapping is, whatever else the schema says of the absent value. */
function missingKey(issue: AnyIssue, path: Path, context: Context): SchemaFault | undefined {
  const key = path.at(-1);
  const mapping = valueAt(context.root, path.slice(0, -1));
  if (typeof key !== 'string' || issue.code === 'custom' || !isMapping(mapping) || Object.hasOwn(mapping, key)) {
    return undefined;
  }
  const where = path.length === 1 ? '' : ` in ${describePath(path.slice(0, -1))}`;
  const expected = expectation(issue) ?? context.notes.forms.get(issue.errors ?? issue)?.join(' or ');
  const message = `missing key "${key}"${where}`;
  return { path: path.slice(0, -1), at: 'value', message, ...(expected !== undefined && { expected }) };
}

function valueFault(issue: AnyIssue, path: Path, context: Context): SchemaFault {
  const value = valueAt(context.root, path);
  // The words of a form tell what is expected.
  const ofForm = issue.code === 'invalid_format' && issue.message !== '';
  const own = issue.message !== '' && !ofForm;
  const message = own ? issue.message : `${describePath(path)} ${complaint(issue)}`;
  const expected = own && issue.code !== 'custom' ? undefined : expectation(issue);
  const nearest =
    typeof value === 'string' ? nearestWord(value, (issue.values ?? issue.options ?? []).map(String)) : undefined;
  const hint = !own && nearest !== undefined && nearest !== value ? `, did you mean "${nearest}"?` : '';
  const found = issue.params?.found === undefined ? describeValue(value) : String(issue.params.found);
  return { path, at: 'value', message: message + hint, found, ...(expected !== undefined && { expected }) };
}

const COMPLAINTS: Readonly<Record<string, string>> = {
  invalid_type: 'has the wrong type',
  too_big: 'is too large',
  too_small: 'is too small',
  invalid_format: 'has the wrong form',
};

const complaint = (issue: AnyIssue): string => COMPLAINTS[issue.code ?? ''] ?? 'is not acceptable';

const UNITS: Readonly<Record<string, string>> = { string: ' character(s)', array: ' item(s)', object: ' key(s)' };

function expectation(issue: AnyIssue): string | undefined {
  const unit = UNITS[issue.origin ?? ''] ?? '';
  switch (issue.code) {
    case 'invalid_type':
      return typeWord(issue.expected);
    case 'invalid_value':
      return oneOf(issue.values ?? []);
    case 'too_small':
      return `${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}${unit}`;
    case 'too_big':
      return `${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}${unit}`;
    case 'not_multiple_of':
      return `a multiple of ${issue.divisor}`;
    case 'invalid_format':
      if (issue.message !== '') return issue.message;
      return issue.pattern === undefined ? `a well-formed ${issue.format}` : `text of the form ${issue.pattern}`;
    case 'invalid_union':
      return issue.options === undefined ? undefined : oneOf(issue.options);
    default:
      return issue.params?.expected === undefined ? undefined : String(issue.params.expected);
  }
}

/** Of a union, the faults of the form that the value most likely means; the list of forms when that is not clear. */
function unionFaults(issue: AnyIssue, path: Path, context: Context): SchemaFault[] {
  if (issue.options !== undefined) return [valueFault(issue, path, context)];
  const branches = flatten(issue.errors ?? []);
  const near = branches.filter((branch) => !branch.some((i) => i.path.length === 0 && i.code === 'invalid_type'));
  const costs = near.map((branch) => branch.reduce((sum, item) => sum + cost(item), 0));
  const least = Math.min(...costs);
  const best = near.filter((_, index) => costs[index] === least);
  const [first] = best;
  const forms = context.notes.forms.get(issue.errors ?? issue) ?? [];
  if (first !== undefined && best.length === 1 && !mixesForms(first, near, context.notes)) {
    const faults = first.flatMap((item) => faultsOf(item, { ...context, base: path }));
    // A word that is none of the known ones: beside those words there are the other forms.
    const isWord = first.some((item) => item.path.length === 0 && item.code === 'invalid_value');
    return isWord ? faults.map((fault) => ({ ...fault, expected: forms.join(' or ') })) : faults;
  }
  const common = unknownToAll(best, context.notes);
  if (common.keys.length > 0) return common.keys.map((key) => unknownKey([...path, key], common.known));
  return [
    {
      path,
      at: 'value',
      message: `${describePath(path)} has none of the forms that are possible here`,
      found: describeValue(valueAt(context.root, path)),
      ...(forms.length > 0 && { expected: forms.join(' or ') }),
    },
  ];
}

function flatten(branches: ReadonlyArray<readonly AnyIssue[]>): ReadonlyArray<readonly AnyIssue[]> {
  return branches.flatMap((branch) => {
    const [only] = branch;
    const nested = branch.length === 1 && only?.code === 'invalid_union' && only.path.length === 0;
    return nested && only?.options === undefined ? flatten(only?.errors ?? []) : [branch];
  });
}

/** How unlikely it is that the form is meant: a foreign word says more than a bad value. */
function cost(issue: AnyIssue): number {
  if (issue.code === 'unrecognized_keys') return 3 * (issue.keys ?? []).length;
  return issue.code === 'invalid_value' && issue.path.length === 1 ? 4 : 1;
}

function unknownToAll(branches: ReadonlyArray<readonly AnyIssue[]>, notes: Notes): { keys: string[]; known: string[] } {
  const unknown = branches.map((branch) => branch.flatMap((item) => (item.path.length === 0 ? (item.keys ?? []) : [])));
  const known = branches.flatMap((b) => b.flatMap((item) => (item.keys && notes.known.get(item.keys)) ?? []));
  const keys = (unknown[0] ?? []).filter((key) => unknown.every((others) => others.includes(key)));
  return { keys, known: [...new Set(known)] };
}

/** True when the words that one form does not know all belong to other forms: several were written into one. */
function mixesForms(branch: readonly AnyIssue[], all: ReadonlyArray<readonly AnyIssue[]>, notes: Notes): boolean {
  const unknown = branch.flatMap((item) => (item.path.length === 0 ? (item.keys ?? []) : []));
  const known = new Set(all.flatMap((b) => b.flatMap((item) => (item.keys && notes.known.get(item.keys)) ?? [])));
  return unknown.length > 0 && unknown.every((key) => known.has(key));
}

const isMapping = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<string | number, unknown>)[step];
  }
  return value;
}
