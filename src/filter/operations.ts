/** What a policy can do to a JSON answer on its way to the caller: a table, as rewrite/operations is for requests. */
import { changeAt, REDACTED } from '../model/change-at.ts';
import type { FieldPath } from '../model/json.ts';
import { relativeUrls } from '../model/relative-urls.ts';
import type { AnswerOperation } from '../model/route.ts';
import { userPaths } from './user-paths.ts';

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
