/** The permission to forward one request: what was checked, what was claimed, what a success will release. */
import type { Brand } from './brand.ts';
import type { Owner } from './principal.ts';
import type { ReadRequest } from './request.ts';
import type { ResourceRef } from './resource.ts';

interface GrantFields {
  readonly request: ReadRequest;
  /** Undefined on public routes. */
  readonly owner: Owner | undefined;
  /** Everything that the request names, checked. */
  readonly resources: readonly ResourceRef[];
  /** Recorded as pending for this request; settled when the upstream's outcome is known. */
  readonly claims: readonly ResourceRef[];
  /** Become tombstones, children included, after the upstream's 2xx. */
  readonly releases: readonly ResourceRef[];
}

/** Made in authz/authorize only. */
export type Grant = Brand<GrantFields, 'Grant'>;
