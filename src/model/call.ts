/** A call of an agent's tool that waits for a person's word: how it is named, and what a person's answer to it is. */
import type { Owner } from './principal.ts';
import type { ResourceRef } from './resource.ts';

/** The answer to a call: the call waits in the resource that owned the event by which it was announced. */
export interface CallAnswer {
  readonly place: ResourceRef;
  readonly owner: Owner;
  readonly call: string;
}

const MAX_CALL_LENGTH = 256;

/** True for what can be the id of a call. Model providers make these ids, so all but their length is theirs. */
export const isCallId = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.length <= MAX_CALL_LENGTH;
