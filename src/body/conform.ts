/**
 * Holds a JSON body against the form that its route asks for. Every value is looked at once, by a look-up in what was
 * compiled, so a body costs what its size costs.
 */
import type { BodySchema } from '../model/body-schema.ts';
import type { JsonObject, JsonValue } from '../model/json.ts';
import { Rejection } from '../model/rejection.ts';
import { isRawNumber } from './raw-number.ts';

/** Removes what the schema drops, in place; throws `body-unfit`, with the first place that does not conform, else. */
export const conform = (body: JsonObject, schema: BodySchema): void => {
  const misfit = misfitOf(body, schema);
  if (misfit !== undefined) throw new Rejection('body-unfit', `$${misfit.at}: ${misfit.words}`);
};

interface Misfit {
  /** Below the value that was asked about, as a JSON path. */
  readonly at: string;
  readonly words: string;
}

type Of<T> = Extract<BodySchema, { type: T }>;

const misfitOf = (value: JsonValue, schema: BodySchema): Misfit | undefined => {
  if (value === null && schema.nullable) return undefined;
  switch (schema.type) {
    case 'object':
      return isObject(value) ? misfitOfObject(value, schema) : expected('an object');
    case 'array':
      return Array.isArray(value) ? misfitOfArray(value, schema) : expected('a list');
    case 'string':
      return typeof value === 'string' ? misfitOfText(value, schema) : expected('a text');
    case 'number':
    case 'integer':
      return misfitOfNumber(value, schema);
    case 'boolean':
      return typeof value === 'boolean' ? undefined : expected('true or false');
    case 'any':
      return undefined;
  }
};

const expected = (what: string): Misfit => ({ at: '', words: `expected ${what}` });

const isObject = (value: JsonValue): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !isRawNumber(value);

const misfitOfObject = (value: JsonObject, { properties, required, additional }: Of<'object'>): Misfit | undefined => {
  for (const name of required) {
    if (!Object.hasOwn(value, name)) return { at: step(name), words: 'it is missing' };
  }
  for (const name of Object.keys(value)) {
    const schema = properties.get(name);
    if (schema !== undefined) {
      const misfit = misfitOf(value[name] ?? null, schema);
      if (misfit !== undefined) return { at: step(name) + misfit.at, words: misfit.words };
    } else if (additional === 'refuse') return { at: step(name), words: 'there is no place for it' };
    else if (additional === 'drop') delete value[name];
  }
  return undefined;
};

const misfitOfArray = (value: readonly JsonValue[], { items, maxItems }: Of<'array'>): Misfit | undefined => {
  if (value.length > maxItems) return expected(`at most ${maxItems} elements`);
  if (items === undefined) return undefined;
  for (const [index, element] of value.entries()) {
    const misfit = misfitOf(element, items);
    if (misfit !== undefined) return { at: `[${index}]${misfit.at}`, words: misfit.words };
  }
  return undefined;
};

const misfitOfText = (value: string, schema: Of<'string'>): Misfit | undefined => {
  const { oneOf, minLength, maxLength, pattern } = schema;
  if (value.length > maxLength) return expected(`at most ${maxLength} characters`);
  if (value.length < minLength) return expected(`at least ${minLength} characters`);
  if (oneOf !== undefined && !oneOf.has(value)) return expected('one of the listed texts');
  return pattern === undefined || pattern.test(value) ? undefined : expected('a text of the listed form');
};

const misfitOfNumber = (value: JsonValue, { type, oneOf, min, max }: Of<'number' | 'integer'>): Misfit | undefined => {
  if (typeof value !== 'number' && !isRawNumber(value)) return expected('a number');
  const spelt = typeof value === 'number' ? String(value) : value.rawJSON;
  const number = Number(spelt);
  // An integer by its spelling: `1.0` is one to JavaScript and none to Python.
  if (type === 'integer' && !/^-?\d+$/.test(spelt)) return expected('a whole number');
  if (number < min) return expected(`at least ${min}`);
  if (number > max) return expected(`at most ${max}`);
  return oneOf === undefined || oneOf.has(number) ? undefined : expected('one of the listed numbers');
};

/** A name is the client's own text: in the record it is short, and quoted. */
const step = (name: string): string =>
  /^[A-Za-z_]\w{0,63}$/.test(name) ? `.${name}` : `[${JSON.stringify(name.slice(0, 64))}]`;
