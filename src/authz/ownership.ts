/**
 * The ports behind "whose is it": the durable ledger, and the caches in front of it. The ledger is the only place that
 * knows an owner; a cache holds positive facts, for a bounded time, and may forget all of them without changing an answer.
 */
import type { Owner } from '../model/principal.ts';
import type { OwnershipOrigin, OwnershipRecord, ResourceRef } from '../model/resource.ts';

export interface Claim {
  readonly ref: ResourceRef;
  readonly parent: ResourceRef | undefined;
  /** `create`: nobody's, or this owner's own pending claim. `claim`: nobody's, or this owner's. */
  readonly verb: 'create' | 'claim';
}

export type ClaimOutcome =
  | { readonly claimed: true; readonly refs: readonly ResourceRef[] }
  /** `parent`: the named parent is a tombstone or another owner's. */
  | {
      readonly claimed: false;
      readonly ref: ResourceRef;
      readonly because: 'foreign' | 'owned' | 'deleted' | 'parent';
    };

/**
 * What became of the upstream call that a claim was made for. `kept`: it took effect, the id is owned. `undone`: it
 * certainly did nothing, the claim is given back unless another request leans on it. `unknown`: the claim stays pending
 * and its owner's for ever; only the owner may repeat the create.
 */
export type Settlement = 'kept' | 'undone' | 'unknown';

/** Every method rejects with an error of its own when the store is down; nothing is ever guessed. */
export interface OwnershipLedger {
  /** Returns a record, tombstones included, or undefined for each ref, in their order. One batched look-up. */
  find(refs: readonly ResourceRef[]): Promise<ReadonlyArray<OwnershipRecord | undefined>>;
  /**
   * Records all claims as pending for a request, or none, atomically and durably before it resolves. `refs` in the
   * outcome are those that lean on this request and must be settled (an id that was already owned is not among them).
   */
  claim(claims: readonly Claim[], owner: Owner, requestId: string): Promise<ClaimOutcome>;
  /** Settles what `claim` returned. Idempotent. */
  settle(refs: readonly ResourceRef[], requestId: string, settlement: Settlement): Promise<void>;
  /** Records an id that the server made. `conflict`: it is another's, or a tombstone; nothing was changed. */
  learn(
    learned: { readonly ref: ResourceRef; readonly parent: ResourceRef | undefined; readonly origin: OwnershipOrigin },
    owner: Owner,
  ): Promise<'learned' | 'known' | 'conflict'>;
  /**
   * Makes tombstones of a resource and of everything below it, and returns them. Only its owner's; else it returns
   * none. Durable before it resolves.
   */
  release(ref: ResourceRef, owner: Owner): Promise<readonly ResourceRef[]>;
  /** Rejects when the store cannot be read. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Owners known to all replicas. A failure counts as "does not know": no method rejects. */
export interface SharedOwnershipCache {
  get(refs: readonly ResourceRef[]): Promise<ReadonlyArray<Owner | undefined>>;
  /** Loses against an `invalidate` of the same id that came while the caller was reading the ledger. */
  fill(ref: ResourceRef, owner: Owner): void;
  /** Forgets on every replica; resolves when the others have been told, or cannot be reached. */
  invalidate(refs: readonly ResourceRef[]): Promise<void>;
  /** Called with what another replica changed, or with `everything` when something may have been missed. */
  onInvalidate(listener: (refs: readonly ResourceRef[] | 'everything') => void): void;
}

/** Owners known to this process. Synchronous, bounded in age and, for each kind, in count. */
export interface NearOwnershipCache {
  get(ref: ResourceRef): Owner | undefined;
  /** A mark to be taken before the ledger is read; a `set` with a mark from before an invalidation is dropped. */
  mark(): number;
  set(ref: ResourceRef, owner: Owner, mark: number): void;
  delete(ref: ResourceRef): void;
  clear(): void;
  readonly size: number;
}
