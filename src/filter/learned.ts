/** Ids that the server made become the caller's: found where a rule says that an answer names them. */
import { valuesAt } from '../model/field-path.ts';
import type { JsonValue } from '../model/json.ts';
import type { Owner } from '../model/principal.ts';
import { Rejection } from '../model/rejection.ts';
import type { ResourceRef } from '../model/resource.ts';
import type { LearnRule } from '../model/route.ts';
import { MAX_ID_LENGTH } from './list.ts';

/** Records an id that the server made as the caller's. */
export type LearnId = (
  learned: { readonly ref: ResourceRef; readonly parent: undefined; readonly origin: 'response' },
  owner: Owner,
) => Promise<'learned' | 'known' | 'conflict'>;

interface Learner {
  readonly learn: LearnId;
  readonly owner: Owner;
}

/** Resolves when all is recorded, or rejects `answer-unreadable` or `learn-conflict`. */
export const learnFrom = async (
  value: JsonValue,
  rules: readonly LearnRule[],
  { learn, owner }: Learner,
): Promise<void> => {
  for (const { resource, path } of rules) {
    const ids = valuesAt(value, path);
    if (ids.length === 0) throw new Rejection('answer-unreadable', `the answer names no ${resource.name}`);
    for (const id of ids) {
      if (
        typeof id !== 'string' ||
        id.length > MAX_ID_LENGTH ||
        !resource.pattern.test(id) ||
        resource.reserved.has(id)
      ) {
        throw new Rejection('answer-unreadable', `the answer’s ${resource.name} id is not of the expected form`);
      }
      const ref = { kind: resource.name, id };
      const outcome = await learn({ ref, parent: undefined, origin: 'response' }, owner);
      if (outcome === 'conflict') throw new Rejection('learn-conflict', `${resource.name}:${id} is another owner’s`);
    }
  }
};
