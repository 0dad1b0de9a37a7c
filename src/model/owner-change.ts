/** An owner that comes to be called otherwise, because an issuer or one of its claims changed. */
import type { Owner } from './principal.ts';
import type { ResourceRef } from './resource.ts';

export interface OwnerChange {
  readonly from: Owner;
  readonly to: Owner;
}

/** What is to be called otherwise: some owners, or all that are known of an issuer, by its aliases. */
export type Renaming = { readonly owners: readonly OwnerChange[] } | { readonly issuer: OwnerChange };

/** All that is needed to take it back. */
export interface OwnerUndo {
  readonly changes: readonly OwnerChange[];
  /** Revocations that were made, by id. */
  readonly revocations: readonly string[];
  /** API keys, and whose they were and became. */
  readonly keys: ReadonlyArray<{ readonly id: string; readonly from: string; readonly to: string }>;
  /** What changed hands: `change` is the place in `changes`. */
  readonly moved: ReadonlyArray<ResourceRef & { readonly change: number }>;
}
