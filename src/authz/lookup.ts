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

export const ownershipLookup = (options: LookupOptions): OwnershipLookup => {
  const { ledger, near, common } = options;
  common?.onInvalidate((refs) => {
    if (refs === 'everything') near.clear();
    else for (const ref of refs) near.delete(ref);
  });
  const lookUp = fartherOwners(options);

  return {
    records: (refs) => readRecords(ledger, refs),
    ownersOf(refs) {
      const known: Array<Owner | undefined> = [];
      let complete = true;
      for (const ref of refs) {
        const owner = near.get(ref);
        known.push(owner);
        if (owner === undefined) complete = false;
      }
      return complete ? known : lookUp(refs, known);
    },
    async forget(refs) {
      const forgetNear = (): void => {
        for (const ref of refs) near.delete(ref);
      };
      forgetNear();
      if (common === undefined) return;
      await common.invalidate(refs);
      // Meanwhile the common cache may have told the former owner once more.
      forgetNear();
    },
  };
};

type Owners = ReadonlyArray<Owner | undefined>;

/** Returns the look-up of what is not near: first where all replicas remember, then in the ledger. */
const fartherOwners = ({ ledger, near, common }: LookupOptions) => {
  const fromCommon = async (refs: readonly ResourceRef[], mark: number): Promise<Map<string, Owner>> => {
    const owners = new Map<string, Owner>();
    const found = (await common?.get(refs)) ?? [];
    for (const [index, ref] of refs.entries()) {
      const owner = found[index];
      if (owner === undefined) continue;
      owners.set(resourceKey(ref), owner);
      near.set(ref, owner, mark);
    }
    return owners;
  };

  const fromLedger = async (refs: readonly ResourceRef[], mark: number): Promise<Map<string, Owner>> => {
    const owners = new Map<string, Owner>();
    for (const record of await readRecords(ledger, refs)) {
      if (record === undefined || record.state === 'deleted') continue;
      owners.set(resourceKey(record), record.owner);
      near.set(record, record.owner, mark);
      common?.fill(record, record.owner);
    }
    return owners;
  };

  return async (refs: readonly ResourceRef[], known: Owners): Promise<Owners> => {
    // Taken before anything is read: what changes from here on must not be remembered as it was.
    const mark = near.mark();
    const missing = refs.filter((_, index) => known[index] === undefined);
    const remembered = await fromCommon(missing, mark);
    const unknown = missing.filter((ref) => !remembered.has(resourceKey(ref)));
    const recorded = unknown.length === 0 ? remembered : await fromLedger(unknown, mark);
    return refs.map((ref, index) => {
      const key = resourceKey(ref);
      return known[index] ?? remembered.get(key) ?? recorded.get(key);
    });
  };
};

const readRecords = async (
  ledger: OwnershipLedger,
  refs: readonly ResourceRef[],
): Promise<ReadonlyArray<OwnershipRecord | undefined>> => {
  try {
    return await ledger.find(refs);
  } catch (error) {
    throw ledgerUnavailable(error);
  }
};
