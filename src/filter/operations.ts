/** What a policy can do to a JSON answer on its way to the caller: a table, as rewrite/operations is for requests. */
import { EACH, type FieldPath, type JsonObject, type JsonValue } from '../model/json.ts';
import { relativeUrls } from '../model/relative-urls.ts';
import type { AnswerOperation } from '../model/route.ts';

export const operations = {
  /** Removes the field at the end of the path, wherever it occurs. */
  drop:
    (path: FieldPath): AnswerOperation =>
    (value) => {
      dropAt(value, path, 0);
      return value;
    },

  /** The upstream's absolute URLs of itself (`http://localhost:57988/api/file/…`) become relative, in every text. */
  relative: (paths: readonly string[]): AnswerOperation => relativeUrls(paths),
} as const;

const dropAt = (value: JsonValue, path: FieldPath, depth: number): void => {
  const step = path[depth];
  if (step === undefined || typeof value !== 'object' || value === null) return;
  if (step === EACH) {
    if (Array.isArray(value)) for (const element of value) dropAt(element, path, depth + 1);
    return;
  }
  const holder = value as JsonObject;
  if (Array.isArray(value) || !Object.hasOwn(holder, step)) return;
  if (depth === path.length - 1) delete holder[step];
  else dropAt(holder[step] ?? null, path, depth + 1);
};
