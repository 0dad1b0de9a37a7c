/** The permission to forward one request: what was checked, what was claimed, what a success will release. */
import type { Brand } from './brand.ts';
import type { CallAnswer } from './call.ts';
import type { Evidence } from './evidence.ts';
import type { Owner, Principal } from './principal.ts';
import type { ReadRequest } from './request.ts';
import type { ResourceKind, ResourceRef } from './resource.ts';

interface GrantFields {
  readonly request: ReadRequest;
  /** Undefined on public routes. */
  readonly owner: Owner | undefined;
  /** The same. */
  readonly principal: Principal | undefined;
  /** Everything that the request names, checked. */
  readonly resources: readonly ResourceRef[];
  /** Recorded as pending for this request; settled when the upstream's outcome is known. */
  readonly claims: readonly ResourceRef[];
  /** Become tombstones, children included, after the upstream's 2xx. */
  readonly releases: readonly ResourceRef[];
  /** The call that the request answers, taken for it; it waits again when the upstream certainly did nothing. */
  readonly confirms?: CallAnswer | undefined;
  readonly shadow?: GrantedInShadow;
}

/** What there is besides where the policy is not in effect: the request passes whatever was found. */
export interface GrantedInShadow {
  /** What would have been refused, by this stage and by those before it, and what would have been claimed. */
  readonly evidence: Evidence;
  /** True when this stage would not have refused the request. */
  readonly allowed: boolean;
  /** Ids that were nobody's and, as far as the server can be asked, not there before. */
  readonly fresh: readonly FreshRef[];
}

export interface FreshRef {
  readonly ref: ResourceRef;
  readonly parent: ResourceRef | undefined;
  readonly verb: 'create' | 'claim';
  readonly kind: ResourceKind;
}

/** Made in authz/authorize only. */
export type Grant = Brand<GrantFields, 'Grant'>;
export type GrantInShadow = Grant & { readonly shadow: GrantedInShadow };
