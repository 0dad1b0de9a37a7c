/** One shared copy of what the upstream offers (`list_models`, `list_tools`), however many requests ask for it. */
import type { JsonObject } from '../model/json.ts';
import { Rejection } from '../model/rejection.ts';
import type { Catalogue, CatalogueReader } from '../model/route.ts';
import type { Origin } from './origin.ts';

const MAX_BYTES = 8 * 1024 * 1024;

interface Copy {
  readonly entries: Promise<readonly JsonObject[]>;
  readonly until: number;
}

/** Returns the reader; it rejects `catalogue-unavailable`. A failed read is not kept. */
export const catalogueReader = (origin: Pick<Origin, 'read'>, now: () => number = Date.now): CatalogueReader => {
  const copies = new Map<string, Copy>();
  return (catalogue) => {
    const copy = copies.get(catalogue.target);
    if (copy !== undefined && now() < copy.until) return copy.entries;
    const entries = readEntries(origin, catalogue);
    copies.set(catalogue.target, { entries, until: now() + catalogue.maxAgeMillis });
    entries.catch(() => copies.delete(catalogue.target));
    return entries;
  };
};

const readEntries = async (origin: Pick<Origin, 'read'>, { name, target }: Catalogue): Promise<JsonObject[]> => {
  try {
    const { status, body, whole } = await origin.read(target, MAX_BYTES);
    if (status !== 200 || !whole) throw new Error(`status ${status}${whole ? '' : ', too large'}`);
    const parsed = parse(body);
    if (!Array.isArray(parsed)) throw new Error('a list was expected');
    return parsed.filter((entry): entry is JsonObject => typeof entry === 'object' && entry !== null);
  } catch (cause) {
    throw new Rejection('catalogue-unavailable', `the catalogue ${name} could not be read: ${String(cause)}`, {
      cause,
    });
  }
};

/** The parser's own error would quote the body. */
const parse = (body: Buffer): unknown => {
  try {
    return JSON.parse(body.toString());
  } catch {
    throw new Error('not JSON');
  }
};
