/** Ids that the server made become the owner's: from answers, and from events. Never from a text of a client. */
import type { Owner } from '../model/principal.ts';
import type { OwnershipOrigin, ResourceRef } from '../model/resource.ts';
import { ledgerUnavailable } from './lookup.ts';
import type { OwnershipLedger } from './ownership.ts';

export type Learn = (
  learned: { readonly ref: ResourceRef; readonly parent: ResourceRef | undefined; readonly origin: OwnershipOrigin },
  owner: Owner,
) => Promise<'learned' | 'known' | 'conflict'>;

/** Returns the learner; it rejects `ledger-unavailable`. */
export const learn =
  (ledger: OwnershipLedger): Learn =>
  async (learned, owner) => {
    try {
      return await ledger.learn(learned, owner);
    } catch (error) {
      throw ledgerUnavailable(error);
    }
  };
