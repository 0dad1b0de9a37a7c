/** Lists and mappings show the caller's own entries only. An entry whose id cannot be read is not the caller's. */
import { isObject, valuesAt } from '../model/field-path.ts';
import { EACH, type FieldPath, type JsonObject, type JsonValue } from '../model/json.ts';
import type { Owner } from '../model/principal.ts';
import { Rejection } from '../model/rejection.ts';
import type { ResourceRef } from '../model/resource.ts';
import type { KeepRule } from '../model/route.ts';

/** Returns the owner of each ref, or undefined. */
export type OwnersOf = (
  refs: readonly ResourceRef[],
) => ReadonlyArray<Owner | undefined> | Promise<ReadonlyArray<Owner | undefined>>;

/** As in authz/locate: what is longer is no id. */
export const MAX_ID_LENGTH = 256;

interface Caller {
  readonly owner: Owner;
  readonly ownersOf: OwnersOf;
}

/** What holds entries, and its keys or indices beside what stands there. */
interface Holder {
  readonly entries: ReadonlyArray<readonly [key: string, value: JsonValue]>;
  /** Leaves the entries for which the function, asked once for each in order, returns true. */
  keep(isKept: () => boolean): void;
}

/** Removes the entries that are not the owner's, in place; throws `answer-unreadable` where the shape is another. */
export const keepOwn = async (value: JsonValue, rule: KeepRule, { owner, ownersOf }: Caller): Promise<void> => {
  const holders = holdersAt(value, rule);
  const ids = holders.flatMap(({ entries }) => entries.map(([key, entry]) => entryId(rule, key, entry)));
  const refs = ids.filter((id) => id !== undefined).map((id) => ({ kind: rule.resource.name, id }));
  const owners = refs.length === 0 ? [] : await ownersOf(refs);
  let next = 0;
  let nextOwner = 0;
  const isOwn = (): boolean => ids[next++] !== undefined && owners[nextOwner++] === owner;
  for (const holder of holders) holder.keep(isOwn);
};

const entryId = ({ resource, id }: KeepRule, key: string, entry: JsonValue): string | undefined => {
  const [found, ...others] = id === undefined ? [key] : valuesAt(entry, id);
  // Of several values only one would be judged.
  if (others.length > 0) return undefined;
  // The key of an entry may be as long as the answer, and the grammar is for short texts.
  if (typeof found !== 'string' || found.length > MAX_ID_LENGTH) return undefined;
  return resource.pattern.test(found) && !resource.reserved.has(found) ? found : undefined;
};

/** A path that leads nowhere is an unexpected shape too, and so is everything but the shape that was said. */
const holdersAt = (value: JsonValue, rule: KeepRule): Holder[] =>
  placesAt(value, rule.list, false).map((holder) => {
    if (rule.in === 'list' && Array.isArray(holder)) return listHolder(holder);
    if (rule.in === 'mapping' && isObject(holder)) return mappingHolder(holder);
    throw unexpected(`a ${rule.in} was expected, something else was found`);
  });

/** What is of another shape on the way could hold entries that nobody would judge; a plain value among `many` holds none. */
const placesAt = (value: JsonValue, [step, ...rest]: FieldPath, many: boolean): JsonValue[] => {
  if (step === undefined) return [value];
  if (step === EACH ? !Array.isArray(value) : !isObject(value)) {
    if (many && !Array.isArray(value) && !isObject(value)) return [];
    throw unexpected('what was expected around the entries is missing, or something else');
  }
  if (typeof step === 'string') {
    const next = Object.hasOwn(value as JsonObject, step) ? (value as JsonObject)[step] : undefined;
    if (next !== undefined) return placesAt(next, rest, many);
    if (many) return [];
    throw unexpected(`${step} is missing around the entries`);
  }
  return Object.values(value as object).flatMap((one: JsonValue) => placesAt(one, rest, true));
};

const unexpected = (what: string): Rejection => new Rejection('answer-unreadable', what);

const listHolder = (list: JsonValue[]): Holder => ({
  entries: list.map((entry) => ['', entry]),
  keep(isKept) {
    const kept = list.filter(isKept);
    for (const [index, entry] of kept.entries()) list[index] = entry;
    list.length = kept.length;
  },
});

const mappingHolder = (mapping: JsonObject): Holder => ({
  entries: Object.entries(mapping),
  keep(isKept) {
    for (const key of Object.keys(mapping)) if (!isKept()) delete mapping[key];
  },
});
