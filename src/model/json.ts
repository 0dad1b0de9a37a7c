/**
 * JSON as the strict reader returns it (body/json). Numbers that JavaScript would write differently are kept verbatim
 * as `JSON.rawJSON` objects; they are never strings, so they can never be ids.
 */
export type JsonValue = string | number | boolean | null | RawNumber | JsonObject | readonly JsonValue[];

/** What `JSON.rawJSON('1.0')` returns: an opaque, frozen object that JSON.stringify writes as its text. */
export interface RawNumber {
  readonly rawJSON: string;
}

export interface JsonObject {
  [key: string]: JsonValue;
}

/** The steps to a place in a JSON value, compiled from `a.*.b[*].c`: a key, every element of an array, every property. */
export type FieldPath = ReadonlyArray<string | typeof EACH | typeof EVERY>;

/** The step `[*]`. */
export const EACH = Symbol('each');

/** The step `*`: the value of every property of an object. */
export const EVERY = Symbol('every');
