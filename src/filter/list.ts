/** Lists show the caller's own rows only. A row whose id cannot be read is not the caller's. */

import { valuesAt } from '../model/field-path.ts';
import { EACH, type FieldPath, type JsonValue } from '../model/json.ts';
import type { Owner } from '../model/principal.ts';
import { Rejection } from '../model/rejection.ts';
import type { ResourceRef } from '../model/resource.ts';
import type { KeepRule } from '../model/route.ts';

/** Returns the owner of each ref, or undefined. */
export type OwnersOf = (
  refs: readonly ResourceRef[],
) => ReadonlyArray<Owner | undefined> | Promise<ReadonlyArray<Owner | undefined>>;

interface Caller {
  readonly owner: Owner;
  readonly ownersOf: OwnersOf;
}

/** Removes the rows that are not the owner's, in place; throws `answer-unreadable` where a list is something else. */
export const keepOwn = async (value: JsonValue, rule: KeepRule, { owner, ownersOf }: Caller): Promise<void> => {
  const lists = listsAt(value, rule.list);
  for (const list of lists) {
    const ids = list.map((row) => rowId(row, rule));
    const refs = ids.filter((id) => id !== undefined).map((id) => ({ kind: rule.resource.name, id }));
    const owners = refs.length === 0 ? [] : await ownersOf(refs);
    let next = 0;
    const kept = list.filter((_, index) => ids[index] !== undefined && owners[next++] === owner);
    for (const [index, row] of kept.entries()) list[index] = row;
    list.length = kept.length;
  }
};

const rowId = (row: JsonValue, { resource, id }: KeepRule): string | undefined => {
  const [found, ...others] = valuesAt(row, id);
  // Of several values only one would be judged.
  if (others.length > 0) return undefined;
  return typeof found === 'string' && resource.pattern.test(found) && !resource.reserved.has(found) ? found : undefined;
};

/** Every value at the path must be a list; a path that leads nowhere is an unexpected shape too. */
const listsAt = (value: JsonValue, path: FieldPath): JsonValue[][] => {
  const found = valuesAt(value, path);
  if (found.length === 0 && !path.includes(EACH)) throw new Rejection('answer-unreadable', 'the list is missing');
  return found.map((list) => {
    if (!Array.isArray(list)) throw new Rejection('answer-unreadable', 'a list was expected, something else was found');
    return list;
  });
};
