/**
 * What a policy can do to a JSON body on its way to the upstream: a table. To add an operation is to add a row, its
 * schema in policy/schema, and a test. Each row is made once, at load, and changes the body in place.
 */
import { valuesAt } from '../model/field-path.ts';
import type { FieldPath, JsonObject, JsonValue } from '../model/json.ts';
import { Rejection } from '../model/rejection.ts';
import type { BodyOperation, Catalogue, QueryOperation, RewriteContext } from '../model/route.ts';
import { type PathScope, scopedPath, userFolder } from './scope-path.ts';

/** What `set` may take its value from. */
export const sources = {
  'user.id': ({ principal }: RewriteContext) => principal?.owner,
  'user.name': ({ principal }: RewriteContext) => principal?.user,
  'user.roles': ({ principal }: RewriteContext) => principal && [...principal.roles],
} as const satisfies Record<string, (context: RewriteContext) => JsonValue | undefined>;

/** Who is calling, or a constant. */
export type SetSource = keyof typeof sources | { readonly value: JsonValue };

interface CatalogueChoice {
  readonly field: string;
  readonly from: Catalogue;
  /** True: the field is a list, of which the entries that the catalogue has are kept. */
  readonly each: boolean;
}

export const operations = {
  /** Sets top-level fields, whatever the client put there. */
  set:
    (fields: ReadonlyMap<string, SetSource>): BodyOperation =>
    (body, context) => {
      for (const [field, source] of fields) {
        const value = typeof source === 'string' ? sources[source](context) : structuredClone(source.value);
        if (value === undefined) delete body[field];
        else define(body, field, value);
      }
    },

  /** Removes top-level fields. */
  drop:
    (fields: readonly string[]): BodyOperation =>
    (body) => {
      for (const field of fields) delete body[field];
    },

  /** Renames a top-level field. The new name is not the client's: under it, what was judged by the old one would pass. */
  rename:
    ({ from, to }: { readonly from: string; readonly to: string }): BodyOperation =>
    (body) => {
      if (Object.hasOwn(body, to)) throw new Rejection('field-invalid', `${to}: expected ${from} in its place`);
      const value = Object.hasOwn(body, from) ? body[from] : undefined;
      if (value === undefined) return;
      delete body[from];
      define(body, to, value);
    },

  /**
   * Replaces a choice by the upstream's own entry, so that nothing but the choice is the client's: `text_model.url` would
   * send the shared key anywhere (contract, section 6).
   */
  catalogue:
    ({ field, from, each }: CatalogueChoice): BodyOperation =>
    async (body, { catalogue }) => {
      const wanted = Object.hasOwn(body, field) ? body[field] : undefined;
      if (wanted === undefined || wanted === null) return;
      if (each && !Array.isArray(wanted)) throw new Rejection('field-invalid', `${field}: expected a list`);
      const entries = await catalogue(from);
      if (Array.isArray(wanted)) {
        if (!each) throw new Rejection('field-invalid', `${field}: expected an object, found a list`);
        if (wanted.length > MAX_CHOICES)
          throw new Rejection('field-invalid', `${field}: more than ${MAX_CHOICES} entries`);
        const chosen = new Set(wanted.map((choice) => entryFor(from, entries, choice)));
        define(
          body,
          field,
          [...chosen].filter((entry) => entry !== undefined).map((entry) => structuredClone(entry)),
        );
        return;
      }
      const entry = entryFor(from, entries, wanted);
      if (entry === undefined)
        throw new Rejection('catalogue-unknown', `${field} is not in the catalogue ${from.name}`);
      define(body, field, structuredClone(entry));
    },

  /** Every property of this name, at any depth, must be a data URL of an image, or an object whose `url` is one. */
  inline:
    (name: string): BodyOperation =>
    (body) =>
      checkInline(body, name),

  /** Confines the path in a top-level field to the caller's own folder. */
  scopePath:
    (field: string, scope: PathScope): BodyOperation =>
    (body, { principal }) => {
      const given = Object.hasOwn(body, field) ? body[field] : undefined;
      define(body, field, scopedPath(scope, given, principal));
    },
} as const;

/** The same for what a query parameter holds. */
export const scopeQuery =
  (scope: PathScope): QueryOperation =>
  (given, principal) =>
    scopedPath(scope, given, principal);

/** The folder of an owner, by which an answer's paths are told from others'. */
export const folderOf = userFolder;

/** Each choice is looked for in the whole catalogue, and a short one may stand for a long entry. */
const MAX_CHOICES = 1_000;

const entryFor = (from: Catalogue, entries: readonly JsonObject[], choice: JsonValue): JsonObject | undefined =>
  entries.find((candidate) =>
    from.keys.every((key) => {
      const [offered] = valuesAt(candidate, [key]);
      const [chosen] = valuesAt(choice, [key]);
      return typeof chosen === 'string' && chosen === offered;
    }),
  );

const checkInline = (value: JsonValue, name: string): void => {
  if (Array.isArray(value)) {
    for (const element of value) checkInline(element, name);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, member] of Object.entries(value)) {
      if (key === name) requireDataUrl(member, name);
      checkInline(member, name);
    }
  }
};

const URL_PATH: FieldPath = ['url'];

const requireDataUrl = (value: JsonValue, name: string): void => {
  if (value === null) return;
  const url = typeof value === 'string' ? value : valuesAt(value, URL_PATH)[0];
  if (typeof url === 'string' && url.startsWith('data:image/')) return;
  throw new Rejection('image-not-inline', `${name}: expected a data: URL of an image`);
};

/** An assignment would call the setter of `__proto__`. */
const define = (body: JsonObject, field: string, value: JsonValue): void => {
  Object.defineProperty(body, field, { value, writable: true, enumerable: true, configurable: true });
};
