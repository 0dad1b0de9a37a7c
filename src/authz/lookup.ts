/**
 * Owners, fast: the near map, then the cache that all replicas have in common, then the ledger. Only positive facts are
 * kept. What writes or deletes does not ask here but the ledger itself.
 */
import type { Owner } from '../model/principal.ts';
import { Rejection } from '../model/rejection.ts';
import { type OwnershipRecord, type ResourceRef, resourceKey } from '../model/resource.ts';
import type { NearOwnershipCache, OwnershipLedger, SharedOwnershipCache } from './ownership.ts';

export interface OwnershipLookup {
  /** Returns the living owner of each ref, or undefined; at once when all are near. Rejects `ledger-unavailable`. */
  ownersOf(refs: readonly ResourceRef[]): ReadonlyArray<Owner | undefined> | Promise<ReadonlyArray<Owner | undefined>>;
  /** Returns the ledger's own records, tombstones included. Rejects `ledger-unavailable`. */
  records(refs: readonly ResourceRef[]): Promise<ReadonlyArray<OwnershipRecord | undefined>>;
  /** Owners changed or ceased: forgets them here and on every replica. */
  forget(refs: readonly ResourceRef[]): Promise<void>;
}

interface LookupOptions {
  readonly ledger: OwnershipLedger;
  readonly near: NearOwnershipCache;
  readonly common: SharedOwnershipCache | undefined;
}

/** Wraps a failure of the ledger into the refusal that it means. */
export const ledgerUnavailable = (cause: unknown): Rejection =>
  cause instanceof Rejection ? cause : new Rejection('ledger-unavailable', `ledger: ${String(cause)}`, { cause });

export const ownershipLookup = ({ ledger, near, common }: LookupOptions): OwnershipLookup => {
  common?.onInvalidate((refs) => {
    if (refs === 'everything') near.clear();
    else for (const ref of refs) near.delete(resourceKey(ref));
  });

  const records = async (refs: readonly ResourceRef[]): Promise<ReadonlyArray<OwnershipRecord | undefined>> => {
    try {
      return await ledger.find(refs);
    } catch (error) {
      throw ledgerUnavailable(error);
    }
  };

  const fromLedger = async (refs: readonly ResourceRef[], mark: number): Promise<Map<string, Owner>> => {
    const owners = new Map<string, Owner>();
    for (const record of await records(refs)) {
      if (record === undefined || record.state === 'deleted') continue;
      const key = resourceKey(record);
      owners.set(key, record.owner);
      near.set(key, record.owner, mark);
      common?.fill(record, record.owner);
    }
    return owners;
  };

  const lookUp = async (
    refs: readonly ResourceRef[],
    known: Array<Owner | undefined>,
  ): Promise<ReadonlyArray<Owner | undefined>> => {
    const mark = near.mark();
    let missing = refs.filter((_, index) => known[index] === undefined);
    const owners = new Map<string, Owner>();
    if (common !== undefined) {
      const found = await common.get(missing);
      for (const [index, ref] of missing.entries()) {
        const owner = found[index];
        if (owner === undefined) continue;
        owners.set(resourceKey(ref), owner);
        near.set(resourceKey(ref), owner, mark);
      }
      missing = missing.filter((ref) => !owners.has(resourceKey(ref)));
    }
    if (missing.length > 0) for (const [key, owner] of await fromLedger(missing, mark)) owners.set(key, owner);
    return refs.map((ref, index) => known[index] ?? owners.get(resourceKey(ref)));
  };

  return {
    records,
    ownersOf(refs) {
      const known: Array<Owner | undefined> = [];
      let complete = true;
      for (const ref of refs) {
        const owner = near.get(resourceKey(ref));
        known.push(owner);
        if (owner === undefined) complete = false;
      }
      return complete ? known : lookUp(refs, known);
    },
    async forget(refs) {
      for (const ref of refs) near.delete(resourceKey(ref));
      await common?.invalidate(refs);
    },
  };
};
