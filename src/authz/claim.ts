/**
 * The writing half of authorization: claims are recorded before anything is forwarded, because the upstream starts work
 * and emits events at once. Nobody's is not the same as new: an id that the ledger does not know is looked for upstream.
 */
import type { Owner } from '../model/principal.ts';
import { Rejection } from '../model/rejection.ts';
import { type ResourceKind, type ResourceRef, resourceKey } from '../model/resource.ts';
import { ledgerUnavailable, type OwnershipLookup } from './lookup.ts';
import type { Claim, ClaimOutcome, OwnershipLedger, Settlement } from './ownership.ts';

/** Asks the upstream whether it has an id. Rejects `probe-failed` when that cannot be known. */
export type Presence = (kind: ResourceKind, id: string) => Promise<boolean>;

export interface WantedClaim extends Claim {
  readonly kind: ResourceKind;
}

export interface ClaimDependencies {
  readonly ledger: OwnershipLedger;
  readonly lookup: OwnershipLookup;
  readonly presence: Presence;
}

export interface Claims {
  /** Returns the refs that this request now leans on, or throws a Rejection and leaves nothing claimed. */
  take(wanted: readonly WantedClaim[], owner: Owner, requestId: string): Promise<readonly ResourceRef[]>;
  /** Says what became of the request. A failure of the ledger leaves the claims pending, which is always safe. */
  settle(refs: readonly ResourceRef[], requestId: string, settlement: Settlement): Promise<void>;
  /** Makes tombstones, children included, and lets every cache forget them. Rejects `ledger-unavailable`. */
  release(refs: readonly ResourceRef[], owner: Owner): Promise<void>;
}

export const claims = ({ ledger, lookup, presence }: ClaimDependencies): Claims => ({
  async take(wanted, owner, requestId) {
    const records = await lookup.records(wanted.map((claim) => claim.ref));
    const unknown = wanted.filter((_, index) => records[index] === undefined);
    const present = await Promise.all(unknown.map((claim) => presence(claim.kind, claim.ref.id)));
    const quarantined = unknown[present.indexOf(true)];
    if (quarantined !== undefined) throw quarantine(quarantined.ref);
    let outcome: ClaimOutcome;
    try {
      outcome = await ledger.claim(wanted, owner, requestId);
    } catch (error) {
      throw ledgerUnavailable(error);
    }
    if (!outcome.claimed) throw claimRefusal(outcome);
    return outcome.refs;
  },

  async settle(refs, requestId, settlement) {
    if (refs.length === 0) return;
    await ledger.settle(refs, requestId, settlement);
    if (settlement === 'undone') await lookup.forget(refs);
  },

  async release(refs, owner) {
    try {
      for (const ref of refs) await lookup.forget(await ledger.release(ref, owner));
    } catch (error) {
      throw ledgerUnavailable(error);
    }
  },
});

/** What exists at the upstream, but in no ledger, is not handed to the first comer. */
export const quarantine = (ref: ResourceRef): Rejection =>
  new Rejection('resource-quarantined', `${resourceKey(ref)} exists upstream, but is nobody’s`);

/** Returns the refusal that the ledger's no means. */
export const claimRefusal = ({
  ref,
  because,
}: Pick<Extract<ClaimOutcome, { claimed: false }>, 'ref' | 'because'>): Rejection => {
  const key = resourceKey(ref);
  switch (because) {
    case 'foreign':
      return new Rejection('resource-taken', `${key} is another owner’s`);
    case 'owned':
      return new Rejection('resource-taken', `${key} is the caller’s already, and create needs a new id`);
    case 'deleted':
      return new Rejection('resource-deleted', `${key} was deleted, its id is never given out again`);
    case 'parent':
      return new Rejection('resource-hidden', `the parent of ${key} is not the caller’s`);
  }
};
