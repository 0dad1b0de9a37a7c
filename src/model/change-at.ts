/** Changes what stands at a place in a JSON value, in place: what answers and live events hide is hidden alike. */
import { isObject } from './field-path.ts';
import { EACH, EVERY, type FieldPath, type JsonValue } from './json.ts';

/** What is shown in place of a value that is not: that there is one. */
export const REDACTED = '[redacted]';

export type Holder = Record<string | number, JsonValue>;

/** Calls `change` with what holds each value at the path, and with its key or index there. */
export const changeAt = (
  value: JsonValue,
  path: FieldPath,
  change: (holder: Holder, key: string | number) => void,
): void => {
  const [step, ...rest] = path;
  if (step === undefined) return;
  for (const key of keysAt(value, step)) {
    const holder = value as Holder;
    if (rest.length === 0) change(holder, key);
    else changeAt(holder[key] ?? null, rest, change);
  }
};

const keysAt = (value: JsonValue, step: FieldPath[number]): ReadonlyArray<string | number> => {
  if (step === EACH) return Array.isArray(value) ? [...value.keys()] : [];
  if (!isObject(value)) return [];
  if (step === EVERY) return Object.keys(value);
  return Object.hasOwn(value, step) ? [step] : [];
};
