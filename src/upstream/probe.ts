/** Asks the upstream whether it already has an id that the ledger does not know. */
import { Rejection } from '../model/rejection.ts';
import type { ResourceKind } from '../model/resource.ts';
import type { Origin } from './origin.ts';

/** Enough for every body that means absent. What is longer means present. */
const ENOUGH_BYTES = 256;

/** Returns the probe: true when the id exists upstream; rejects `probe-failed` when that cannot be known. */
export const probe =
  (origin: Pick<Origin, 'read'>) =>
  async (kind: ResourceKind, id: string): Promise<boolean> => {
    if (kind.probe === undefined) return false;
    const { pathBefore, pathAfter, absentBodies, absentStatuses } = kind.probe;
    try {
      const answer = await origin.read(`${pathBefore}${encodeURIComponent(id)}${pathAfter}`, ENOUGH_BYTES);
      if (absentStatuses.includes(answer.status)) return false;
      if (answer.status !== 200) throw new Error(`status ${answer.status}`);
      return !(answer.whole && absentBodies.includes(answer.body.toString()));
    } catch (cause) {
      if (cause instanceof Rejection) throw cause;
      throw new Rejection('probe-failed', `the probe of a ${kind.name} failed: ${String(cause)}`, { cause });
    }
  };
