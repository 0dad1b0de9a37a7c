/** The way to a place in a JSON value: `a.*.b[*].c` is compiled once and followed without ever leaving own properties. */
import { EACH, EVERY, type FieldPath, type JsonObject, type JsonValue } from './json.ts';

const EACH_TEXT = '[*]';
const EVERY_TEXT = '*';
const KEY = /^[^.[\]$*\s]+$/;

/** Returns the steps of `a.*.b[*].c` (`[*].id` begins at an array), or throws a TypeError that says what is wrong. */
export const parseFieldPath = (text: string): FieldPath => {
  const steps: Array<FieldPath[number]> = [];
  for (const [index, part] of text.split('.').entries()) {
    const key = part.replace(/(?:\[\*\])+$/, '');
    if (key === '' ? index > 0 || part === '' : key !== EVERY_TEXT && !KEY.test(key)) {
      throw new TypeError(`Not a field path: ${JSON.stringify(text)}`);
    }
    if (key !== '') steps.push(key === EVERY_TEXT ? EVERY : key);
    for (let rest = part.length - key.length; rest > 0; rest -= EACH_TEXT.length) steps.push(EACH);
  }
  return steps;
};

/**
 * Returns every value at the path, in document order; none where a key is missing. A key is an own property of an
 * object, never of an array or of a prototype, so `constructor` and `__proto__` lead nowhere unless the text has them.
 */
export const valuesAt = (value: JsonValue, path: FieldPath): JsonValue[] => {
  const found: JsonValue[] = [];
  follow({ path, found }, value, 0);
  return found;
};

/** Returns the text of a field path as it is written in a policy. */
export const fieldPathText = (path: FieldPath): string =>
  path.reduce<string>((text, step) => {
    if (step === EACH) return `${text}[*]`;
    const word = step === EVERY ? EVERY_TEXT : step;
    return text === '' ? word : `${text}.${word}`;
  }, '');

/** Returns whether the path may lead to several places. */
export const isManifold = (path: FieldPath): boolean => path.some((step) => typeof step !== 'string');

interface Walk {
  readonly path: FieldPath;
  readonly found: JsonValue[];
}

const follow = (walk: Walk, value: JsonValue, depth: number): void => {
  const step = walk.path[depth];
  if (step === undefined) {
    walk.found.push(value);
  } else if (step === EACH) {
    if (Array.isArray(value)) for (const element of value) follow(walk, element, depth + 1);
  } else if (step === EVERY) {
    if (isObject(value)) for (const member of Object.values(value)) follow(walk, member, depth + 1);
  } else if (isObject(value) && Object.hasOwn(value, step)) {
    const next = value[step];
    if (next !== undefined) follow(walk, next, depth + 1);
  }
};

/** A number that is kept verbatim is an object only in JavaScript: `JSON.rawJSON` freezes it, and no parser freezes. */
export const isObject = (value: JsonValue): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !Object.isFrozen(value);
