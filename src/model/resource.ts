/** What can be owned: the kinds that a policy declares, and the records that the ledger keeps of them. */
import type { Owner } from './principal.ts';

export interface ResourceKind {
  /** The policy's word: `canvas`, `session`, `file`. */
  readonly name: string;
  /** Anchored at both ends; an id that does not match is refused before anything is looked up. */
  readonly pattern: RegExp;
  /** Ids that match the pattern but can never be owned. */
  readonly reserved: ReadonlySet<string>;
  /** The kind to which this one belongs: deleting or transferring the parent takes the child along. */
  readonly parent: string | undefined;
  /** How to ask the upstream whether it already has an id that the ledger does not know. */
  readonly probe: Probe | undefined;
  /** The path below which the upstream serves this kind, such as `/api/file/`; references in texts are found by it. */
  readonly url: string | undefined;
}

/** A GET whose answer tells absent (one of `absentBodies` with status 200, or a status in `absentStatuses`). */
export interface Probe {
  /** The path before the id; the id is appended, already checked against the pattern. */
  readonly pathBefore: string;
  readonly pathAfter: string;
  readonly absentBodies: readonly string[];
  readonly absentStatuses: readonly number[];
}

export interface ResourceRef {
  readonly kind: string;
  readonly id: string;
}

/** `own`: must be mine. `create`: must be nobody's, becomes mine. `claim`: either. `release`: mine, then a tombstone. */
export type Verb = 'own' | 'create' | 'claim' | 'release';

/** Pending: claimed before an upstream call whose outcome is open. Deleted: a tombstone, nobody's for ever. */
export type OwnershipState = 'pending' | 'owned' | 'deleted';

export type OwnershipOrigin = 'request' | 'response' | 'event' | 'migration' | 'admin';

export interface OwnershipRecord extends ResourceRef {
  readonly owner: Owner;
  readonly parent: ResourceRef | undefined;
  readonly state: OwnershipState;
  readonly origin: OwnershipOrigin;
  /** Unix time in milliseconds of the first claim. */
  readonly createdAtMillis: number;
}

/** One string for one resource, for maps and caches. A kind's name never holds a colon. */
export const resourceKey = (ref: ResourceRef): string => `${ref.kind}:${ref.id}`;
