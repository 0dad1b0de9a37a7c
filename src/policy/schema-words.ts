/** The words in which faults speak of values, of types and of what a schema wants. */

export type Path = readonly (string | number)[];

/** A schema of the library's, as far as its form is told here. */
interface Definition {
  readonly type?: string;
  readonly shape?: Readonly<Record<string, unknown>>;
  readonly options?: readonly unknown[];
  readonly innerType?: unknown;
  /** Of a schema that stands for itself, further down. */
  readonly getter?: () => unknown;
  readonly in?: unknown;
  readonly values?: readonly unknown[];
  readonly entries?: Readonly<Record<string, unknown>>;
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  tuple: 'a list',
  object: 'a mapping',
  record: 'a mapping',
  null: 'null',
  never: 'nothing',
};

const WRAPPERS = new Set(['optional', 'nullable', 'default', 'prefault', 'readonly', 'catch', 'nonoptional']);

export const typeWord = (type: unknown): string => TYPES[String(type)] ?? String(type);

export function definitionOf(schema: unknown): Definition {
  return (schema as { _zod?: { def?: Definition } } | undefined)?._zod?.def ?? {};
}

/** Returns what a schema accepts, such as `{ url }`, `text`, `one of "a", "b"`. */
export function describeSchema(schema: unknown): string {
  const definition = definitionOf(schema);
  const { type } = definition;
  if (type === 'object')
    return `{ ${Object.entries(definition.shape ?? {})
      .map(describeKey)
      .join(', ')} }`;
  if (type === 'literal') return oneOf(definition.values ?? []);
  if (type === 'enum') return oneOf(Object.values(definition.entries ?? {}));
  if (type === 'union') return [...new Set((definition.options ?? []).map(describeSchema))].join(' or ');
  if (type === 'pipe') return describeSchema(definition.in);
  if (type === 'lazy') return describeSchema(definition.getter?.());
  if (type !== undefined && WRAPPERS.has(type)) return describeSchema(definition.innerType);
  return typeWord(type ?? 'another value');
}

const describeKey = ([key, schema]: [string, unknown]): string => {
  const type = definitionOf(schema).type;
  return type === 'optional' || type === 'default' || type === 'prefault' ? `${key}?` : key;
};

export function oneOf(values: readonly unknown[]): string {
  const words = values.slice(0, 24).map((value) => describeValue(value));
  if (values.length > words.length) words.push('…');
  return words.length === 1 ? String(words[0]) : `one of ${words.join(', ')}`;
}

/** Returns a short description of a value as it was found. */
export function describeValue(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${value.length}`;
  if (typeof value === 'object') {
    const keys = Object.keys(value);
    if (keys.length === 0) return 'an empty mapping';
    const shown = keys.slice(0, 6).map((key) => (key.length > 40 ? `${key.slice(0, 40)}…` : key));
    return `a mapping with ${shown.join(', ')}${keys.length > shown.length ? ', …' : ''}`;
  }
  return String(value);
}

/** Returns `issuers[0].keys`, or `the file` for the empty path. */
export function describePath(path: Path): string {
  if (path.length === 0) return 'the file';
  return path.map((step, index) => (typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`)).join('');
}
