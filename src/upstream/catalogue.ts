/** What the upstream offers (`list_models`, `list_tools`), as entries, out of the copy that everybody shares. */
import type { JsonObject } from '../model/json.ts';
import { Rejection } from '../model/rejection.ts';
import type { Catalogue, CatalogueReader } from '../model/route.ts';
import type { SharedCopies } from './shared-copy.ts';

/** Returns the reader; it rejects `catalogue-unavailable`. Entries are parsed once for each copy. */
export const catalogueReader = (copies: SharedCopies): CatalogueReader => {
  const parsed = new WeakMap<Buffer, readonly JsonObject[]>();
  return async ({ name, target, maxAgeMillis }: Catalogue) => {
    try {
      const { status, body, whole } = await copies.copyOf(target, { maxAgeMillis, staleMillis: 0 });
      if (status !== 200 || !whole) throw new Error(`status ${status}${whole ? '' : ', too large'}`);
      const known = parsed.get(body);
      if (known !== undefined) return known;
      const entries = entriesOf(body);
      parsed.set(body, entries);
      return entries;
    } catch (cause) {
      // A copy that is no list would be as wrong for the next caller.
      copies.forget(target);
      throw new Rejection('catalogue-unavailable', `the catalogue ${name} could not be read: ${String(cause)}`, {
        cause,
      });
    }
  };
};

const entriesOf = (body: Buffer): JsonObject[] => {
  const list = parse(body);
  if (!Array.isArray(list)) throw new Error('a list was expected');
  return list.filter((entry): entry is JsonObject => typeof entry === 'object' && entry !== null);
};

/** The parser's own error would quote the body. */
const parse = (body: Buffer): unknown => {
  try {
    return JSON.parse(body.toString());
  } catch {
    throw new Error('not JSON');
  }
};
