/**
 * An answer about files shows the caller's paths as the caller gives them: below the own folder, of which nobody is told
 * where it is. The upstream answers with paths of its host; one that is not of this folder is nobody's to see.
 */
import { isObject } from '../model/field-path.ts';
import type { JsonObject, JsonValue } from '../model/json.ts';
import type { Owner } from '../model/principal.ts';
import { Rejection } from '../model/rejection.ts';
import type { AnswerOperation } from '../model/route.ts';

/** `path`: a path in the caller's folder. `text`: a sentence that may quote some. `plain`: shown as it is. */
export type Shown = 'path' | 'text' | 'plain';

export interface UserPaths {
  /** Of the answer, or of each row of the answer, these fields are shown and no others. */
  readonly fields: ReadonlyMap<string, Shown>;
  readonly root: string;
  readonly folderOf: (owner: Owner) => string;
}

/** Returns the operation. It throws `answer-unreadable` where a path leads anywhere else, and nothing is shown. */
export const userPaths =
  ({ fields, root, folderOf }: UserPaths): AnswerOperation =>
  (value, owner) => {
    if (owner === undefined) throw unreadable('nobody is known whose paths the answer could name');
    const own: Own = { root, folder: `${root}/${folderOf(owner)}` };
    const row = (found: JsonValue): JsonObject => {
      if (!isObject(found)) throw unreadable('no object');
      const shown: Array<[string, JsonValue]> = [];
      for (const [name, as] of fields) {
        const field = Object.hasOwn(found, name) ? found[name] : undefined;
        if (field !== undefined) shown.push([name, SHOW[as](field, own)]);
      }
      // By definition, not by assignment: `__proto__` is a name like any other.
      return Object.fromEntries(shown);
    };
    return Array.isArray(value) ? value.map(row) : row(value);
  };

interface Own {
  readonly root: string;
  readonly folder: string;
}

/** A path after white space or a quote: what is left of them when the caller's own are relative is not the caller's. */
const ABSOLUTE = /(?:^|[\s'"])\//;

const SHOW: Readonly<Record<Shown, (value: JsonValue, own: Own) => JsonValue>> = {
  plain: (value) => value,
  path: (value, { root, folder }) => {
    if (typeof value !== 'string') throw unreadable('a path is not a text');
    // What the upstream made itself, it tells relative to its own workspace.
    const path = value.startsWith('/') ? value : `${root}/${value}`;
    if (path === folder) return '';
    if (!path.startsWith(`${folder}/`)) throw unreadable('a path outside of the caller’s folder');
    const names = path.slice(folder.length + 1).split('/');
    if (names.some((name) => name === '' || name === '.' || name === '..'))
      throw unreadable('a path that is not plain');
    return names.join('/');
  },
  text: (value, { root, folder }) => {
    if (typeof value !== 'string') throw unreadable('a text is something else');
    const text = value.replaceAll(`${folder}/`, '').replaceAll(folder, '.');
    if (text.includes(root) || ABSOLUTE.test(text)) throw unreadable('a text with a path of the host');
    return text;
  },
};

const unreadable = (what: string): Rejection => new Rejection('answer-unreadable', `the answer’s paths: ${what}`);
