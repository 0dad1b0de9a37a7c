/** What a policy can do to a JSON answer on its way to the caller: a table, as rewrite/operations is for requests. */
import { isObject } from '../model/field-path.ts';
import { EACH, EVERY, type FieldPath, type JsonValue } from '../model/json.ts';
import { relativeUrls } from '../model/relative-urls.ts';
import type { AnswerOperation } from '../model/route.ts';
import { userPaths } from './user-paths.ts';

const REDACTED = '[redacted]';

export const operations = {
  /** Removes the field at the end of the path, wherever it occurs. */
  drop:
    (path: FieldPath): AnswerOperation =>
    (value) => {
      changeAt(value, path, (holder, key) => delete holder[key]);
      return value;
    },

  /** Shows that there is a value at the path, and not which. */
  redact:
    (path: FieldPath): AnswerOperation =>
    (value) => {
      changeAt(value, path, (holder, key) => {
        holder[key] = REDACTED;
      });
      return value;
    },

  /** The upstream's absolute URLs of itself (`http://localhost:57988/api/file/…`) become relative, in every text. */
  relative: (paths: readonly string[]): AnswerOperation => relativeUrls(paths),

  /** Shows the caller's paths as the caller gives them, and none of the host's. */
  userPaths,
} as const;

type Holder = Record<string | number, JsonValue>;

/** Calls `change` with what holds each value at the path, and with its key or index there. */
const changeAt = (value: JsonValue, path: FieldPath, change: (holder: Holder, key: string | number) => void): void => {
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
