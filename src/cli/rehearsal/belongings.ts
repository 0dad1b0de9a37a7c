/** Whose is what in a rehearsal, and what waits for whom: told by hand, or read from a live ledger and never written. */
import type { OwnershipLedger } from '../../authz/ownership.ts';
import { type PendingCalls, pendingCalls } from '../../authz/pending.ts';
import type { CallAnswer } from '../../model/call.ts';
import type { Owner } from '../../model/principal.ts';
import { type OwnershipRecord, type ResourceRef, resourceKey } from '../../model/resource.ts';
import { memoryLedger } from '../../store/memory/ownership-ledger.ts';

/** The side of a ledger that only reads. */
export type LedgerReader = Pick<OwnershipLedger, 'find' | 'close'>;

export interface Belonging {
  readonly ref: ResourceRef;
  readonly owner: Owner;
  readonly parent?: ResourceRef | undefined;
  readonly deleted?: boolean;
}

/** Returns the calls that wait once these were announced, in their order. No time passes. */
export const callsOf = (announced: readonly CallAnswer[]): PendingCalls => {
  const calls = pendingCalls({ maxCalls: NO_BOUND, maxCallsOfOwner: NO_BOUND, now: () => 0 });
  for (const { place, owner, call } of announced) calls.seen(place, owner, call);
  return calls;
};

/** Resolves to a ledger in memory that knows these; the first word on an id counts. */
export const ledgerOf = async (belongings: readonly Belonging[]): Promise<OwnershipLedger> => {
  const ledger = memoryLedger();
  for (const belonging of belongings) await enter(ledger, belonging);
  return ledger;
};

/** Returns a ledger that answers from a live one and writes into memory only. */
export const overlayOf = (live: LedgerReader): OwnershipLedger => {
  const memory = memoryLedger();
  const known = new Set<string>();
  const fetch = async (refs: readonly ResourceRef[]): Promise<void> => {
    const unknown = refs.filter((ref) => !known.has(resourceKey(ref)));
    const records = unknown.length === 0 ? [] : await live.find(unknown);
    for (const ref of unknown) known.add(resourceKey(ref));
    for (const record of records) if (record !== undefined) await copy(memory, record);
  };
  return {
    ...memory,
    async find(refs) {
      await fetch(refs);
      return memory.find(refs);
    },
    async claim(claims, owner, requestId) {
      await fetch(claims.flatMap(({ ref, parent }) => (parent === undefined ? [ref] : [ref, parent])));
      return memory.claim(claims, owner, requestId);
    },
    async learn(learned, owner) {
      await fetch(learned.parent === undefined ? [learned.ref] : [learned.ref, learned.parent]);
      return memory.learn(learned, owner);
    },
    async release(ref, owner) {
      await fetch([ref]);
      return memory.release(ref, owner);
    },
    close: () => live.close(),
  };
};

const NO_BOUND = Number.MAX_SAFE_INTEGER;

const enter = async (ledger: OwnershipLedger, { ref, owner, parent, deleted = false }: Belonging): Promise<void> => {
  await ledger.learn({ ref, parent, origin: 'admin' }, owner);
  if (deleted) await ledger.release(ref, owner);
};

/** A pending claim stays one: whose it is has been said, and its owner may repeat the create. */
const copy = async (memory: OwnershipLedger, record: OwnershipRecord): Promise<void> => {
  const { kind, id, owner, state } = record;
  const ref = { kind, id };
  if (state !== 'pending') return enter(memory, { ref, owner, deleted: state === 'deleted' });
  await memory.claim([{ ref, parent: undefined, verb: 'claim' }], owner, 'the one that claimed it');
};
