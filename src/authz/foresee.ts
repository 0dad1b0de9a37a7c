/**
 * What claims would come to, refusing nothing. It is asked before the request is forwarded, because afterwards nobody
 * could tell an id that the request made from one that was there before; only the former becomes the caller's.
 */
import { type Evidence, judging } from '../model/evidence.ts';
import type { FreshRef } from '../model/grant.ts';
import type { Owner } from '../model/principal.ts';
import { type OwnershipRecord, type ResourceRef, resourceKey } from '../model/resource.ts';
import { type ClaimDependencies, claimRefusal, quarantine, type WantedClaim } from './claim.ts';
import { ledgerUnavailable } from './lookup.ts';
import type { ClaimOutcome } from './ownership.ts';

export interface Foresight {
  /** Resolves to the ids that are new and would be claimed; what would be refused is in the evidence. Never rejects. */
  claims(wanted: readonly WantedClaim[], owner: Owner, evidence: Evidence): Promise<readonly FreshRef[]>;
  /**
   * Holds new ids for the caller while the server works on them: nobody else takes them meanwhile, and what the server
   * makes in them is the caller's. Resolves to those that nobody else took; of a kind without a probe nobody knows what
   * was there before.
   */
  hold(fresh: readonly FreshRef[], owner: Owner, requestId: string): Promise<readonly ResourceRef[]>;
  /** Makes ids that turned out to be the request's own work its caller's, or gives them back. */
  settle(held: readonly ResourceRef[], requestId: string, made: boolean): Promise<void>;
}

type Records = ReadonlyMap<string, OwnershipRecord>;
type Because = Extract<ClaimOutcome, { claimed: false }>['because'];

export const foresight = ({ ledger, lookup, presence }: ClaimDependencies): Foresight => {
  const recordsOf = async (wanted: readonly WantedClaim[]): Promise<Records> => {
    const refs = wanted.flatMap(({ ref, parent }) => (parent === undefined ? [ref] : [ref, parent]));
    const records = await lookup.records(refs);
    return new Map(records.filter((record) => record !== undefined).map((record) => [resourceKey(record), record]));
  };

  /** Throws what `take` would throw; returns whether the id is new. */
  const isFresh = async (claim: WantedClaim, refused: Because | undefined, isKnown: boolean): Promise<boolean> => {
    const { ref, kind } = claim;
    if (!isKnown && (await presence(kind, ref.id))) throw quarantine(ref);
    if (refused !== undefined) throw claimRefusal({ ref, because: refused });
    return !isKnown;
  };

  return {
    async claims(wanted, owner, evidence) {
      const records = wanted.length === 0 ? undefined : await judging(evidence, () => recordsOf(wanted));
      if (records === undefined) return [];
      const inBatch = new Set(wanted.map(({ ref }) => resourceKey(ref)));
      const verdicts = await Promise.all(
        wanted.map((claim) =>
          judging(evidence, () => {
            const outside = claim.parent !== undefined && !inBatch.has(resourceKey(claim.parent));
            const refused =
              refusedFor(claim, records.get(resourceKey(claim.ref)), owner) ??
              (outside && !isLiveOf(records.get(resourceKey(claim.parent)), owner) ? 'parent' : undefined);
            return isFresh(claim, refused, records.has(resourceKey(claim.ref)));
          }),
        ),
      );
      return wanted.filter((_, index) => verdicts[index] === true);
    },

    ...holding({ ledger, lookup }),
  };
};

const holding = ({ ledger, lookup }: Pick<ClaimDependencies, 'ledger' | 'lookup'>): Omit<Foresight, 'claims'> => ({
  async hold(fresh, owner, requestId) {
    let left = fresh.filter(({ kind }) => kind.probe !== undefined);
    try {
      while (left.length > 0) {
        const outcome = await ledger.claim(left, owner, requestId);
        if (outcome.claimed) return outcome.refs;
        const refused = resourceKey(outcome.ref);
        left = left.filter(({ ref }) => resourceKey(ref) !== refused);
      }
      return [];
    } catch (error) {
      throw ledgerUnavailable(error);
    }
  },

  async settle(held, requestId, made) {
    try {
      await ledger.settle(held, requestId, made ? 'kept' : 'undone');
      if (!made) await lookup.forget(held);
    } catch (error) {
      throw ledgerUnavailable(error);
    }
  },
});

/** As the ledger decides it (test/authz/foresee.test.ts holds one against the other). */
const refusedFor = ({ verb }: WantedClaim, record: OwnershipRecord | undefined, owner: Owner): Because | undefined => {
  if (record === undefined) return undefined;
  if (record.state === 'deleted') return 'deleted';
  if (record.owner !== owner) return 'foreign';
  return record.state === 'owned' && verb === 'create' ? 'owned' : undefined;
};

const isLiveOf = (record: OwnershipRecord | undefined, owner: Owner): boolean =>
  record !== undefined && record.state !== 'deleted' && record.owner === owner;
