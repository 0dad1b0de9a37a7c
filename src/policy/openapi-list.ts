/** The upstream's own list of its routes, as OpenAPI 3 tells it: only what a policy can be held against, the rest unread. */

export interface Parameter {
  readonly in: string;
  readonly name: string;
  readonly required: boolean;
  /** The JSON type, where the list says one. */
  readonly type: string | undefined;
}

export interface Operation {
  readonly method: string;
  readonly path: string;
  /** A literal, or undefined for what may vary. */
  readonly segments: ReadonlyArray<string | undefined>;
  readonly parameters: readonly Parameter[];
  /** Undefined where the list is silent: such a route may read a body all the same. */
  readonly body: OperationBody | undefined;
}

export interface OperationBody {
  readonly required: boolean;
  /** The names of the fields by media type; undefined where the list does not say them. */
  readonly fields: ReadonlyMap<string, readonly string[] | undefined>;
}

type Table = Readonly<Record<string, unknown>>;

const METHODS = ['get', 'head', 'post', 'put', 'patch', 'delete', 'options'];

/** Returns every operation of a parsed document, or what is wrong with it. */
export const readOperations = (
  document: unknown,
): { readonly operations: readonly Operation[] } | { readonly problem: string } => {
  const root = table(document);
  if (root === undefined || typeof root.openapi !== 'string' || !root.openapi.startsWith('3.')) {
    return { problem: 'it is not an OpenAPI 3 document: `openapi: 3.…` is missing' };
  }
  const paths = table(root.paths);
  if (paths === undefined) return { problem: 'it lists no `paths`' };
  const operations = Object.entries(paths).flatMap(([path, item]) => {
    const methods = table(item) ?? {};
    const common = list(methods.parameters);
    return METHODS.flatMap((method) => {
      const written = Object.hasOwn(methods, method) ? table(methods[method]) : undefined;
      return written === undefined ? [] : [operation({ root, method, path, written, common })];
    });
  });
  return { operations };
};

interface Found {
  readonly root: Table;
  readonly method: string;
  readonly path: string;
  readonly written: Table;
  readonly common: readonly unknown[];
}

const operation = ({ root, method, path, written, common }: Found): Operation => ({
  method: method.toUpperCase(),
  path,
  segments: path === '/' ? [] : path.slice(1).split('/').map(segmentOf),
  parameters: [...common, ...list(written.parameters)].flatMap((one) => parameterOf(resolve(root, one), root)),
  body: bodyOf(resolve(root, written.requestBody), root),
});

/** Returns a segment of a path: undefined for a parameter. */
export const segmentOf = (text: string): string | undefined => (text.includes('{') ? undefined : text);

const parameterOf = (written: Table | undefined, root: Table): Parameter[] => {
  if (typeof written?.name !== 'string' || typeof written.in !== 'string') return [];
  const { type } = resolve(root, written.schema) ?? {};
  const { name, in: place, required } = written;
  return [{ in: place, name, required: required === true, type: typeof type === 'string' ? type : undefined }];
};

const bodyOf = (written: Table | undefined, root: Table): OperationBody | undefined => {
  const content = table(written?.content);
  if (written === undefined || content === undefined) return undefined;
  const fields = Object.entries(content).map(([type, media]): [string, readonly string[] | undefined] => {
    const properties = table(resolve(root, table(media)?.schema)?.properties);
    return [(type.split(';')[0] ?? type).trim().toLowerCase(), properties && Object.keys(properties)];
  });
  return { required: written.required === true, fields: new Map(fields) };
};

/** A reference inside the document is followed once: one that leads to another reference is of no use here. */
const resolve = (root: Table, value: unknown): Table | undefined => {
  const written = table(value);
  const reference = written?.$ref;
  if (typeof reference !== 'string') return written;
  if (!reference.startsWith('#/')) return undefined;
  let place: unknown = root;
  for (const step of reference.slice(2).split('/')) {
    place = table(place)?.[step.replaceAll('~1', '/').replaceAll('~0', '~')];
  }
  return table(place);
};

const table = (value: unknown): Table | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Table) : undefined;

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
