/** The answer to a waiting call: which call a request names, and whether it may answer it. */
import { type CallAnswer, isCallId } from '../model/call.ts';
import { valuesAt } from '../model/field-path.ts';
import type { Owner } from '../model/principal.ts';
import { Rejection } from '../model/rejection.ts';
import type { ReadRequest } from '../model/request.ts';
import { type ResourceRef, resourceKey } from '../model/resource.ts';
import type { ConfirmRule } from '../model/route.ts';
import type { PendingCalls, Taken } from './pending.ts';

export interface Confirming {
  readonly rule: ConfirmRule;
  readonly request: ReadRequest;
  /** In which the call must wait; the owner's, as was checked. In nothing at all, nothing waits. */
  readonly place: ResourceRef | undefined;
  readonly owner: Owner;
}

/**
 * Returns the answer, for which the call was taken; or throws `call-not-pending`, or `id-invalid` where none is named.
 * Without `calls` nothing waits.
 */
export const confirm = (calls: Pick<PendingCalls, 'take'> | undefined, asked: Confirming): CallAnswer => {
  const { request, place, owner } = asked;
  const call = callNamed(asked);
  if (place === undefined) throw new Rejection('call-not-pending', 'the route owns nothing in which it could wait');
  const answer = { place, owner, call };
  const taken = calls?.take(answer, request.canonical.id) ?? 'unknown';
  if (taken === 'taken') return answer;
  throw new Rejection('call-not-pending', `${resourceKey(place)}: ${REFUSED[taken](JSON.stringify(call))}`);
};

/** What nobody has announced is a client's text, and stays out of the record. */
const REFUSED: Readonly<Record<Exclude<Taken, 'taken'>, (call: string) => string>> = {
  unknown: () => 'no such call waits there for the caller',
  used: (call) => `the call ${call} was answered already`,
  collided: (call) => `the call ${call} waits in several places`,
};

const callNamed = ({ rule, request: { body } }: Confirming): string => {
  const [call, ...more] = body.kind === 'json' ? valuesAt(body.value, rule.call) : [];
  if (isCallId(call) && more.length === 0) return call;
  throw new Rejection('id-invalid', `body ${rule.text}: expected the id of a call`);
};
