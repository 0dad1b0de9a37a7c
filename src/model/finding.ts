/** What would have happened, had the policy been in effect: the evidence that shadow mode leaves in the audit record. */
import type { ReasonCode } from './reason.ts';
import type { ResourceRef } from './resource.ts';

export type Finding =
  /** The request, the handshake or the packet would have been refused. A limit is a reason like every other. */
  | { readonly would: 'deny'; readonly reason: ReasonCode; readonly detail: string }
  /** These ids, which are nobody's, would have become the caller's. */
  | { readonly would: 'claim'; readonly resources: readonly ResourceRef[] }
  /** Operations of the route would have changed the request's body, or the answer. */
  | { readonly would: 'change'; readonly what: 'request' | 'answer' }
  /** So many rows of a list would have been removed. */
  | { readonly would: 'remove'; readonly kind: string; readonly removed: number; readonly of: number }
  /** Events of one kind would have been withheld from so many of the sockets that heard them. */
  | {
      readonly would: 'withhold';
      readonly event: string;
      /** Why nobody at all would have heard them; left out where they are merely another's. */
      readonly because?: string;
      readonly sockets: number;
      readonly of: number;
    };
