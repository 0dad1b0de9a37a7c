/** What a policy may ask after `when`: a table of typed questions about one request. Each is compiled at load. */
import { isObject, valuesAt } from './field-path.ts';
import type { FieldPath, JsonObject, JsonValue } from './json.ts';
import type { Principal } from './principal.ts';
import type { CanonicalRequest } from './request.ts';

/** What a condition may look at. */
export interface Circumstances {
  /** Undefined where the condition can only ask for the caller. */
  readonly canonical: CanonicalRequest | undefined;
  /** Undefined where the request carries no JSON. */
  readonly body: JsonObject | undefined;
  /** Undefined where nobody is known. */
  readonly principal: Principal | undefined;
}

/** Never throws: what is missing or of another type is no match. */
export type Condition = (circumstances: Circumstances) => boolean;

type Scalar = string | number | boolean | null;

export const conditions = {
  role:
    (name: string): Condition =>
    ({ principal }) =>
      principal?.roles.includes(name) ?? false,

  header:
    (name: string, accepted: ReadonlySet<string>): Condition =>
    ({ canonical }) =>
      has(accepted, canonical?.headers.get(name)),

  query:
    (name: string, accepted: ReadonlySet<string>): Condition =>
    ({ canonical }) =>
      has(accepted, canonical?.query.get(name)),

  body:
    (path: FieldPath, accepted: ReadonlySet<Scalar>): Condition =>
    ({ body }) =>
      body !== undefined && valuesAt(body, path).some((value) => has(accepted, scalarOf(value))),

  present:
    (path: FieldPath, wanted: boolean): Condition =>
    ({ body }) =>
      (body !== undefined && valuesAt(body, path).length > 0) === wanted,

  all:
    (parts: readonly Condition[]): Condition =>
    (circumstances) =>
      parts.every((part) => part(circumstances)),

  any:
    (parts: readonly Condition[]): Condition =>
    (circumstances) =>
      parts.some((part) => part(circumstances)),

  not:
    (part: Condition): Condition =>
    (circumstances) =>
      !part(circumstances),
} as const;

const has = <T>(accepted: ReadonlySet<T>, value: T | undefined): boolean => value !== undefined && accepted.has(value);

/** Returns what can be compared; a number that is kept verbatim (`1.0`) is compared as the number that it is. */
const scalarOf = (value: JsonValue): Scalar | undefined => {
  if (typeof value !== 'object' || value === null) return value;
  return 'rawJSON' in value && !isObject(value) ? Number(value.rawJSON) : undefined;
};
