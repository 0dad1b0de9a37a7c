/** The form that a route's JSON body must have, compiled: what body/conform walks along with the value. */

export type BodySchema = { readonly nullable: boolean } & (
  | ObjectSchema
  | { readonly type: 'array'; readonly items: BodySchema | undefined; readonly maxItems: number }
  | {
      readonly type: 'string';
      readonly oneOf: ReadonlySet<string> | undefined;
      readonly minLength: number;
      readonly maxLength: number;
      /** Anchored at both ends; asked only about texts of `maxLength` at most. */
      readonly pattern: RegExp | undefined;
    }
  | {
      readonly type: 'number' | 'integer';
      readonly oneOf: ReadonlySet<number> | undefined;
      readonly min: number;
      readonly max: number;
    }
  | { readonly type: 'boolean' }
  | { readonly type: 'any' }
);

interface ObjectSchema {
  readonly type: 'object';
  readonly properties: ReadonlyMap<string, BodySchema>;
  readonly required: readonly string[];
  /** What becomes of properties that are not listed. */
  readonly additional: 'allow' | 'drop' | 'refuse';
}
