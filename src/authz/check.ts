/** The reading half of authorization: what must already be the caller's, and what must not be another's. */
import type { Owner } from '../model/principal.ts';
import { Rejection } from '../model/rejection.ts';
import { type ResourceRef, resourceKey } from '../model/resource.ts';
import type { CitedIds } from '../model/route.ts';
import type { OwnershipLookup } from './lookup.ts';

/** Throws `resource-hidden` unless every ref is the owner's. Returns at once when all owners are near. */
export const checkOwn = (
  lookup: OwnershipLookup,
  refs: readonly ResourceRef[],
  owner: Owner,
): undefined | Promise<undefined> => {
  const owners = lookup.ownersOf(refs);
  if (owners instanceof Promise) return owners.then((found) => judge(refs, found, owner));
  return judge(refs, owners, owner);
};

const judge = (refs: readonly ResourceRef[], owners: ReadonlyArray<Owner | undefined>, owner: Owner): undefined => {
  let index = 0;
  for (const ref of refs) {
    const found = owners[index];
    index += 1;
    if (found === owner) continue;
    throw new Rejection(
      'resource-hidden',
      `${resourceKey(ref)} is ${found === undefined ? 'nobody’s' : 'another owner’s'}`,
    );
  }
};

/** Throws `resource-hidden` unless the ledger itself, not a cache, says that every ref is the owner's and alive. */
export const checkOwnInLedger = async (
  lookup: OwnershipLookup,
  refs: readonly ResourceRef[],
  owner: Owner,
): Promise<void> => {
  const records = await lookup.records(refs);
  judge(
    refs,
    records.map((record) => (record?.state === 'deleted' ? undefined : record?.owner)),
    owner,
  );
};

/**
 * Throws `reference-foreign` when a text cites what is not the caller's. The ledger is asked, because a tombstone is no
 * answer to "whose is it" but its bytes are still at the upstream (contract, section 3, canvas delete).
 */
export const checkReferences = async (lookup: OwnershipLookup, cited: CitedIds, owner: Owner): Promise<void> => {
  const refs = [...cited.mustOwn, ...cited.mustNotBeForeign];
  if (refs.length === 0) return;
  const records = await lookup.records(refs);
  for (const [index, ref] of refs.entries()) {
    const record = records[index];
    if (record === undefined && index >= cited.mustOwn.length) continue;
    if (record?.owner === owner && record.state !== 'deleted') continue;
    const whose = record === undefined ? 'nobody’s' : record.owner === owner ? 'deleted' : 'another owner’s';
    throw new Rejection('reference-foreign', `the body cites ${resourceKey(ref)}, which is ${whose}`);
  }
};
